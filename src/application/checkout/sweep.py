"""The second way to the truth: orders that wait are asked for at their provider, and messages that did not reach us are fetched.

Blocking. Everything here may be done again.
"""

from typing import Final, Protocol
from uuid import UUID

import structlog

from application.checkout.inbox import WebhookInbox
from application.checkout.observe import observe
from application.checkout.ports import CheckoutProvider, Checkouts, ProviderError, ProviderUnavailable
from application.checkout.receive import keep
from application.clock import Clock
from application.eventlog import EventLogError, EventStore
from application.recharge.change_order import load_order
from domain.refusal import NotFound, Refusal

ORDERS_AT_ONCE_MAX: Final = 200
_REST_S: Final = 60.0
LOOK_BACK_US: Final = 3 * 24 * 3600 * 1_000_000
"""Longer than a provider goes on trying."""

log = structlog.get_logger()


class OrdersThatWait(Protocol):
    """Where to look. It may lag behind the log: what becomes of an order, the order decides."""

    def orders_waiting(self, provider: str, *, now_us: int, limit: int) -> list[UUID]:
        """Orders of this provider that may still be paid, and those that ended a short while ago; newest first."""
        ...


def ask_for(order_id: UUID, *, checkouts: Checkouts, store: EventStore, clock: Clock) -> None:
    """Ask the provider what became of an order's pages, and tell the order.

    Raises:
        NotFound: there is no such order, or its provider is not set up.
        ProviderUnavailable, ProviderRefused: nothing is known.
        Refusal, EventLogError: as `observe`.
    """
    order = load_order(store, order_id)
    checkout = checkouts.get(order.placed.provider)
    for session_ref in order.sessions:
        for seen in checkout.fetch_session(session_ref):
            if seen.order_id == order_id:
                observe(seen, store=store, clock=clock)


def sweep_orders(orders: OrdersThatWait, *, checkouts: Checkouts, store: EventStore, clock: Clock) -> int:
    """Ask for all orders that wait; how many were asked for. What fails is for the next run."""
    asked = 0
    for checkout in checkouts.all():
        for order_id in orders.orders_waiting(checkout.name, now_us=clock.now_us(), limit=ORDERS_AT_ONCE_MAX):
            asked += 1
            try:
                ask_for(order_id, checkouts=checkouts, store=store, clock=clock)
            except ProviderUnavailable as error:
                log.warning("provider_unavailable", provider=checkout.name, error=str(error))
                break  # nor will it be there for the others
            except (ProviderError, Refusal, EventLogError) as error:
                log.warning("order_not_asked_for", order_id=str(order_id), error=type(error).__name__)
    return asked


def sweep_notices(*, checkouts: Checkouts, inbox: WebhookInbox, store: EventStore, clock: Clock) -> int:
    """Keep messages that did not reach us; how many were new."""
    return sum(_sweep_notices(one, inbox, store, clock) for one in checkouts.all())


def _sweep_notices(checkout: CheckoutProvider, inbox: WebhookInbox, store: EventStore, clock: Clock) -> int:
    new = 0
    try:
        for one in checkout.undelivered(since_us=clock.now_us() - LOOK_BACK_US):
            kept = keep(checkout.name, one.notice, one.raw, inbox=inbox, store=store, clock=clock)
            new += kept == "kept"
    except (ProviderError, EventLogError) as error:
        log.warning("notices_not_swept", provider=checkout.name, error=type(error).__name__)
    return new


class AskFirst:
    """For `expire_orders`: an order that is paid through a provider is asked for before it is given up.

    A provider that does not answer is left alone for a minute: others wait for the scheduler too.
    """

    def __init__(self, *, checkouts: Checkouts, store: EventStore, clock: Clock) -> None:
        self._checkouts = checkouts
        self._store = store
        self._clock = clock
        self._rests_until_s = 0.0

    def __call__(self, order_id: UUID) -> bool:
        """Whether the provider has been heard; one that is not set up any more will never be."""
        if self._clock.monotonic_s() < self._rests_until_s:
            return False
        try:
            ask_for(order_id, checkouts=self._checkouts, store=self._store, clock=self._clock)
        except NotFound:
            return True
        except ProviderUnavailable as error:
            self._rests_until_s = self._clock.monotonic_s() + _REST_S
            log.warning("provider_unavailable", error=str(error))
            return False
        except (ProviderError, Refusal) as error:
            log.warning("order_not_asked_for", order_id=str(order_id), error=type(error).__name__)
            return False
        return True
