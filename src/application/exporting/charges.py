"""Charges as rows: what each request cost and of what, for spreadsheets. One row for each charge, in the order of the log."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from application.eventlog import RecordedEvent
from domain.event import TopicRegistry
from domain.ledger.events import UsageCharged

Cell = str | int
Row = tuple[Cell, ...]

_UNITS: Final = (
    "input",
    "cached_input",
    "cache_write",
    "cache_write_long",
    "output",
    "reasoning",
    "images",
    "audio_ms",
    "characters",
    "searches",
)
COLUMNS: Final = (
    "position",
    "recorded_at",
    "account_id",
    "key_id",
    "request_id",
    "model",
    "operation",
    "result",
    "usage_source",
    "price_version",
    *_UNITS,
    "charge_nano",
    "shortfall_nano",
)

TEXTS: Final = frozenset(COLUMNS[1:9])
"""Columns of texts; all others are integers."""


class ChargeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Whose charges, and from when to before when they were recorded; Unix microseconds."""

    account_id: UUID | None = None
    from_us: int = 0
    until_us: int = 2**63 - 1


def charge_rows(
    events: Iterator[RecordedEvent], registry: TopicRegistry, wanted: ChargeFilter
) -> Iterator[Row]:
    """The rows under `COLUMNS`."""
    for recorded in events:
        if (
            recorded.topic != UsageCharged.TOPIC
            or not wanted.from_us <= recorded.recorded_at_us < wanted.until_us
        ):
            continue
        event = registry.decode(recorded.topic, recorded.state)
        assert isinstance(event, UsageCharged)
        if wanted.account_id in {None, event.account_id}:
            yield _row(recorded, event)


def _row(recorded: RecordedEvent, event: UsageCharged) -> Row:
    return (
        recorded.position,
        _time(recorded.recorded_at_us),
        str(event.account_id),
        str(event.key_id),
        str(event.request_id),
        event.alias,
        event.operation or "chat",
        event.result,
        event.usage_source,
        event.price_version,
        *(getattr(event.units, name) for name in _UNITS),
        event.charge_nano,
        event.shortfall_nano,
    )


def _time(unix_us: int) -> str:
    """ISO 8601 in UTC, always with six digits of a second."""
    seconds, microseconds = divmod(unix_us, 1_000_000)
    time = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
