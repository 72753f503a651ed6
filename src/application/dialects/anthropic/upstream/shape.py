"""What an answer and a stream of Messages have in common: how they are parsed, and why they end."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from application.dialects.port import Json
from application.wire.chunk import NOT_JSON, loose_object

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode

_FINISH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "compaction": "length",
        "pause_turn": "length",
        "refusal": "content_filter",
    }
)


def parsed(document: bytes) -> Json | None:
    """The object that `document` is, as forgiving as JSON can be; what it says can be written again. `None` if none."""
    try:
        value = _decode(document)
    except NOT_JSON:
        value = _mended(document)
    return value if type(value) is dict else None


def _mended(document: bytes) -> Any:
    """With `?` for what is no character: halves of pairs that came alone, bytes that are no UTF-8."""
    members = loose_object(document.decode(errors="replace").encode())
    if members is None:
        return None
    try:
        return _decode(json.dumps(members, ensure_ascii=False).encode(errors="replace"))
    except NOT_JSON:
        return None


def text_of(members: Any, name: str) -> str:
    """The text called `name`; empty where there is none."""
    value = members.get(name) if type(members) is dict else None
    return value if type(value) is str else ""


def finish_reason(stop_reason: str | None, *, calls: bool) -> str:
    """Why the answer ended. A client that is told of calls finds some, and one that has some is told."""
    reason = _FINISH.get(stop_reason or "", "stop")
    if reason in ("stop", "tool_calls"):
        return "tool_calls" if calls else "stop"
    return reason


def refusal_text(stop_details: Any) -> str | None:
    """What the provider says about its refusal, if anything."""
    return text_of(stop_details, "explanation") or None


def as_json(value: Any) -> str:
    """The input of a tool as the text that chat completions have for it."""
    return _encode(value).decode() if type(value) is dict else "{}"
