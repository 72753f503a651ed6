"""What pages of things need to have one: an installation in which something of every kind has happened."""

from typing import Any, Final
from uuid import UUID

from application.clock import SystemClock
from application.recharge.change_order import change_order
from bootstrap import open_store
from domain.fact import SYSTEM, Stamp
from domain.recharge.observing import ObservedDispute
from domain.recharge.observing_disputes import observe_dispute
from domain.recharge.order import MANUAL, existing
from settings import Settings
from tests.browser.installation import Operator
from tests.waiting import until
from tools.console_fill import fill

DUE_US: Final = 1_900_000_000_000_000


def furnish(ready: dict[str, Any]) -> None:
    """What programs can make, and what they cannot: a dispute, which only a payment provider tells of."""
    fill(ready)
    with Operator(ready) as operator:
        _dispute(ready, until(lambda: _paid(operator)))


def _paid(operator: Operator) -> dict[str, Any] | None:
    """An order of which nothing goes back yet."""
    listed: list[dict[str, Any]] = operator.ask("/orders?status=credited")["items"]
    return next((one for one in listed if not (one["refunded_minor"] or one["refunds_under_way"])), None)


def _dispute(ready: dict[str, Any], order: dict[str, Any]) -> None:
    """Recorded as a provider's message is."""
    seen = ObservedDispute(
        provider=MANUAL,
        mode=order["mode"],
        order_id=UUID(order["order_id"]),
        payment_ref=order["reference"],
        dispute_ref="du_1",
        status="open",
        amount_minor=order["amount_minor"],
        currency=order["currency"],
        reason="fraudulent",
        due_us=DUE_US,
    )
    stamp = Stamp(now_us=SystemClock().now_us(), actor=SYSTEM.label)
    with open_store(Settings(database_url=ready["database_url"])) as store:
        change_order(
            store,
            seen.order_id,
            lambda order: observe_dispute(existing(order, seen.order_id), seen, stamp=stamp),
        )
