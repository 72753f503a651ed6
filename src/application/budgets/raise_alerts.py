"""Puts alerts into the log: of each crossing one, whoever runs this however often. Blocking."""

from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog

from application.command import new_event
from application.eventlog import EventLogError, EventStore, VersionConflict
from domain.budgets.events import BudgetAlertRaised
from domain.ids import stream_of

AT_ONCE_MAX: Final = 500

log = structlog.get_logger()


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent in a window has come to a share of the budget; fields as in `BudgetAlertRaised`."""

    budget_id: UUID
    account_id: UUID
    key_id: UUID | None
    bucket_us: int
    percent: int
    amount_nano: int
    spent_nano: int
    crossed_position: int
    occurred_us: int


class Crossings(Protocol):
    """Where to look. It may lag behind the log."""

    def not_told(self, *, limit: int) -> list[Crossing]:
        """Crossings whose alert is not known to be stored."""
        ...


def raise_alerts(crossings: Crossings, *, store: EventStore) -> int:
    """Raise what is due; how many were looked at. What fails is for the next run."""
    due = crossings.not_told(limit=AT_ONCE_MAX)
    for one in due:
        try:
            _raise(one, store)
        except EventLogError as error:
            log.warning("budget_alert_not_raised", budget_id=str(one.budget_id), error=type(error).__name__)
    return len(due)


def _raise(one: Crossing, store: EventStore) -> None:
    """The alert is the first event of a stream of the crossing's own: there is no second one."""
    stream_id = stream_of(one.budget_id, f"alert:{one.bucket_us}:{one.percent}:{one.amount_nano}")
    event = BudgetAlertRaised(**msgspec.structs.asdict(one))
    try:
        store.append([new_event(stream_id, 1, event)])
    except VersionConflict:
        return
    log.info("budget_alert_raised", budget_id=str(one.budget_id), percent=one.percent)
