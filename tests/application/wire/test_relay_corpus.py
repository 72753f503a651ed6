"""Every recorded OpenAI-dialect chat stream through the meter, in random cuts: unchanged but for the allowed rewrites."""

import json
import random
from typing import Any

import pytest

from application.wire.relay import StreamMeter
from application.wire.usage import normalise

FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
COST = ("cost", "cost_details", "cost_in_usd_ticks", "is_byok")


def stream_of(case: dict[str, Any]) -> list[bytes]:
    """The events as bytes; a closing `[DONE]` that the recorder took off is put back."""
    newline = case["sse_newline"].encode()
    events = []
    for item in case["stream_chunks"]:
        lines = [":" + item["comment"]] if "comment" in item else []
        lines += [f"event: {item['event']}"] if "event" in item else []
        lines += [f"data: {item['data']}"] if "data" in item else []
        events.append(newline.join(line.encode() for line in lines) + newline * 2)
    done = b"data: [DONE]" + newline * 2
    if case["sse_done"] and events[-1] != done:
        events.append(done)
    return events


def payload_of(event: bytes) -> dict[str, Any] | None:
    text = event.strip()
    if not text.startswith(b"data: {"):
        return None
    document: dict[str, Any] = json.loads(text.removeprefix(b"data: "))
    return document


def expected(events: list[bytes], *, wanted: bool) -> list[tuple[bytes, dict[str, Any] | None]]:
    """What a client should get, written down from the rules: each event with its document, or `None` for as it came."""
    sent: list[tuple[bytes, dict[str, Any] | None]] = []
    for event in events:
        document = payload_of(event)
        if document is None:
            sent.append((event, None))
            continue
        changed = rewritten(document, wanted=wanted)
        if changed is not None:
            sent.append((event, None if changed == document else changed))
    return sent


def rewritten(document: dict[str, Any], *, wanted: bool) -> dict[str, Any] | None:
    changed: dict[str, Any] = json.loads(json.dumps(document))
    if changed.get("usage") and not changed["choices"] and not wanted:
        return None
    if not wanted:
        changed.pop("usage", None)
    elif changed.get("usage"):
        changed["usage"] = {name: value for name, value in changed["usage"].items() if name not in COST}
    if changed.get("object") == "":
        changed["object"] = "chat.completion.chunk"
    for choice in changed["choices"]:
        for place, call in enumerate((choice.get("delta") or {}).get("tool_calls") or []):
            call.setdefault("index", place)
            if call.get("id"):
                call.setdefault("type", "function")
    return changed


def cut(stream: bytes, seed: str) -> list[bytes]:
    """Pieces of 1 to 900 bytes, most of them small, the same for the same seed."""
    dice = random.Random(seed)
    pieces, start = [], 0
    while start < len(stream):
        size = dice.choice((1, 2, 3, dice.randint(1, 60), dice.randint(1, 900)))
        pieces.append(stream[start : start + size])
        start += size
    return pieces


def relayed(pieces: list[bytes], *, wanted: bool) -> tuple[bytes, bytes, StreamMeter]:
    """What passed, what was owed at the end, and the meter."""
    meter = StreamMeter(usage_wanted=wanted)
    passed = b"".join(meter.feed(piece) for piece in pieces)
    tail = meter.finish()
    assert tail.complete
    return passed, tail.data, meter


@pytest.mark.parametrize("wanted", [False, True])
def test_every_recorded_stream_comes_out_as_it_should(streams: list[dict[str, Any]], wanted: bool) -> None:
    """208 streams of 11 providers, cut at random places; bytes where nothing is rewritten, values where something is."""
    assert len(streams) == 208
    for case in streams:
        events = stream_of(case)
        passed, owed, _ = relayed(cut(b"".join(events), case["id"]), wanted=wanted)
        newline = case["sse_newline"].encode() * 2
        got = [event + newline for event in (passed + owed).split(newline)[:-1]]
        want = expected(events, wanted=wanted)
        assert len(got) == len(want), case["id"]
        for out, (original, document) in zip(got, want, strict=True):
            if document is None:
                assert out == original, case["id"]
            else:
                assert payload_of(out) == document, case["id"]
        assert owed.strip().endswith(b"data: [DONE]"), case["id"]
        assert b"[DONE]" not in passed, case["id"]


def test_taking_usage_out_leaves_every_other_byte(streams: list[dict[str, Any]]) -> None:
    """An event that only loses its usage is the original with one cut."""
    cuts = 0
    for case in streams:
        for event in stream_of(case):
            document = payload_of(event)
            if (
                document is None
                or "usage" not in document
                or rewritten(document, wanted=True) not in (document, None)
            ):
                continue
            if document["usage"] and not document["choices"]:
                continue
            passed = StreamMeter(usage_wanted=False).feed(event) or relayed([event, FINISH], wanted=False)[0]
            lost = len(event) - len(passed)
            at = next(i for i, (a, b) in enumerate(zip(event, passed, strict=False)) if a != b)
            assert event[:at] + event[at + lost :] == passed, case["id"]
            assert b'"usage":' in event[at - 1 : at + lost], case["id"]
            cuts += 1
    assert cuts > 2_000


def test_the_cuts_do_not_matter(streams: list[dict[str, Any]]) -> None:
    """One piece, an event a piece, and other random cuts give the same bytes, usage and text."""
    for case in streams:
        events = stream_of(case)
        stream = b"".join(events)
        whole_passed, whole_owed, whole = relayed([stream], wanted=False)
        for pieces in (events, cut(stream, "other" + case["id"])):
            passed, owed, meter = relayed(pieces, wanted=False)
            assert passed + owed == whole_passed + whole_owed, case["id"]
            assert meter.usage_raw == whole.usage_raw, case["id"]
            assert meter.spoken() == whole.spoken(), case["id"]


def test_usage_is_found_wherever_a_provider_puts_it(streams: list[dict[str, Any]]) -> None:
    """Own chunk, last content chunk, beside it (Groq): the last one reported is what is metered."""
    found = 0
    for case in streams:
        events = stream_of(case)
        _, _, meter = relayed(cut(b"".join(events), case["id"]), wanted=False)
        reported = case["usage"] or last_beside(events)
        if reported is None:
            assert meter.usage_raw is None, case["id"]
            continue
        found += 1
        assert meter.usage_raw is not None, case["id"]
        assert json.loads(meter.usage_raw) == reported, case["id"]
        usage = normalise(meter.usage_raw, dialect="xai" if case["provider"] == "xai" else "openai")
        assert usage is not None
        assert usage.input + usage.cached_input + usage.cache_write + usage.output == reported["total_tokens"]
    assert found > 100


def last_beside(events: list[bytes]) -> dict[str, Any] | None:
    documents = [payload_of(event) for event in events]
    beside = [
        document["x_groq"]["usage"]
        for document in documents
        if document and "usage" in document.get("x_groq", {})
    ]
    latest: dict[str, Any] | None = beside[-1] if beside else None
    return latest


def test_the_text_of_every_stream_is_gathered(streams: list[dict[str, Any]]) -> None:
    """For the case that usage is absent: what was said, thought and called, in order."""
    for case in streams:
        events = stream_of(case)
        _, _, meter = relayed(cut(b"".join(events), case["id"]), wanted=False)
        assert meter.spoken().chars_total == sum(said_chars(payload_of(event)) for event in events), case[
            "id"
        ]


def said_chars(document: dict[str, Any] | None) -> int:
    chars = 0
    for choice in (document or {}).get("choices", []):
        delta = choice.get("delta") or {}
        content = delta.get("content") or ""
        chars += len(content) if isinstance(content, str) else len(text_in(content))
        chars += len(delta.get("reasoning_content") or delta.get("reasoning") or "") + len(
            delta.get("refusal") or ""
        )
        calls = [call.get("function", {}) for call in delta.get("tool_calls") or []] + [
            delta.get("function_call") or {}
        ]
        chars += sum(len(call.get("name") or "") + len(call.get("arguments") or "") for call in calls)
    return chars


def text_in(parts: list[dict[str, Any]]) -> str:
    return "".join(text_in(part["thinking"]) if "thinking" in part else part["text"] for part in parts)
