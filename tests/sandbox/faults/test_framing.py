"""HTTP that contradicts itself, or is none."""

import pytest

from sandbox.faults import framing
from tests.sandbox.conftest import Running
from tests.sandbox.faults.provoke import TOKENS, Claim, as_good, cases, provoke, served
from tests.sandbox.rawclient import Answer, connect, read_one, request_bytes


def true_length(answer: Answer) -> int:
    """The good body without its framing."""
    return len(answer.good.body)


def length_off_by(difference: int) -> Claim:
    def claim(answer: Answer) -> None:
        assert len(answer.rest) == true_length(answer)
        assert int(answer.header("content-length") or 0) == len(answer.rest) + difference

    return claim


def lengths(answer: Answer) -> list[str]:
    return [value for name, value in answer.headers if name == "content-length"]


def twice(answer: Answer) -> None:
    size = true_length(answer)
    assert lengths(answer) == [str(size), str(size + 1)]
    assert len(answer.rest) == size


def negative(answer: Answer) -> None:
    assert lengths(answer) == ["-1"]
    assert len(answer.rest) == true_length(answer)


def huge(answer: Answer) -> None:
    assert lengths(answer) == [str(10 * 1024**3)]
    assert len(answer.rest) == true_length(answer)


def both_framings(answer: Answer) -> None:
    assert lengths(answer) == ["5"]
    assert answer.header("transfer-encoding") == "chunked"
    assert len(answer.body) == true_length(answer)


def bad_size(answer: Answer) -> None:
    assert answer.header("transfer-encoding") == "chunked"
    assert len(answer.body) == 20
    assert b"\r\nzz\r\n" in answer.rest


def trailers(answer: Answer) -> None:
    assert answer.rest.endswith(b"\r\n0\r\nx-checksum: 1\r\nset-cookie: t=1\r\n\r\n")
    assert answer.text == answer.good.text
    assert served(answer)["complete"] is True


def until_close(answer: Answer) -> None:
    assert answer.header("content-length") is answer.header("transfer-encoding") is None
    assert answer.header("connection") == "close"
    assert answer.text == answer.good.text
    assert served(answer)["tokens_sent"] == TOKENS


def bad_status(answer: Answer) -> None:
    assert answer.raw.startswith(b"HTTP/1.1 OK fine\r\n")


def garbage(answer: Answer) -> None:
    assert len(answer.raw) == 4096
    assert not answer.raw.startswith(b"HTTP/")
    assert len(set(answer.raw)) > 200


def switching(answer: Answer) -> None:
    assert answer.raw.startswith(b"HTTP/1.1 101 ")
    assert len(answer.rest) == true_length(answer)


def hints(answer: Answer) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"
    assert answer.raw.count(b"HTTP/1.1 103") == 100
    final = Answer(
        answer.raw.removeprefix(hint * 100), stream=answer.stream, good=answer.good, journal=answer.journal
    )
    as_good(final)


def extra(answer: Answer) -> None:
    first, found, second = answer.raw.rpartition(b"HTTP/1.1 200 OK\r\n")
    as_good(Answer(first, stream=answer.stream, good=answer.good, journal=answer.journal))
    assert found
    assert b'"sandbox":"unsolicited"' in second


CLAIMS: dict[str, Claim] = {
    "content_length_short": length_off_by(-10),
    "content_length_long": length_off_by(+10),
    "content_length_twice": twice,
    "content_length_negative": negative,
    "content_length_huge": huge,
    "length_and_chunked": both_framings,
    "bad_chunk_size": bad_size,
    "trailers": trailers,
    "until_close": until_close,
    "bad_status_line": bad_status,
    "garbage_for_http": garbage,
    "switching_protocols": switching,
    "informational_flood": hints,
    "extra_response": extra,
}
WHOLE = {"trailers", "until_close", "informational_flood", "extra_response"}


@pytest.mark.parametrize(("name", "kind"), cases(framing.FAULTS))
def test_the_wire_shows_the_fault(shared: Running, name: str, kind: str) -> None:
    """The head says one thing, the body another; the journal calls complete only what a client could read."""
    answer = provoke(shared, name, kind)
    CLAIMS[name](answer)
    assert served(answer)["complete"] is (name in WHOLE)


def test_an_unsolicited_response_waits_for_the_next_request(shared: Running) -> None:
    """On a kept connection it would be taken for the next answer; the connection itself stays open."""
    body = b'{"model":"sandbox-fault-extra_response","messages":[{"role":"user","content":"x"}]}'
    with connect(shared.address) as sock:
        sock.sendall(request_bytes("POST", "/v1/chat/completions", body, close=False))
        assert Answer(read_one(sock)).json["choices"]
        assert Answer(read_one(sock)).json["sandbox"] == "unsolicited"
        sock.sendall(request_bytes("GET", "/v1/models", close=False))
        assert Answer(read_one(sock)).json["object"] == "list"
