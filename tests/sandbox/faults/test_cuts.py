"""Hangs, cuts and resets: where they strike, and how the connection ends."""

import pytest

from sandbox.faults import cuts
from tests.sandbox.conftest import Running
from tests.sandbox.faults.provoke import (
    HANG_MS,
    HANG_US_LEAST,
    TOKENS,
    Claim,
    as_good,
    begun,
    cases,
    held,
    provoke,
    served,
    whole,
)
from tests.sandbox.rawclient import Answer, connect, read_one, request_bytes

HALF = TOKENS // 2


def nothing(answer: Answer) -> None:
    assert answer.raw == b""
    assert served(answer)["status"] is None
    assert served(answer)["complete"] is False


def half_head(answer: Answer) -> None:
    assert answer.raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in answer.raw
    assert served(answer)["status"] == 200


def only_head(answer: Answer) -> None:
    assert answer.raw.endswith(b"\r\n\r\n")
    assert answer.status == 200
    assert not answer.ended


def half_body(answer: Answer) -> None:
    announced = int(answer.header("content-length") or 0)
    assert announced == len(answer.good.body)
    assert len(answer.body) == announced // 2
    assert answer.body.startswith(b'{"id":"chatcmpl-')
    assert served(answer)["complete"] is False


def half_stream(answer: Answer) -> None:
    begun(answer, HALF)
    assert set(answer.finishes) == {None}
    assert answer.usages == []
    assert not answer.ended


def all_content(answer: Answer) -> None:
    begun(answer, TOKENS)
    assert answer.finishes[-1] == "stop"
    assert answer.usages == []
    assert not answer.ended


def all_but_done(answer: Answer) -> None:
    begun(answer, TOKENS)
    assert answer.usages == answer.good.usages
    assert served(answer)["reported"] == answer.usages[0]
    assert not answer.done
    assert not answer.ended


def done_but_open(answer: Answer) -> None:
    assert answer.done
    assert answer.text == answer.good.text
    assert not answer.ended


def half_event(answer: Answer) -> None:
    half_stream(answer)
    after = answer.body.rpartition(b"\n\n")[2]
    assert after.startswith(b'data: {"id":"')
    assert not after.endswith(b"}")


def half_frame(answer: Answer) -> None:
    half_stream(answer)
    assert not answer.raw.endswith(b"\r\n")


def without_done(answer: Answer) -> None:
    begun(answer, TOKENS)
    assert answer.ended
    assert answer.usages == answer.good.usages
    assert not answer.done


def ended_early(answer: Answer) -> None:
    begun(answer, HALF)
    assert answer.ended
    assert not answer.done
    assert set(answer.finishes) == {None}


def good_then_closed(answer: Answer) -> None:
    as_good(answer)


def paused(answer: Answer) -> None:
    whole(answer)
    assert served(answer)["at_us"] - answer.journal["accepted"]["at_us"] >= HANG_US_LEAST


#: Hangs are cut after a while, so their wire looks like the cut at the same place; `held` tells them apart.
CLAIMS: dict[str, Claim] = {
    "hang_before_headers": nothing,
    "hang_mid_headers": half_head,
    "hang_before_body": only_head,
    "hang_mid_body": half_body,
    "hang_mid_stream": half_stream,
    "hang_before_usage": all_content,
    "hang_before_done": all_but_done,
    "hang_after_done": done_but_open,
    "cut_before_headers": nothing,
    "reset_before_headers": nothing,
    "cut_mid_headers": half_head,
    "cut_before_body": only_head,
    "cut_mid_body": half_body,
    "reset_mid_body": half_body,
    "cut_mid_stream": half_stream,
    "reset_mid_stream": half_stream,
    "cut_mid_event": half_event,
    "cut_mid_frame": half_frame,
    "cut_before_usage": all_content,
    "cut_after_usage": all_but_done,
    "end_without_done": without_done,
    "end_mid_stream": ended_early,
    "cut_after_answer": good_then_closed,
    "pause_mid_stream": paused,
}


@pytest.mark.parametrize(("name", "kind"), cases(cuts.FAULTS))
def test_the_wire_shows_the_fault(shared: Running, name: str, kind: str) -> None:
    """So much came and no more; RST only where the name says so; a hang held the connection."""
    answer = provoke(shared, name, kind, hang_ms=HANG_MS)
    CLAIMS[name](answer)
    assert answer.reset is name.startswith("reset_")
    if name.startswith("hang_"):
        held(answer)


@pytest.mark.parametrize("name", ["cut_mid_stream", "hang_mid_stream", "reset_mid_stream", "end_mid_stream"])
@pytest.mark.parametrize(("after", "pieces"), [(0, 0), (3, 3), (99, TOKENS)])
def test_a_script_sets_where_a_stream_breaks(shared: Running, name: str, after: int, pieces: int) -> None:
    """After so many content chunks, at most all of them; never with a finish."""
    answer = provoke(shared, name, "stream", after_chunks=after, hang_ms=0)
    begun(answer, pieces)
    assert set(answer.finishes) == {None}


def test_a_kept_connection_is_dead_after_a_good_answer(shared: Running) -> None:
    """`cut_after_answer` does not announce the end: a client that reuses the connection finds it closed."""
    body = b'{"model":"sandbox-fault-cut_after_answer","messages":[{"role":"user","content":"x"}]}'
    with connect(shared.address) as sock:
        sock.sendall(request_bytes("POST", "/v1/chat/completions", body, close=False))
        answer = Answer(read_one(sock))
        assert answer.status == 200
        assert answer.header("connection") is None
        assert sock.recv(1) == b""


def test_a_hang_does_not_hold_up_others(shared: Running) -> None:
    """A hundred hanging requests, and a fresh one is answered at once; leaving ends them."""
    ref = shared.ref()
    body = b'{"model":"sandbox-fault-hang_before_headers","messages":[{"role":"user","content":"x"}],"metadata":{"ref":"%b"}}'
    socks = [connect(shared.address) for _ in range(100)]
    for sock in socks:
        sock.sendall(request_bytes("POST", "/v1/chat/completions", body % ref.encode()))
    while sum(line["ref"] == ref for line in shared.journal()) < 100:
        assert shared.chat().status == 200
    for sock in socks:
        sock.close()
    while sum(line["ref"] == ref for line in shared.journal()) < 200:
        pass
    assert not any(
        line["complete"] for line in shared.journal() if line["ref"] == ref and line["event"] == "served"
    )
