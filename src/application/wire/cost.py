"""Takes what our provider charged us out of usage that goes to a client: customers never see our cost."""

from typing import Any, Final

import msgspec

from application.wire.splice import with_value

_COST: Final = b'"cost'
_OWN_KEY: Final = b'"is_byok"'
_encode: Final = msgspec.json.Encoder().encode


def without_cost(document: bytes, usage: dict[str, Any]) -> bytes:
    """`document`, an object whose top-level `usage` is this one, without the cost in it; the same object if it has none."""
    if _COST not in document and _OWN_KEY not in document:
        return document
    shown = {
        name: value for name, value in usage.items() if not (name.startswith("cost") or name == "is_byok")
    }
    if len(shown) == len(usage):
        return document
    return with_value(document, "usage", _encode(shown))
