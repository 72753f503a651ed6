"""The cost in usage that goes to a client: never our provider's, and its own charge where it asks for that."""

from typing import Any, Final

import msgspec

from application.wire.chunk import raw_usage
from application.wire.splice import member_of, with_member, with_value
from application.wire.sse import end_of_event, put_together, take_apart
from domain.decimals import decimal_text

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


def with_charge(document: bytes, charge_nano: int) -> bytes:
    """`document` with the charge as `cost`, a number of credits, in its usage, or in that of the `response` it has.

    The same object if there is no usage. Never raises.
    """
    usage = raw_usage(document)
    if usage is not None:
        charge = decimal_text(charge_nano).encode()
        return with_value(document, "usage", with_member(usage, "cost", charge))
    response = member_of(document, "response")
    if response is None:
        return document
    charged = with_charge(response, charge_nano)
    return document if charged is response else with_value(document, "response", charged)


def events_with_charge(events: bytes, charge_nano: int) -> bytes:
    """`with_charge` in the last of whole events that has usage; the same object if none has."""
    for start, end in reversed(_spans(events)):
        event = take_apart(events[start:end])
        if event.data is not None:
            charged = with_charge(event.data, charge_nano)
            if charged is not event.data:
                return events[:start] + put_together(event, charged) + events[end:]
    return events


def _spans(events: bytes) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = 0
    while (end := end_of_event(events, start)) > 0:
        spans.append((start, end))
        start = end
    return spans
