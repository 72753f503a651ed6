"""A point in the log: a position, or an instant by the database's clock, by which every event was recorded."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from application.eventlog import RecordedEvent
from domain.refusal import BadField

_SECOND_US: Final = 1_000_000


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """Up to and including; with neither, all there is."""

    position: int | None = None
    recorded_us: int | None = None

    def covers(self, event: RecordedEvent) -> bool:
        return (self.position is None or event.position <= self.position) and (
            self.recorded_us is None or event.recorded_at_us <= self.recorded_us
        )


def read_as_of(text: str | None) -> AsOf:
    """Read digits as a position and anything else as an instant such as `2026-11-29T14:03:00Z`; none is now.

    Raises:
        BadField: it is neither, or an instant without a time zone.
    """
    if not text:
        return AsOf()
    if text.isascii() and text.isdecimal():
        return AsOf(position=int(text))
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadField(
            "as_of", "must be a position, or an instant with its time zone, such as 2026-11-29T14:03:00Z"
        )
    since = instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return AsOf(
        recorded_us=since.days * 86_400 * _SECOND_US + since.seconds * _SECOND_US + since.microseconds
    )
