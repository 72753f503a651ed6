"""Ends orders whose time is over, soon after. Blocking. A payment that comes later is credited all the same."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import structlog

from application.clock import Clock
from application.eventlog import EventLogError, EventStore
from application.recharge.change_order import change_order
from domain.fact import SYSTEM, Stamp
from domain.recharge.order import existing
from domain.recharge.placing import expire

ORDERS_AT_ONCE_MAX = 500

log = structlog.get_logger()


class OrdersThatEnd(Protocol):
    """Where to look. It may lag behind the log: what is ended is decided by the order."""

    def orders_due(self, *, now_us: int, limit: int) -> list[UUID]:
        """Orders that wait for a payment and whose time is over."""
        ...


def expire_due(
    orders: OrdersThatEnd, *, store: EventStore, clock: Clock, ask: Callable[[UUID], bool] | None = None
) -> int:
    """End what is due; how many orders were looked at. What fails is for the next run.

    `ask` has the order's provider asked what became of it; false: it was not heard, so the order goes on waiting.
    """
    at = Stamp(now_us=clock.now_us(), actor=SYSTEM.label)
    due = orders.orders_due(now_us=at.now_us, limit=ORDERS_AT_ONCE_MAX)
    for order_id in due:
        try:
            if ask is not None and not ask(order_id):
                continue
            change_order(
                store,
                order_id,
                lambda order, order_id=order_id: expire(existing(order, order_id), stamp=at),  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            )
        except EventLogError as error:  # one contended order must not keep the others waiting
            log.warning("order_not_expired", order_id=str(order_id), error=type(error).__name__)
    return len(due)
