"""Usage that an upstream did not send, for a client that asked for it: what was charged for.

On a stream it is a chunk at its end, with empty `choices`: SDKs wait for it.
"""

from typing import Any, Final

import msgspec

from application.wire.chunk import loose_object, raw_usage
from application.wire.splice import with_member
from application.wire.sse import end_of_event, take_apart
from application.wire.usage import Usage

_DATA_LINE: Final = b"\ndata:"
_encode: Final = msgspec.json.Encoder().encode


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """What every chunk of a stream says of it. `created_s` is a Unix time."""

    id: str
    created_s: int
    model: str


def usage_event(last_events: bytes, beginning: bytes, usage: Usage, *, otherwise: Stamp) -> bytes:
    """The event with `usage`, stamped as the last of `last_events` is, or else as the first event of the stream.

    `otherwise` stands in for what neither says.
    """
    chunk = _chunk_at(last_events, last_events.rfind(_DATA_LINE) + 1)
    if not chunk:
        start = 0 if beginning.startswith(_DATA_LINE[1:]) else beginning.find(_DATA_LINE) + 1
        chunk = _chunk_at(beginning, start)
    made, created, model = chunk.get("id"), chunk.get("created"), chunk.get("model")
    document = {
        "id": made if isinstance(made, str) and made else otherwise.id,
        "object": "chat.completion.chunk",
        "created": created if type(created) is int else otherwise.created_s,
        "model": model if isinstance(model, str) and model else otherwise.model,
        "choices": [],
        "usage": _figures(usage),
    }
    return b"data: " + _encode(document) + b"\n\n"


def with_usage(answer: bytes, usage: Usage) -> bytes:
    """A whole answer with `usage`, unless it has its own."""
    return answer if raw_usage(answer) else with_member(answer, "usage", _encode(_figures(usage)))


def _chunk_at(events: bytes, start: int) -> dict[str, Any]:
    """The chunk in the event whose data starts there; empty if that is none."""
    end = end_of_event(events, start)
    data = take_apart(events[start:] if end < 0 else events[start:end]).data
    return loose_object(data or b"") or {}


def _figures(usage: Usage) -> dict[str, Any]:
    prompt = usage.input + usage.cached_input + usage.cache_write
    figures: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
    }
    if usage.cached_input or usage.cache_write:
        figures["prompt_tokens_details"] = {"cached_tokens": usage.cached_input}
        if usage.cache_write:
            figures["prompt_tokens_details"]["cache_write_tokens"] = usage.cache_write
    if usage.reasoning:
        figures["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return figures
