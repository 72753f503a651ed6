"""What is written to an upstream, and what never is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.upstream.request_head import OWN_HEADERS, encode_head
from application.upstream import UpstreamRequest, UpstreamRequestRefused, parse_url

URL = parse_url("http://h/v1?a=b")


def head(
    headers: list[tuple[bytes, bytes]] | None = None, *, method: bytes = b"POST", body: bytes = b"{}"
) -> bytes:
    return encode_head(UpstreamRequest(method=method, url=URL, headers=headers or [], body=body), b"h")


def test_a_head_is_written_in_order() -> None:
    """Request line, Host, the caller's headers as given, then identity encoding and the length."""
    assert head([(b"X-A", b"1"), (b"x-a", b"2\t\xff")]) == (
        b"POST /v1?a=b HTTP/1.1\r\nhost: h\r\nX-A: 1\r\nx-a: 2\t\xff\r\n"
        b"accept-encoding: identity\r\ncontent-length: 2\r\n\r\n"
    )


def test_a_given_encoding_is_kept() -> None:
    """`accept-encoding` of the caller goes out alone."""
    assert head([(b"Accept-Encoding", b"gzip")]).lower().count(b"accept-encoding") == 1


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        (b"POST", b"", b"content-length: 0"),
        (b"PUT", b"", b"content-length: 0"),
        (b"GET", b"", None),
        (b"HEAD", b"", None),
        (b"DELETE", b"{}", b"content-length: 2"),
    ],
)
def test_the_length_is_stated_where_a_body_is_expected(
    method: bytes, body: bytes, expected: bytes | None
) -> None:
    """A POST without a body says so; a GET says nothing."""
    lines = head(method=method, body=body).split(b"\r\n")
    assert [line for line in lines if line.startswith(b"content-length")] == ([expected] if expected else [])


@pytest.mark.parametrize("name", sorted(OWN_HEADERS))
def test_framing_and_connection_headers_are_not_the_callers(name: bytes) -> None:
    """A second length, a Host or a Transfer-Encoding of the caller could split one request into two."""
    with pytest.raises(UpstreamRequestRefused):
        head([(name.title(), b"1")])


@pytest.mark.parametrize(
    "name", [b"", b"x y", b"x:", b"x\r\ny", b"x\n", b"\x00", b"x\xff", b"x\t", b"(x)", b" x"]
)
def test_a_header_name_is_a_token(name: bytes) -> None:
    """Anything else could be read as another header."""
    with pytest.raises(UpstreamRequestRefused):
        head([(name, b"1")])


@pytest.mark.parametrize(
    "method", [b"", b"post", b"CONNECT", b"TRACE", b"GET /evil HTTP/1.1\r\nx: y\r\n\r\nGET"]
)
def test_only_known_methods_are_sent(method: bytes) -> None:
    """A method is a word from a list, not bytes."""
    with pytest.raises(UpstreamRequestRefused):
        head(method=method)


@example(value=b"a\r\nevil: 1")
@example(value=b"a\nevil: 1")
@example(value=b"a\revil: 1")
@example(value=b"\r\n")
@example(value=b"a\r\n\r\nGET / HTTP/1.1\r\n\r\n")
@example(value=b"secret\x00")
@example(value=b"\x7f")
@given(value=st.binary(max_size=20))
def test_a_value_is_written_as_one_line_or_refused(value: bytes) -> None:
    """No value, whatever its bytes, adds a line; and a refusal does not repeat it."""
    has_control = any((byte < 32 and byte != 9) or byte == 127 for byte in value)
    if has_control:
        with pytest.raises(UpstreamRequestRefused) as caught:
            head([(b"x", value)])
        assert "secret" not in str(caught.value)
    else:
        assert b"\r\nx: " + value + b"\r\n" in head([(b"x", value)])
