"""Usage objects of the OpenAI dialect: the responses shape read, and both shapes written from the same figures.

The chat shape is read by `application.wire.usage.normalise`, which knows how providers differ in it.
"""

from typing import Any, Final

import msgspec

from application.wire.chunk import NOT_JSON
from application.wire.usage import Figures, Reading, Usage, normalise
from domain.catalogue.provider import UsageDialect

Json = dict[str, Any]
_decode: Final = msgspec.json.Decoder().decode


def figures(reading: Reading) -> Figures:
    """Tokens of `{input_tokens, output_tokens, ...}`, where `total = input + output` and details are parts of their side."""
    prompt = reading.needed("input_tokens", "input_missing")
    output = reading.needed("output_tokens", "output_missing")
    cached = reading.first(("input_tokens_details", "cached_tokens"))
    written = reading.first(("input_tokens_details", "cache_write_tokens"))
    long = reading.first(("input_tokens_details", "cache_write_tokens_details", "ttl_12h_tokens"))
    reasoning = reading.first(("output_tokens_details", "reasoning_tokens"))
    total = reading.figure("total_tokens")
    if not reading.incomplete and total is not None and total >= 0 and total != prompt + output:
        reading.flag("total_mismatch")
    if cached + written > prompt:
        reading.flag("cached_over_prompt")
        reading.flag("clamped")
        written = min(written, prompt)
        cached = max(min(cached, prompt) - written, 0)
    if reasoning > output:
        reading.flag("reasoning_over_output")
        reasoning = output
    return Figures(
        fresh=prompt - cached - written,
        cached=cached,
        written=written,
        output=output,
        reasoning=reasoning,
        written_long=min(long, written),
    )


def reading_of(raw: bytes | None) -> Reading | None:
    """The usage object in `raw`; `None` if there is none, or it is empty."""
    if not raw:
        return None
    try:
        members = _decode(raw)
    except NOT_JSON:
        return None
    return Reading(members) if type(members) is dict and members else None


def chat_figures(raw: bytes | None, *, dialect: UsageDialect) -> Figures | None:
    """The figures that a chat answer is charged by."""
    usage = normalise(raw, dialect=dialect)
    return None if usage is None else figures_of(usage)


def figures_of(usage: Usage) -> Figures:
    return Figures(
        fresh=usage.input,
        cached=usage.cached_input,
        written=usage.cache_write,
        output=usage.output,
        reasoning=usage.reasoning,
    )


def chat_usage(counted: Figures) -> Json:
    """The object of a `chat.completion`."""
    prompt = counted.fresh + counted.cached + counted.written
    return {
        "prompt_tokens": prompt,
        "completion_tokens": counted.output,
        "total_tokens": prompt + counted.output,
        "prompt_tokens_details": {
            "cached_tokens": counted.cached,
            "cache_write_tokens": counted.written,
        },
        "completion_tokens_details": {"reasoning_tokens": counted.reasoning},
    }


def responses_usage(chat: Json) -> Json:
    """The object of a `response`, from that of a `chat.completion`. Figures that are none count as zero."""
    reading = Reading(chat)
    prompt, output = reading.first(("prompt_tokens",)), reading.first(("completion_tokens",))
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": reading.first(("prompt_tokens_details", "cached_tokens")),
            "cache_write_tokens": reading.first(("prompt_tokens_details", "cache_write_tokens")),
        },
        "output_tokens": output,
        "output_tokens_details": {
            "reasoning_tokens": reading.first(("completion_tokens_details", "reasoning_tokens"))
        },
        "total_tokens": prompt + output,
    }


def complete_responses_usage(usage: Json) -> Json:
    """What a client gets of a provider's own: without its cost, with the details that SDKs require."""
    shown = {
        name: value for name, value in usage.items() if not (name.startswith("cost") or name == "is_byok")
    }
    for name, required in (
        ("input_tokens_details", ("cached_tokens", "cache_write_tokens")),
        ("output_tokens_details", ("reasoning_tokens",)),
    ):
        details = shown.get(name)
        whole = dict(details) if isinstance(details, dict) else {}
        for member in required:
            if whole.get(member) is None:
                whole[member] = 0
        shown[name] = whole
    return shown
