"""The canonical form of a stored event: one line of JSON. Exports are made of these lines, and so are the tree's leaves.

The form is frozen. Members stand in the order below with no blanks between them; `state` is the stored bytes as they
are, which are compact JSON already. The line's end is not a part of it.
"""

from typing import Protocol
from uuid import UUID

import msgspec

_string = msgspec.json.Encoder().encode


class Stored(Protocol):
    """What of a stored event is sealed; `application.eventlog.RecordedEvent` has it all."""

    @property
    def position(self) -> int: ...
    @property
    def stream_id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def recorded_at_us(self) -> int: ...
    @property
    def state(self) -> bytes: ...


def leaf(event: Stored) -> bytes:
    """The bytes that stand for `event` in the tree and in exports."""
    return b'{"position":%d,"stream_id":"%b","version":%d,"topic":%b,"recorded_at_us":%d,"state":%b}' % (
        event.position,
        str(event.stream_id).encode(),
        event.version,
        _string(event.topic),
        event.recorded_at_us,
        event.state,
    )
