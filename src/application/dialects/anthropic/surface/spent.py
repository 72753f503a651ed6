"""The usage of a chat completion in this dialect's words, where cached and written tokens stand beside the input."""

from typing import Any

from application.dialects.anthropic.surface.encode import encoded
from application.dialects.port import Json
from application.wire.usage import normalise
from domain.catalogue.provider import UsageDialect


def messages_usage(usage: Any, *, dialect: UsageDialect) -> Json:
    """What a client is told; zeros where the provider told nothing. `dialect` is that of the provider's figures."""
    found = normalise(_raw(usage), dialect=dialect) if type(usage) is dict else None
    told: Json = {
        "input_tokens": found.input if found else 0,
        "cache_creation_input_tokens": found.cache_write if found else 0,
        "cache_read_input_tokens": found.cached_input if found else 0,
        "output_tokens": found.output if found else 0,
    }
    if found and found.reasoning:
        told["output_tokens_details"] = {"thinking_tokens": found.reasoning}
    return told


def _raw(usage: Json) -> bytes | None:
    try:
        return encoded(usage)
    except RecursionError:
        return None
