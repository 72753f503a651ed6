"""Every recorded responses exchange through the native path: unchanged but for the allowed rewrites."""

import json
from typing import Any

from openai.types.responses import Response
from pydantic import ValidationError

from application.dialects.openai.responses.answer import read_response, response_text
from application.dialects.openai.responses.head import parse_responses
from application.dialects.openai.responses.relay import ResponsesRelay
from application.dialects.openai.usage import figures, reading_of
from application.wire.errors import InvalidRequest
from application.wire.head import ChatHead

Case = dict[str, Any]
ENDS = ("response.completed", "response.incomplete", "response.failed")
UNLIKE = ("2d56248cd2bf93", "4cbc192f480724", "7c6950e1c3799b")
"""Streams whose finished response has other members for what its deltas spelled (a shell's command, a diff), or no output."""
COST = ("cost", "cost_details", "cost_in_usd_ticks", "is_byok")


def rewritten(document: Case) -> Case:
    """What a client should get of an event or an answer, written down from the rules."""
    changed: Case = json.loads(json.dumps(document))
    response = changed.get("response", changed)
    usage = response.get("usage")
    if usage:
        for name in COST:
            usage.pop(name, None)
        usage.setdefault("input_tokens_details", {}).setdefault("cached_tokens", 0)
        usage["input_tokens_details"].setdefault("cache_write_tokens", 0)
        usage.setdefault("output_tokens_details", {}).setdefault("reasoning_tokens", 0)
    return changed


def documents(data: bytes) -> list[Case | bytes]:
    found: list[Case | bytes] = []
    for event in data.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line for line in event.split(b"\n") if line.startswith(b"data: ")]
        if lines:
            found.append(json.loads(lines[0][6:]))
        elif event:
            found.append(event)
    return found


def single_streams(events: list[bytes]) -> list[list[bytes]]:
    """Some fixtures are several streams in a row."""
    streams: list[list[bytes]] = [[]]
    for event in events:
        streams[-1].append(event)
        if any(f'"type":"{end}"'.encode() in event.replace(b" ", b"")[:400] for end in ENDS):
            streams.append([])
    return [stream for stream in streams if any(b"{" in event for event in stream)]


def test_streams_pass_unchanged_and_are_metered(
    corpus: list[Case], tally: Any, cut: Any, events_of: Any
) -> None:
    """In any cutting, each event goes on as it came but for usage; the last one is withheld until the end."""
    for case in corpus:
        if case["endpoint"] != "responses" or not case["stream"]:
            continue
        for number, events in enumerate(single_streams(events_of(case))):
            relay = ResponsesRelay()
            sent = b"".join(relay.feed(piece) for piece in cut(b"".join(events), f"{case['id']}-{number}"))
            tail = relay.finish()
            wanted = [
                rewritten(event) if isinstance(event, dict) else event
                for event in documents(b"".join(events))
            ]
            if "error_in_stream" in case["tags"]:
                assert relay.fault == "error_event"
                assert b"insufficient_quota" in relay.error_body
                assert not tail.complete
                assert sent == b""  # it failed before anything was generated
                continue
            assert tail.complete, case["id"]
            assert relay.done
            last = documents(tail.data)[-1]
            assert isinstance(last, dict)
            assert last["type"] in ENDS
            assert not any(end.encode() in sent for end in ENDS)
            assert documents(sent + tail.data) == wanted, case["id"]
            if not case["id"].endswith(UNLIKE):
                assert relay.spoken().chars_total == said_chars(last["response"]["output"]), case["id"]
            check_figures(relay.usage_raw, last["response"].get("usage"))
        tally.passes(case)
    assert tally.total() == 100


def said_chars(items: list[Case]) -> int:
    """What the finished response says was generated."""
    chars = 0
    for item in items:
        parts = (item.get("summary") or []) + (item.get("content") or [])
        texts = [part.get("text") or part.get("refusal") or "" for part in parts]
        texts += [item.get(name) or "" for name in ("name", "arguments", "input", "code")]
        chars += sum(len(text) for text in texts if isinstance(text, str))
    return chars


def check_figures(raw: bytes | None, usage: Case | None) -> None:
    reading = reading_of(raw)
    if usage is None:
        assert reading is None
        return
    assert reading is not None
    read = figures(reading)
    assert read.fresh + read.cached + read.written == usage["input_tokens"]
    assert read.output == usage["output_tokens"]
    # One recording has more reasoning than output.
    assert read.reasoning == min(usage["output_tokens_details"]["reasoning_tokens"], read.output)
    assert "total_mismatch" not in reading.flags


def test_whole_answers_pass_unchanged_and_are_metered(corpus: list[Case], tally: Any) -> None:
    """An answer goes on as it came but for usage, which is complete enough for strict types."""
    for case in corpus:
        if case["endpoint"] != "responses" or case["stream"]:
            continue
        body = case["response_body"]
        if not isinstance(body, dict):
            tally.excludes(case, "no answer recorded")
            continue
        read = read_response(json.dumps(body).encode())
        if body.get("error") or "output" not in body:
            assert read.fault is not None, case["id"]
            tally.excludes(case, "an error, or no response object")
            continue
        assert read.fault is None, case["id"]
        assert json.loads(read.body) == rewritten(body)
        check_figures(read.usage_raw, json.loads(read.body).get("usage"))
        assert response_text(read.body).chars_total >= 0
        if not case["usage"] or read.usage_raw is None:
            tally.excludes(case, "no usage recorded")
            continue
        try:
            Response.model_validate(json.loads(read.body))
        except ValidationError as error:
            places = {str(problem["loc"][0]) for problem in error.errors()}
            assert "usage" not in places
            tally.excludes(case, f"not valid as the provider wrote it: {', '.join(sorted(places))}")
            continue
        tally.passes(case)
    assert tally.total() > 300


def test_recorded_requests_are_read_or_refused_for_their_state(corpus: list[Case], tally: Any) -> None:
    """A request that a provider served is served, unless it is tied to an account."""
    stateful = 0
    for case in corpus:
        request = case["request_body"]
        if case["endpoint"] != "responses" or case["response_status"] != 200 or not isinstance(request, dict):
            continue
        if "model" not in request or "input" not in request:
            tally.excludes(case, "no model or input: Azure's, or a prompt template's")
            continue
        head = read_or_refused(json.dumps(request).encode())
        if isinstance(head, InvalidRequest):
            assert head.code == "stateful_not_supported", (case["id"], head.message)
            tally.excludes(case, "tied to one account")
            stateful += 1
            continue
        assert head.model == request["model"]
        assert head.stream == bool(request.get("stream"))
        tally.passes(case)
    assert stateful > 20
    assert tally.total() > 250


def read_or_refused(body: bytes) -> ChatHead | InvalidRequest:
    try:
        return parse_responses(body)
    except InvalidRequest as refusal:
        return refusal
