"""Puts alerts of low balances into the log: of each crossing one, whoever runs this however often. Blocking."""

from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog

from application.command import new_event
from application.eventlog import EventLogError, EventStore, VersionConflict
from domain.balance_alerts import BalanceLowCrossed, crossing_stream

AT_ONCE_MAX: Final = 500

log = structlog.get_logger()


class LowCrossing(msgspec.Struct, frozen=True, kw_only=True):
    """An account fell below its threshold; fields as in `BalanceLowCrossed`."""

    account_id: UUID
    threshold_nano: int
    balance_nano: int
    crossed_position: int
    occurred_us: int


class LowCrossings(Protocol):
    """Where to look. It may lag behind the log."""

    def not_told(self, *, limit: int) -> list[LowCrossing]:
        """Crossings whose alert is not known to be stored."""
        ...


def raise_low_balances(crossings: LowCrossings, *, store: EventStore) -> int:
    """Raise what is due; how many were looked at. What fails is for the next run."""
    due = crossings.not_told(limit=AT_ONCE_MAX)
    for one in due:
        try:
            _raise(one, store)
        except EventLogError as error:
            log.warning("low_balance_not_raised", account_id=str(one.account_id), error=type(error).__name__)
    return len(due)


def _raise(one: LowCrossing, store: EventStore) -> None:
    event = BalanceLowCrossed(**msgspec.structs.asdict(one))
    try:
        store.append([new_event(crossing_stream(one.account_id, one.crossed_position), 1, event)])
    except VersionConflict:
        return
    log.info("low_balance_raised", account_id=str(one.account_id))
