"""The upstream port: one reading of a URL, and what each failure says about the provider's work."""

import pytest

from application.upstream import (
    BadUpstreamUrl,
    ParsedUrl,
    UpstreamAnswerTooLarge,
    UpstreamBusy,
    UpstreamClosed,
    UpstreamConnectError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRequestRefused,
    UpstreamTimeout,
    UpstreamTooSlow,
    parse_url,
)


@pytest.mark.parametrize(
    ("url", "expected", "authority"),
    [
        ("https://api.example.com", ("https", "api.example.com", 443, b"/"), b"api.example.com"),
        ("http://Api.Example.COM/v1", ("http", "api.example.com", 80, b"/v1"), b"api.example.com"),
        ("HTTPS://h:8443/a/b?c=d&e=%20", ("https", "h", 8443, b"/a/b?c=d&e=%20"), b"h:8443"),
        ("http://h?q=1", ("http", "h", 80, b"/?q=1"), b"h"),
        ("https://[2001:DB8::1]:444/v1", ("https", "2001:db8::1", 444, b"/v1"), b"[2001:db8::1]:444"),
        ("http://[::1]", ("http", "::1", 80, b"/"), b"[::1]"),
        ("http://127.0.0.1:80/", ("http", "127.0.0.1", 80, b"/"), b"127.0.0.1"),
        (
            "http://llm_1.internal:11434/v1",
            ("http", "llm_1.internal", 11434, b"/v1"),
            b"llm_1.internal:11434",
        ),
    ],
)
def test_a_url_is_taken_apart_once(url: str, expected: tuple[str, str, int, bytes], authority: bytes) -> None:
    """What an operator writes becomes exactly what is connected to, and the Host header that names it."""
    parsed = parse_url(url)
    assert (parsed.scheme, parsed.host, parsed.port, parsed.target) == expected
    assert parsed.authority() == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com/v1",
        "//api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "http://",
        "http:///v1",
        "http://user@host/",
        "http://user:secret@host/",
        "http://host\\@evil/",
        "http://host#@evil/",
        "http://host/path#fragment",
        "http://host/a b",
        "http://host/a\r\nx: y",
        "http://host/\x00",
        "http://host\n/",
        "\nhttp://host/",
        "http://host/\n",
        "http://host:0/",
        "http://host:65536/",
        "http://host:/",
        "http://host:+80/",
        "http://host:\uff18\uff10/",
        "http://höst/",
        "http://host/ü",
        "http://host./",
        "http://.host/",
        "http://a..b/",
        "http://-a/",
        "http://[::1/",
        "http://::1/",
        "http://[fe80::1%25eth0]/",
        "http://[not:v6]/",
        "http://[127.0.0.1]/",
        "http://" + "a" * 254 + "/",
        "http://ho\u017ft/",
    ],
)
def test_what_parsers_could_read_differently_is_refused(url: str) -> None:
    """User info, fragments, whitespace, control characters, non-ASCII and odd hosts never become a URL of ours."""
    with pytest.raises(BadUpstreamUrl) as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"scheme": "gopher"},
        {"host": "Host"},
        {"host": ""},
        {"host": "a b"},
        {"host": "a\r\n"},
        {"host": "[::1]"},
        {"port": 0},
        {"target": b""},
        {"target": b"v1"},
        {"target": b"/a b"},
        {"target": b"/a\r\nx: y"},
        {"target": b"/a\x00"},
        {"target": b"/a#b"},
        {"target": b"/\xff"},
    ],
)
def test_a_bad_url_cannot_be_constructed(fields: dict[str, object]) -> None:
    """The type itself refuses, so nothing downstream has to check again."""
    good: dict[str, object] = {"scheme": "http", "host": "h", "port": 80, "target": b"/"}
    with pytest.raises(BadUpstreamUrl):
        ParsedUrl(**{**good, **fields})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("error", "code", "may_have_run"),
    [
        (BadUpstreamUrl(), "bad_upstream_url", False),
        (UpstreamRequestRefused(), "upstream_request_refused", False),
        (UpstreamConnectError("refused"), "upstream_connect_failed", False),
        (UpstreamBusy("busy"), "upstream_busy", False),
        (UpstreamTimeout("connect"), "upstream_timeout", False),
        (UpstreamTimeout("first_byte"), "upstream_timeout", True),
        (UpstreamTimeout("idle"), "upstream_timeout", True),
        (UpstreamTimeout("total"), "upstream_timeout", True),
        (UpstreamTooSlow(), "upstream_too_slow", True),
        (UpstreamProtocolError(), "upstream_protocol_error", True),
        (UpstreamAnswerTooLarge(), "upstream_answer_too_large", True),
        (UpstreamClosed(), "upstream_closed", True),
    ],
)
def test_every_failure_says_whether_the_provider_may_have_worked(
    error: UpstreamError, code: str, may_have_run: bool
) -> None:
    """The attempt record and the decision to try elsewhere rest on these two."""
    assert (error.code, error.may_have_run) == (code, may_have_run)
