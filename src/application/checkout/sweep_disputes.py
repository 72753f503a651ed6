"""Disputes that are open are asked for at their provider: how one ends must not depend on a message that may be lost.

Blocking; it may run again at any time.
"""

from collections.abc import Iterator
from typing import Final, Protocol
from uuid import UUID

import structlog

from application.checkout.observe import observe
from application.checkout.ports import CheckoutProvider, Checkouts, ProviderError, ProviderUnavailable
from application.clock import Clock
from application.eventlog import EventLogError, EventStore
from application.ledger.ports import CallBack, nobody_to_call
from application.recharge.change_order import load_order
from domain.refusal import Refusal

_PAGE: Final = 200

log = structlog.get_logger()


class DisputesOpen(Protocol):
    """Where to look. It may lag behind the log: what becomes of a dispute, its order decides."""

    def orders_disputed(self, provider: str, *, after: UUID | None, limit: int) -> list[UUID]:
        """Orders of this provider with a dispute that is open, by id, those after `after`."""
        ...


def sweep_disputes(
    orders: DisputesOpen,
    *,
    checkouts: Checkouts,
    store: EventStore,
    clock: Clock,
    call_back: CallBack = nobody_to_call,
) -> int:
    """Ask for all of them; how many orders were looked at. What fails is for the next run."""
    looked_at = 0
    for checkout in checkouts.all():
        for order_id in _all(orders, checkout.name):
            looked_at += 1
            try:
                _ask(order_id, checkout, store=store, clock=clock, call_back=call_back)
            except ProviderUnavailable as error:
                log.warning("provider_unavailable", provider=checkout.name, error=str(error))
                break  # nor will it be there for the others
            except (ProviderError, Refusal, EventLogError) as error:
                log.warning("dispute_not_asked_for", order_id=str(order_id), error=type(error).__name__)
    return looked_at


def _all(orders: DisputesOpen, provider: str) -> Iterator[UUID]:
    """A dispute takes months, so no page of them may stand before the others."""
    after: UUID | None = None
    while page := orders.orders_disputed(provider, after=after, limit=_PAGE):
        yield from page
        after = page[-1]


def _ask(
    order_id: UUID, checkout: CheckoutProvider, *, store: EventStore, clock: Clock, call_back: CallBack
) -> None:
    order = load_order(store, order_id)
    if order.placed.mode != checkout.mode:
        return
    for dispute_ref, dispute in order.disputes.items():
        if dispute.state != "open":
            continue
        for seen in checkout.fetch_dispute(dispute_ref):
            if seen.order_id == order_id:
                observe(seen, store=store, clock=clock, call_back=call_back)
