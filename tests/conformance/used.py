"""What an answer used by its provider's own words: the units that it must be charged as, in every dialect's arithmetic.

As `oracle`, which owns the chat completions and the price.
"""

from collections.abc import Sequence
from typing import Any

from domain.ledger.events import Units
from tests.conformance.oracle import expected_units
from tests.conformance.recordings import Json, Kind, Recording

APART = {"compaction", "advisor_message"}
"""Iterations whose tokens are in no figure at the top: then the sum of all is the bill."""


def usage_of(recording: Recording) -> Json | None:
    """The usage object, put together where it was streamed in parts."""
    match recording.kind:
        case "messages":
            return _merged(recording.documents) if recording.stream else recording.documents[0].get("usage")
        case "responses":
            last = recording.documents[-1]
            usage: Json | None = last["response"].get("usage") if recording.stream else last.get("usage")
            return usage
        case "gemini":
            told = [one["usageMetadata"] for one in recording.documents if "usageMetadata" in one]
            return told[-1] if told else None
        case "completions":
            return next((one["usage"] for one in reversed(recording.documents) if one.get("usage")), None)
        case "chat":
            return recording.usage


def _merged(events: Sequence[Json]) -> Json:
    """Figures are cumulative: a later one replaces an earlier one, and null says nothing."""
    usage: Json = {}
    for event in events:
        told = event.get("message", {}).get("usage") or event.get("usage") or {}
        usage |= {name: value for name, value in told.items() if value is not None}
    return usage


def units_of(kind: Kind, provider: str, usage: Json) -> Units:
    """Each token once; a cache write by how long it is kept."""
    match kind:
        case "messages":
            return _anthropic(usage)
        case "gemini":
            return _gemini(usage)
        case "responses":
            return _responses(usage)
        case "chat" | "completions":
            return expected_units(provider, {"completion_tokens": 0} | usage)


def _anthropic(usage: Json) -> Units:
    iterations = usage.get("iterations") or []
    apart = any(one["type"] in APART for one in iterations)
    parts = iterations if apart else [usage]
    written = _sum(parts, "cache_creation_input_tokens")
    long = sum((part.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0 for part in parts)
    details = usage.get("output_tokens_details") or {}
    return Units(
        input=_sum(parts, "input_tokens"),
        cached_input=_sum(parts, "cache_read_input_tokens"),
        cache_write=written - min(long, written),
        cache_write_long=min(long, written),
        output=_sum(parts, "output_tokens"),
        reasoning=details.get("thinking_tokens") or 0,
        requests=1,
    )


def _sum(parts: Sequence[dict[str, Any]], name: str) -> int:
    return sum(part.get(name) or 0 for part in parts)


def _gemini(usage: Json) -> Units:
    prompt, thoughts = usage.get("promptTokenCount", 0), usage.get("thoughtsTokenCount", 0)
    tools, cached = usage.get("toolUsePromptTokenCount", 0), usage.get("cachedContentTokenCount", 0)
    candidates = usage.get("candidatesTokenCount", 0)
    return Units(
        input=prompt + tools - cached,
        cached_input=cached,
        output=candidates + thoughts,
        reasoning=thoughts,
        requests=1,
    )


def _responses(usage: Json) -> Units:
    into, out = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    cached, written = into.get("cached_tokens") or 0, into.get("cache_write_tokens") or 0
    return Units(
        input=usage["input_tokens"] - cached - written,
        cached_input=cached,
        cache_write=written,
        output=usage["output_tokens"],
        reasoning=min(out.get("reasoning_tokens") or 0, usage["output_tokens"]),
        requests=1,
    )
