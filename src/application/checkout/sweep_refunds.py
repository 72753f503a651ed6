"""Refunds that are under way are taken up again: those that were approved and perhaps never asked for, and those that the
provider has begun. Blocking; it may run again at any time.
"""

from typing import Final, Protocol
from uuid import UUID

import structlog

from application.checkout.ports import Checkouts, ProviderError
from application.checkout.submit_refund import submit_refund
from application.clock import Clock
from application.eventlog import EventLogError, EventStore
from application.recharge.change_order import load_order
from domain.refusal import Refusal

ORDERS_AT_ONCE_MAX: Final = 200

log = structlog.get_logger()


class RefundsUnderWay(Protocol):
    """Where to look. It may lag behind the log: what becomes of a refund, its order decides."""

    def orders_with_refunds(self, *, limit: int) -> list[UUID]:
        """Orders with a refund that a provider is to be asked about; oldest change first."""
        ...


def sweep_refunds(orders: RefundsUnderWay, *, checkouts: Checkouts, store: EventStore, clock: Clock) -> int:
    """Take up all of them; how many orders were looked at. What fails is for the next run."""
    found = orders.orders_with_refunds(limit=ORDERS_AT_ONCE_MAX)
    for order_id in found:
        try:
            for refund_id in load_order(store, order_id).refunds:
                submit_refund(order_id, refund_id, checkouts=checkouts, store=store, clock=clock)
        except (ProviderError, Refusal, EventLogError) as error:
            log.warning("refund_not_taken_up", order_id=str(order_id), error=type(error).__name__)
    return len(found)
