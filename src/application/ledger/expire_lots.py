"""Ends lots of credit whose time is over, soon after. What may be spent does not depend on when this runs. Blocking."""

from typing import Protocol
from uuid import UUID

import structlog

from application.clock import Clock
from application.eventlog import EventLogError, EventStore
from application.ledger.change_wallet import change_wallet
from domain.ledger import credit

ACCOUNTS_AT_ONCE_MAX = 500

log = structlog.get_logger()


class LotsThatEnd(Protocol):
    """Where to look. It may lag behind the log: what is ended is decided by the wallet."""

    def accounts_due(self, *, now_us: int, limit: int) -> list[UUID]:
        """Accounts with a lot whose time is over and whose end is not known to be stored."""
        ...


def expire_due(lots: LotsThatEnd, *, store: EventStore, clock: Clock) -> int:
    """End what is due, an account at a time; how many accounts were looked at. What fails is for the next run."""
    due = lots.accounts_due(now_us=clock.now_us(), limit=ACCOUNTS_AT_ONCE_MAX)
    for account_id in due:
        try:
            expire_lots(account_id, store=store, clock=clock)
        except EventLogError as error:  # one contended wallet must not keep the others waiting
            log.warning("lots_not_expired", account_id=str(account_id), error=type(error).__name__)
    return len(due)


def expire_lots(account_id: UUID, *, store: EventStore, clock: Clock) -> None:
    """End the lots of one account whose time is over; does nothing the second time.

    Raises:
        LogUnavailable, VersionConflict: nothing was stored.
    """
    change_wallet(
        store,
        account_id,
        lambda wallet: credit.expire_lots(wallet, account_id=account_id, now_us=clock.now_us()),
    )
