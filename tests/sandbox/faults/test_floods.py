"""A byte at a time, and without an end. The sizes are cut short by the script; the last tests see what they do then."""

import pytest

from sandbox.faults import floods
from tests.sandbox.conftest import Running
from tests.sandbox.faults.provoke import (
    HANG_MS,
    HANG_US_LEAST,
    TOKENS,
    Claim,
    as_good,
    cases,
    provoke,
    served,
)
from tests.sandbox.rawclient import Answer, connect, request_bytes

SIZE = 300_000


def late(answer: Answer) -> None:
    as_good(answer)
    assert served(answer)["at_us"] - answer.journal["accepted"]["at_us"] >= HANG_US_LEAST


def endless(answer: Answer) -> None:
    assert answer.status == 200
    assert not answer.ended
    assert len(answer.raw) > SIZE * 0.7
    assert served(answer)["complete"] is False


def endless_stream(answer: Answer) -> None:
    endless(answer)
    assert answer.pieces > 10 * TOKENS
    assert set(answer.finishes) == {None}
    assert served(answer)["tokens_sent"] == answer.pieces


def endless_comments(answer: Answer) -> None:
    endless(answer)
    assert answer.events == []
    assert answer.body == b": keep-alive\n\n" * (SIZE // 14)


def endless_body(answer: Answer) -> None:
    endless(answer)
    assert answer.body.startswith(b'{"id":"chatcmpl-endless"')
    assert b"}" not in answer.body


def endless_headers(answer: Answer) -> None:
    assert answer.raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in answer.raw
    assert answer.raw.count(b"\r\nx-endless-") > 1_000


def long_line(answer: Answer) -> None:
    assert answer.ended
    assert answer.done
    assert max(map(len, answer.events)) > 2 * 1024**2
    assert answer.usages == answer.good.usages


def endless_line(answer: Answer) -> None:
    endless(answer)
    assert b"\n" not in answer.body


CLAIMS: dict[str, Claim] = {
    "slow_first_byte": late,
    "drip": as_good,
    "drip_all": as_good,
    "endless_stream": endless_stream,
    "endless_comments": endless_comments,
    "endless_body": endless_body,
    "endless_headers": endless_headers,
    "long_line": long_line,
    "endless_line": endless_line,
}


@pytest.mark.parametrize(("name", "kind"), cases(floods.FAULTS))
def test_the_wire_shows_the_fault(shared: Running, name: str, kind: str) -> None:
    """As claimed; what is endless stops at the scripted size with a cut."""
    script = {"first_byte_ms": HANG_MS} if name == "slow_first_byte" else {"drip_ms": 0}
    if name.startswith("endless_"):
        script = {"size_bytes": SIZE}
    CLAIMS[name](provoke(shared, name, kind, **script))


@pytest.mark.parametrize("kind", ["json", "stream"])
@pytest.mark.parametrize("name", ["drip", "drip_all"])
def test_a_drip_is_one_byte_at_a_time(shared: Running, name: str, kind: str) -> None:
    """Each byte waits its turn: the journal's times leave room for no fewer waits."""
    answer = provoke(shared, name, kind, drip_ms=1, tokens=1)
    waits = len(answer.raw if name == "drip_all" else answer.rest)
    assert served(answer)["at_us"] - answer.journal["accepted"]["at_us"] >= waits * 500


def test_a_slow_first_byte_is_two_seconds_late(shared: Running) -> None:
    """By default."""
    answer = shared.chat(script={"fault": "slow_first_byte"})
    assert answer.status == 200
    assert served(answer)["at_us"] - answer.journal["accepted"]["at_us"] >= 1_990_000


@pytest.mark.parametrize("name", ["endless_stream", "endless_line", "endless_comments"])
def test_an_endless_answer_ends_with_its_client(shared: Running, name: str) -> None:
    """It waits for a client that does not read, and stops for one that leaves: no memory, no spinning."""
    ref = shared.ref()
    body = b'{"model":"sandbox-fault-%b","stream":true,"messages":[{"role":"user","content":"x"}],"metadata":{"ref":"%b"}}'
    with connect(shared.address) as sock:
        sock.sendall(request_bytes("POST", "/v1/chat/completions", body % (name.encode(), ref.encode())))
        assert sock.recv(1) == b"H"
        assert shared.chat().status == 200
    while "served" not in shared.lines(ref):
        pass
    assert shared.lines(ref)["served"]["complete"] is False
