"""Refusals as the log tells of them: summed up by account, key and rule, so that no flood of calls fills the log."""

from datetime import UTC, datetime
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from domain.event import Event
from domain.ids import stream_of
from domain.ledger.events import Owner

_SECOND_US: Final = 1_000_000


class RefusedCalls(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Calls with one key that one rule refused. The numbers are those of the last of them."""

    key_id: UUID
    code: str  #: as the client was told
    rule: str | None = None  #: which limit, where a code has several
    limit: int | None = None
    required_nano: int | None = None
    available_nano: int | None = None
    calls: int
    first_us: int
    last_us: int


class RefusalsSummarised(Event, frozen=True, kw_only=True):
    """What one gateway process refused to one account within a few seconds, before anything was held or sent."""

    TOPIC: ClassVar[str] = "refusals.summarised.v1"

    account_id: UUID
    by: Owner
    refused: tuple[RefusedCalls, ...]
    occurred_us: int


REFUSAL_EVENTS: tuple[type[Event], ...] = (RefusalsSummarised,)


def refusals_stream(account_id: UUID, at_us: int) -> UUID:
    """An account's refusals of one day, by UTC: so a question about a moment reads a day."""
    day = datetime.fromtimestamp(at_us // _SECOND_US, tz=UTC).date()
    return stream_of(account_id, f"refusals:{day.isoformat()}")
