"""The mends of stream chunks, as a client sees them."""

import json
from typing import Any

import pytest

from application.wire.relay import StreamMeter


def relayed(*documents: dict[str, Any], wanted: bool = True) -> list[dict[str, Any]]:
    meter = StreamMeter(usage_wanted=wanted)
    stream = b"".join(b"data: " + json.dumps(document).encode() + b"\n\n" for document in documents)
    out = meter.feed(stream) + meter.finish().data
    return [json.loads(line[6:]) for line in out.split(b"\n\n") if line and b"[DONE]" not in line]


def calling(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"tool_calls": list(calls)}, "finish_reason": None}]}


def ending(reason: str | None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def test_a_nameless_object_gets_its_name() -> None:
    """Azure's first chunk, with the results of its filter."""
    first = {"choices": [], "object": "", "prompt_filter_results": [{"prompt_index": 0}], "usage": None}
    mended = {
        "choices": [],
        "object": "chat.completion.chunk",
        "prompt_filter_results": [{"prompt_index": 0}],
    }
    said = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'  # before it the start is withheld
    compact = b"data: " + json.dumps(first, separators=(",", ":")).encode() + b"\n\n"
    for wanted, shown in ((True, mended | {"usage": None}), (False, mended)):
        start, _ = StreamMeter(usage_wanted=wanted).feed(compact + said).split(b"\n\n", 1)
        assert json.loads(start[6:]) == shown


def test_togethers_end_is_a_stop() -> None:
    """Strict clients know five reasons only."""
    assert relayed(ending("eos")) == [ending("stop")]


def test_an_empty_reason_is_none_and_no_end() -> None:
    """Layers that latch the first non-null reason would take it for the end of the turn."""
    meter = StreamMeter(usage_wanted=True)
    event = b"data: " + json.dumps(ending("")).encode() + b"\n\n"
    assert json.loads(meter.feed(event)[6:]) == ending(None)
    assert meter.finish().fault == "truncated"


def test_calls_without_an_index_are_numbered_over_the_whole_stream() -> None:
    """Clients put fragments together by index: two calls under one would run into each other."""
    one, two, three = ({"id": f"c{n}", "function": {"name": "f", "arguments": "{}"}} for n in range(3))
    out = relayed(calling(one, two), calling(three), ending("tool_calls"))
    numbered = [call for document in out[:2] for call in document["choices"][0]["delta"]["tool_calls"]]
    assert numbered == [call | {"index": n, "type": "function"} for n, call in enumerate((one, two, three))]


def test_a_fragment_without_index_and_id_belongs_to_the_latest_call() -> None:
    """It has no identity of its own, and gets no type."""
    fragment = {"function": {"arguments": "{"}}
    typed = {"id": "c", "type": "function", "function": {"name": "f"}}
    named = {"index": 7, "id": "d", "function": {"name": "g"}}
    assert relayed(calling(typed, fragment, named))[0] == calling(
        typed | {"index": 0}, fragment | {"index": 0}, named | {"type": "function"}
    )
    assert relayed(calling(fragment))[0] == calling(fragment | {"index": 0})


@pytest.mark.parametrize(
    "call",
    [
        {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": "{"}},
    ],
)
def test_complete_calls_pass_as_they_are(call: dict[str, Any]) -> None:
    """First fragments and later ones as OpenAI writes them."""
    event = b"data: " + json.dumps(calling(call)).encode() + b"\n\n"
    meter = StreamMeter(usage_wanted=True)
    assert meter.feed(event) == event


def test_a_chunk_that_cannot_be_mended_passes() -> None:
    """A number out of range where nobody looks cannot break a stream."""
    event = b'data: {"choices":[{"index":0,"finish_reason":""}],"x":1e400}\n\n'
    assert StreamMeter(usage_wanted=True).feed(event) == event


def test_a_mended_chunk_still_loses_its_usage() -> None:
    """Both rewrites at once."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    assert relayed(ending("eos") | {"usage": usage}, wanted=False) == [ending("stop")]
    assert relayed(ending("eos") | {"usage": None}, wanted=False) == [ending("stop")]
