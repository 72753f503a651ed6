"""Orders with their wallets for tests: what is decided about an order is stored with what it does to the credit."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from application.recharge.wallet_side import wallet_side
from domain.ledger.lending import grant_lease, settle_lease
from domain.ledger.wallet import Wallet
from domain.ledger.wallet import evolve as fold_wallet
from domain.recharge.events import OrderEvent
from domain.recharge.observing import (
    Observation,
    ObservedDispute,
    ObservedPayment,
    ObservedRefund,
    ObservedSession,
    observe_payment,
    observe_session,
)
from domain.recharge.observing_disputes import observe_dispute
from domain.recharge.observing_refunds import observe_refund
from domain.recharge.order import Order, evolve, lot_of
from tests.domain.ledger.facts import LEASE, OWNER
from tests.domain.recharge.orders import ACCOUNT, AT, NOW_US, ORDER, new_order, seen

PAID = seen()
REFUND = ObservedRefund(
    provider="stripe",
    mode="live",
    order_id=ORDER,
    payment_ref="pi_1",
    refund_ref="re_1",
    refund_id=None,
    status="succeeded",
    amount_minor=3_570,  # 30 % of 119.00
    currency="EUR",
    payment=PAID,
)
DISPUTE = ObservedDispute(
    provider="stripe",
    mode="live",
    order_id=ORDER,
    payment_ref="pi_1",
    dispute_ref="du_1",
    status="open",
    amount_minor=5_950,  # 50 %
    currency="EUR",
    reason="fraudulent",
    due_us=None,
    payment=PAID,
)


def refund(**changes: Any) -> ObservedRefund:
    return replace(REFUND, **changes)


def dispute(**changes: Any) -> ObservedDispute:
    return replace(DISPUTE, **changes)


class Till:
    """An order of 119.00 EUR for 105 credits, five of them a bonus, and its account's wallet."""

    def __init__(self, **placed: Any) -> None:
        self.order: Order = new_order(provider="stripe", **placed)
        self.wallet = Wallet()
        self.facts: list[OrderEvent] = []

    def store(self, decided: Sequence[OrderEvent]) -> Sequence[OrderEvent]:
        """As one append."""
        for fact in decided:
            self.order = evolve(self.order, fact)
        self.facts += decided
        wallet_side(self.wallet, self.order, decided)
        return decided

    def see(self, *seen_so: Observation) -> "Till":
        for one in seen_so:
            self.store(observed(self.order, one))
        return self

    def spend(self, amount_nano: int) -> "Till":
        """So much of the credit is charged."""
        about: dict[str, Any] = {"account_id": ACCOUNT, "lease_id": LEASE, "now_us": NOW_US}
        (granted,) = grant_lease(self.wallet, owner=OWNER, mode="micro", amount_nano=amount_nano, **about)
        fold_wallet(self.wallet, granted)
        settled = settle_lease(
            self.wallet, outcome="closed", charged_nano=amount_nano, charges=1, last_version=2, **about
        )
        for event in settled:
            fold_wallet(self.wallet, event)
        return self

    @property
    def left_nano(self) -> int:
        """What can be spent of the order's lot."""
        return self.wallet.lots[lot_of(ORDER)]


def observed(order: Order, one: Observation) -> list[OrderEvent]:
    match one:
        case ObservedPayment():
            return observe_payment(order, one, stamp=AT)
        case ObservedSession():
            return observe_session(order, one, stamp=AT)
        case ObservedRefund():
            return observe_refund(order, one, stamp=AT)
        case ObservedDispute():
            return observe_dispute(order, one, stamp=AT)
