"""What must hold for one recorded answer at its client; each check says what is wrong, or nothing. Never with recorded text."""

import copy
import json
from typing import Any

from anthropic.types import Message, RawMessageStreamEvent
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter, ValidationError

from domain.ledger.events import UsageCharged
from tests.conformance.crossing import Crossed
from tests.conformance.recordings import Json, Kind
from tests.conformance.said import said

EXPLAINED = ("The provider blocked the prompt (", "This request triggered ")
"""A refusal without text says why in its place: in our words, or in the provider's explanation."""
COST = ("cost", "cost_details", "cost_in_usd_ticks", "is_byok")
WHOLE: dict[Kind, TypeAdapter[Any]] = {
    "chat": TypeAdapter(ChatCompletion),
    "messages": TypeAdapter(Message),
    "responses": TypeAdapter(Response),
    "completions": TypeAdapter(Completion),
}
EVENT: dict[Kind, TypeAdapter[Any]] = {
    "chat": TypeAdapter(ChatCompletionChunk),
    "messages": TypeAdapter(RawMessageStreamEvent),
    "responses": TypeAdapter(ResponseStreamEvent),
    "completions": TypeAdapter(Completion),
}
"""The official SDKs' types."""


def documents_of(outcome: Crossed) -> list[Json]:
    """What the client got: the answer, or the events of its stream."""
    if not outcome.recording.stream:
        return [json.loads(outcome.answer.content)]
    lines = outcome.answer.content.splitlines()
    return [json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: {")]


def fault_of_types(outcome: Crossed) -> str | None:
    """The official SDK takes every document, strictly, and every event stands under its own name."""
    stream, client = outcome.recording.stream, outcome.crossing.client
    adapter = (EVENT if stream else WHOLE)[client]
    try:
        for document in documents_of(outcome):
            adapter.validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        return f"{error.errors()[0]['type']} at {'.'.join(map(str, error.errors()[0]['loc']))}"
    return _fault_of_framing(outcome.answer.content, client) if stream else None


def _fault_of_framing(content: bytes, client: Kind) -> str | None:
    *events, rest = content.split(b"\n\n")
    if rest:
        return "no proper end"
    if client == "chat":
        return None if events[-1] == b"data: [DONE]" else "no [DONE]"
    for event in events:
        name, _, data = event.partition(b"\n")
        if name.removeprefix(b"event: ").decode() != json.loads(data.removeprefix(b"data: "))["type"]:
            return "an event under another name"
    return None


def fault_of_meaning(outcome: Crossed) -> str | None:
    """Text, thoughts, calls and the reason of the end are the recording's; usage is what was charged for."""
    recording, client = outcome.recording, outcome.crossing.client
    wanted = said(recording.kind, recording.documents, stream=recording.stream)
    documents = documents_of(outcome)
    found = said(client, documents, stream=recording.stream)
    if (
        wanted.refused and client == "messages"
    ):  # its dialect ends what the model refuses with a reason of its own
        wanted.finish = "content_filter"
    if wanted.finish == "content_filter" and not wanted.text and found.text.startswith(EXPLAINED):
        wanted.text = found.text
    for member in ("text", "thoughts", "calls", "finish"):
        if getattr(found, member) != getattr(wanted, member):
            return f"another {member}"
    return _fault_of_told(outcome, documents)


def _fault_of_told(outcome: Crossed, documents: list[Json]) -> str | None:
    charged = outcome.ended
    assert isinstance(charged, UsageCharged)
    told = told_usage(outcome.crossing.client, documents)
    if told is None:
        return None if charged.usage_source == "estimated" else "no usage was told"
    if charged.usage_source == "estimated":
        return None
    units = charged.units
    written = units.cache_write + units.cache_write_long
    if told != (units.input, units.cached_input, written, units.output):
        return f"told {told} for {units}"
    return None


def told_usage(client: Kind, documents: list[Json]) -> tuple[int, int, int, int] | None:
    """Fresh, cached and written tokens of the prompt, and those of the answer, as the client's dialect tells them."""
    holders = [one.get("response") or one for one in documents]
    usage = next((one["usage"] for one in reversed(holders) if one.get("usage")), None)
    if usage is None:
        return None
    if client == "messages":
        cached, written = usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]
        return usage["input_tokens"], cached, written, usage["output_tokens"]
    prompt, output = ("input", "output") if client == "responses" else ("prompt", "completion")
    details = usage[f"{prompt}_tokens_details"]
    cached, written = details["cached_tokens"], details["cache_write_tokens"]
    total = usage[f"{prompt}_tokens"]
    assert usage["total_tokens"] == total + usage[f"{output}_tokens"]
    return total - cached - written, cached, written, usage[f"{output}_tokens"]


def fault_of_bytes(outcome: Crossed) -> str | None:
    """A client of the same dialect got what the provider sent, but for what `rewritten` says of responses."""
    sent, got = outcome.crossing.body, outcome.answer.content
    recording = outcome.recording
    if recording.kind == "messages" and recording.stream:
        # Comments after the last word are left out.
        rest = sent.removeprefix(got)
        said_on = rest == sent or any(not line.startswith(b":") for line in rest.splitlines() if line)
        return "other bytes" if said_on else None
    if recording.kind == "completions" and not recording.stream:  # one spells its object otherwise
        wanted = json.loads(sent) | {"object": "text_completion"}
        return None if sent == got or (json.loads(sent) != wanted == json.loads(got)) else "other bytes"
    if recording.kind != "responses":
        return None if sent == got else "other bytes"
    return _fault_of_events(outcome) if recording.stream else _fault_of_document(sent, got)


def _fault_of_events(outcome: Crossed) -> str | None:
    """Each event as it came, or as `rewritten` says; nothing after the last."""
    end = outcome.recording.newline * 2
    *events, rest = outcome.answer.content.split(end)
    originals = [event for event in outcome.recording.events if event.strip() != b"data: [DONE]"]
    if rest or len(events) != len(originals):
        return f"{len(events)} events for {len(originals)}"
    for place, (event, original) in enumerate(zip(events, originals, strict=True)):
        name, _, before = original.removesuffix(end).partition(b"data: ")
        same_name, _, after = event.partition(b"data: ")
        fault = "another name" if name != same_name else _fault_of_document(before, after) if before else None
        if fault is not None:
            return f"event {place}: {fault}"
    return None


def _fault_of_document(sent: bytes, got: bytes) -> str | None:
    """The same bytes, unless something in them is rewritten; then the same values."""
    original = json.loads(sent)
    wanted = rewritten(original)
    if wanted == original:
        return None if sent == got else "other bytes"
    return None if wanted == json.loads(got) else "another document"


def rewritten(document: Json) -> Json:
    """A response's usage for its client: without the provider's cost, with the details that SDKs require."""
    changed = copy.deepcopy(document)
    usage = changed.get("response", changed).get("usage")
    if usage:
        for name in COST:
            usage.pop(name, None)
        into = usage["input_tokens_details"] = usage.get("input_tokens_details") or {}
        out = usage["output_tokens_details"] = usage.get("output_tokens_details") or {}
        for details, names in (
            (into, ("cached_tokens", "cache_write_tokens")),
            (out, ("reasoning_tokens",)),
        ):
            details |= {name: details.get(name) or 0 for name in names}
    return changed
