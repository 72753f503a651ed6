"""Has customers told of what is to be paid soon, or should have been: each of them once for each order. Blocking."""

from typing import Final

import structlog

from application.clock import Clock
from application.eventlog import EventLogError, EventStore
from application.postpaid.queries import AccountsThatOwe
from application.postpaid.stream import change_postpaid
from domain.fact import SYSTEM, Stamp
from domain.postpaid.owing import remind

AT_ONCE_MAX: Final = 500

log = structlog.get_logger()


def remind_due(accounts: AccountsThatOwe, *, store: EventStore, clock: Clock) -> int:
    """Remind whom it concerns; how many orders were looked at. What fails is for the next run."""
    at = Stamp(now_us=clock.now_us(), actor=SYSTEM.label)
    due = accounts.to_remind(now_us=at.now_us, limit=AT_ONCE_MAX)
    for account_id, order_id in due:
        try:
            change_postpaid(
                store,
                account_id,
                lambda postpaid, account_id=account_id, order_id=order_id: remind(  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
                    postpaid, order_id, account_id=account_id, stamp=at
                ),
            )
        except EventLogError as error:
            log.warning("payment_not_reminded", order_id=str(order_id), error=type(error).__name__)
    return len(due)
