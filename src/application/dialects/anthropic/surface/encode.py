"""Writes JSON and events of ours that carry what providers said, however odd that is."""

import json
from typing import Any, Final

import msgspec

_encode: Final = msgspec.json.Encoder().encode


def encoded(value: Any) -> bytes:
    """`value` as JSON. A half of a character, which clients' parsers refuse, becomes a question mark."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_spelled)
        return text.encode(errors="replace")


def event(value: dict[str, Any]) -> bytes:
    """One event with its `event:` line, without which this dialect's SDKs skip it."""
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), encoded(value))


def _spelled(value: Any) -> Any:
    """What was spelled already, as a value."""
    return json.loads(bytes(value))
