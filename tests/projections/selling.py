"""A month of selling, drawn at random: orders in three currencies, refunds, disputes, fees and payouts, through a real adapter.

Documents are issued by the real clerk, lines recorded by the real reconciliation, day after day. What the counterpart has is in
`account`; what we made of it in the lab's log.
"""

from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from adapters.checkout.stripe import StripeCheckout
from application.accounts.open_account import OpenAccount
from application.accounts.open_account import handle as open_account
from application.checkout.observe import observe
from application.checkout.open_checkout import OpenCheckout
from application.checkout.open_checkout import handle as open_checkout
from application.checkout.ports import Checkouts
from application.checkout.sweep import ask_for
from application.checkout.sweep_disputes import sweep_disputes
from application.command import Ports
from application.eventlog import NewEvent
from application.invoicing import set_billing, set_invoicing
from application.invoicing.clerk import Clerk
from application.invoicing.set_exchange_rate import SetExchangeRate
from application.invoicing.set_exchange_rate import handle as set_rate
from application.ledger.change_wallet import change_wallet
from application.ledger.wallet_reader import load_wallet
from application.money.book_cost import BookProviderCost
from application.money.book_cost import handle as book_cost
from application.money.match_payouts import match_payouts
from application.money.reconcile import reconcile
from application.recharge.change_order import load_order
from application.recharge.place_order import PlaceOrder
from application.recharge.place_order import handle as place
from application.recharge.set_offer import SetRechargeOffer
from application.recharge.set_offer import handle as set_offer
from application.recharge.settle_order import SettleOrder
from application.recharge.settle_order import handle as settle
from application.refunds import confirm_refund, fail_refund, request_refund
from application.refunds.request_refund import RequestRefund
from domain.auto_recharge.ruling import ObservedMethod
from domain.fact import SYSTEM
from domain.ledger.events import Owner
from domain.ledger.lending import grant_lease, settle_lease
from domain.recharge.offers import TaxRate
from domain.recharge.order import Order
from domain.refusal import Refusal
from projections.document_reader import DocumentReader
from projections.money import MoneyReader
from tests.adapters.checkout.stripe_account import StripeAccount
from tests.application.invoicing.world import SELLER, furnish
from tests.fakes import ManualClock, memory_ports
from tests.projections.lab import Lab

MONTH: Final = "2025-11"
BUYERS: Final = tuple(UUID(int=number) for number in (0xB1, 0xB2, 0xB3))
_BEGIN_US: Final = int(datetime(2025, 11, 2, tzinfo=UTC).timestamp()) * 1_000_000
_HOUR_S: Final = 3600
_STEPS_A_DAY: Final = 10
_OWNER: Final = Owner(UUID(int=0x0E), 1)
#: By currency: nano-credits for a minor unit, and the tax of the buyers' country.
_OFFERS: Final = {"EUR": (10_000_000, 190_000), "JPY": (6_000_000, 100_000), "USD": (9_000_000, 0)}


class Nobody:
    def locale_of(self, person_id: UUID) -> str | None:
        return None


class Selling:
    """A shop at work; `day` is one day of it."""

    def __init__(self, lab: Lab, account: StripeAccount, *, seed: int) -> None:
        self.lab, self.account, self._random = lab, account, Random(seed)
        checkout = StripeCheckout(secret_key="sk_live_x", webhook_secrets=["whsec_x"], api_base=account.url)
        self.ports: Ports = replace(
            furnish(memory_ports()),
            checkouts=Checkouts([checkout]),
            approval_nano=10**18,
            pages_url="https://shop.example",
        )
        self._clock = self.ports.clock
        assert isinstance(self._clock, ManualClock)
        self._clock.us = _BEGIN_US
        self._clerk = Clerk(documents=DocumentReader(lab.pool), languages=Nobody(), ports=self.ports)
        self._orders: list[UUID] = []
        self._disputes: list[dict[str, Any]] = []
        self._late: list[dict[str, Any]] = []  #: refunds that the customer's bank sends back the next day
        self._by_hand: list[tuple[UUID, dict[str, Any]]] = []
        self._furnish()

    def _furnish(self) -> None:
        for buyer in BUYERS:
            open_account(OpenAccount(name="Buyer", account_id=buyer), actor=SYSTEM, ports=self.ports)
            command = set_billing.SetBilling(
                account_id=buyer, buyer_name="Buyer", address=("x",), country="DE"
            )
            set_billing.handle(command, actor=SYSTEM, ports=self.ports)
        for currency, (rate_num, rate_ppm) in _OFFERS.items():
            offer = SetRechargeOffer(
                currency=currency,
                rate_num=rate_num,
                min_minor=500,
                max_minor=1_000_000,
                taxes=(TaxRate(country="DE", rate_ppm=rate_ppm),),
            )
            set_offer(offer, actor=SYSTEM, ports=self.ports)
        set_rate(
            SetExchangeRate(
                seller_id=SELLER,
                currency="JPY",
                rate="0.0056",
                published_on="2025-11-01",
                published_by="ECB",
                days=45,
            ),
            actor=SYSTEM,
            ports=self.ports,
        )
        set_invoicing.handle(set_invoicing.SetInvoicing(seller_id=SELLER), actor=SYSTEM, ports=self.ports)

    def day(self) -> None:
        """Customers and banks do what they do; in the evening the books are kept."""
        self._send_back()
        steps = (
            self._buy,
            self._buy,
            self._spend,
            self._refund,
            self._refund,
            self._dispute,
            self._by_itself,
        )
        for step in self._random.choices(steps, k=_STEPS_A_DAY):
            self._move(_HOUR_S // 2)
            try:
                step()
            except Refusal:
                continue  # such as a refund of what is spent
        self._move(6 * _HOUR_S)
        self.evening()

    def evening(self) -> None:
        """Lines are recorded once they are old enough, documents issued once the read models know of them."""
        self._move(7 * _HOUR_S)
        reconcile(self.ports.checkouts, store=self.ports.store, clock=self.ports.clock)
        self.follow()
        match_payouts(
            MoneyReader(self.lab.pool),
            checkouts=self.ports.checkouts,
            store=self.ports.store,
            clock=self.ports.clock,
        )
        self.follow()
        while self._clerk.issue_due():
            self.follow()

    def close(self) -> None:
        """The last days: every dispute ends, every balance is paid out, a bill comes."""
        self._send_back()
        for dispute in self._disputes:
            self._end(dispute)
        for currency in _OFFERS:
            self.account.payout(currency.lower())
        bill = BookProviderCost(
            provider="acme", period=MONTH, invoice_ref="A-1", amount_minor=12_345, currency="USD"
        )
        book_cost(bill, actor=SYSTEM, ports=self.ports)
        self.evening()

    def follow(self) -> None:
        """The lab's log goes on with what is new."""
        stored = self.ports.store.read_log(after_position=len(self.lab.log.events), limit=100_000)
        self.lab.log.extend([NewEvent(one.stream_id, one.version, one.topic, one.state) for one in stored])
        self.lab.catch_up()

    def _move(self, seconds: int) -> None:
        assert isinstance(self._clock, ManualClock)
        self._clock.move(seconds)
        self.account.now_s = self._clock.us // 1_000_000

    def _buy(self) -> None:
        currency = self._random.choice(list(_OFFERS))
        provider = self._random.choice(("stripe", "stripe", "stripe", "manual"))
        command = PlaceOrder(
            account_id=self._random.choice(BUYERS),
            currency=currency,
            amount_minor=self._random.randrange(500, 50_000),
            provider=provider,
            country="DE",
        )
        placed = place(command, actor=SYSTEM, ports=self.ports)
        if provider == "manual":
            paid = SettleOrder(
                order_id=placed.order_id,
                payment_ref=f"B-{placed.order_id}",
                amount_minor=placed.amount_minor,
                currency=currency,
                evidence="s",
            )
            settle(paid, actor=SYSTEM, ports=self.ports)
        else:
            self._at_stripe(placed.order_id)
        self._orders.append(placed.order_id)

    def _at_stripe(self, order_id: UUID) -> None:
        page = open_checkout(OpenCheckout(order_id=order_id), actor=SYSTEM, ports=self.ports)
        self.account.capture(page.session_ref)
        ask_for(order_id, checkouts=self.ports.checkouts, store=self.ports.store, clock=self.ports.clock)

    def _spend(self) -> None:
        """A gateway borrows, and charges a part of it."""
        buyer = self._random.choice(BUYERS)
        available_nano = load_wallet(self.ports.store, buyer).wallet.available_nano
        if not available_nano:
            return
        lent_nano = self._random.randrange(1, available_nano + 1)
        about: dict[str, Any] = {
            "account_id": buyer,
            "lease_id": self.ports.ids.new(),
            "now_us": self.ports.clock.now_us(),
        }
        change_wallet(
            self.ports.store,
            buyer,
            lambda wallet: grant_lease(wallet, owner=_OWNER, mode="micro", amount_nano=lent_nano, **about),
        )
        change_wallet(
            self.ports.store,
            buyer,
            lambda wallet: settle_lease(
                wallet, outcome="closed", charged_nano=lent_nano // 2, charges=1, last_version=2, **about
            ),
        )

    def _refund(self) -> None:
        """By an operator, or in Stripe's own pages; some of those fail the same day, some after their credit note."""
        order = self._paid()
        if order is None:
            return
        left_minor = order.placed.amount_minor - order.taken_minor
        amount_minor = self._random.choice(
            (None, self._random.randrange(1, left_minor + 1) if left_minor else 1)
        )
        if order.placed.provider == "manual":
            self._back_by_transfer(order, amount_minor)
        elif amount_minor is not None and left_minor and self._random.random() < 0.4:  # so often
            self._back_by_hand(order, min(amount_minor, left_minor))
        else:
            command = RequestRefund(order_id=order.order_id, amount_minor=amount_minor, reason="asked for")
            request_refund.handle(command, actor=SYSTEM, ports=self.ports)

    def _back_by_transfer(self, order: Order, amount_minor: int | None) -> None:
        command = RequestRefund(order_id=order.order_id, amount_minor=amount_minor, reason="asked for")
        refund_id = request_refund.handle(command, actor=SYSTEM, ports=self.ports).refund_id
        named = {"order_id": order.order_id, "refund_id": refund_id}
        draw = self._random.random()
        if draw < 0.3:  # so often
            fail_refund.handle(
                fail_refund.FailRefund(reason="no account", **named), actor=SYSTEM, ports=self.ports
            )
        elif draw < 0.8:  # so often; the others wait for the bank at the month's end
            said = confirm_refund.ConfirmRefund(refund_ref=f"BACK-{refund_id}", evidence="s", **named)
            confirm_refund.handle(said, actor=SYSTEM, ports=self.ports)

    def _back_by_hand(self, order: Order, amount_minor: int) -> None:
        assert order.credited is not None, "it is paid"
        made = self.account.refund_by_hand(order.credited.payment_ref, amount_minor)
        self._hear("refund.created", made)
        draw = self._random.random()
        if draw < 0.2:  # so often
            self._late.append(made)
            self._send_back()
        elif draw < 0.5:  # so often
            self._late.append(made)

    def _send_back(self) -> None:
        for made in self._late:
            self.account.fail(made)
            self._hear("refund.failed", made)
        self._late.clear()

    def _dispute(self) -> None:
        """A bank wants an order's money; or an older dispute ends, which nobody tells us."""
        if self._disputes and self._random.random() < 0.5:  # so often
            self._end(self._disputes.pop(0))
            return
        order = self._paid(provider="stripe")
        if order is None or order.disputes or order.taken_minor >= order.placed.amount_minor:
            return
        assert order.credited is not None, "it is paid"
        wanted_minor = order.placed.amount_minor - order.taken_minor
        made = self.account.dispute(order.credited.payment_ref, wanted_minor)
        self._hear("charge.dispute.created", made)
        self._disputes.append(made)

    def _end(self, dispute: dict[str, Any]) -> None:
        if dispute["status"] in {"won", "lost"}:
            return
        self.account.end(dispute, self._random.choice(("won", "lost")))
        sweep_disputes(self, checkouts=self.ports.checkouts, store=self.ports.store, clock=self.ports.clock)

    def orders_disputed(self, provider: str, *, after: UUID | None, limit: int) -> list[UUID]:
        """All of ours, for the sweep."""
        assert provider == "stripe"
        return sorted(one for one in self._orders if after is None or one > after)[:limit]

    def _by_itself(self) -> None:
        """A payment of somebody else's on our account, or a payout."""
        currency = self._random.choice(list(_OFFERS)).lower()
        if self._random.random() < 0.5:  # so often
            self.account.foreign(self._random.randrange(500, 9_000), currency)
        else:
            self.account.payout(currency)

    def _hear(self, kind: str, made: dict[str, Any]) -> None:
        """A message has come, and its object is asked for."""
        (checkout,) = self.ports.checkouts.all()
        if "dispute" not in kind:
            intent = self.account.objects[f"/v1/payment_intents/{made['payment_intent']}"]
            self.account.objects[f"/v1/refunds/{made['id']}"] = made | {"payment_intent": intent}
        for seen in checkout.fetch(kind, made["id"]):
            assert not isinstance(seen, ObservedMethod), "it is about money that moved"
            observe(seen, store=self.ports.store, clock=self.ports.clock)

    def _paid(self, provider: str | None = None) -> Order | None:
        """One of the orders that may still be refunded."""
        found = [load_order(self.ports.store, one) for one in self._orders]
        left = [
            one
            for one in found
            if one.credited is not None
            and one.taken_minor < one.placed.amount_minor
            and provider in {None, one.placed.provider}
        ]
        return self._random.choice(left) if left else None


def month(lab: Lab, account: StripeAccount, *, seed: int, days: int = 24) -> Selling:
    """All of it, and nothing under way at its end but refunds that a bank has not made."""
    selling = Selling(lab, account, seed=seed)
    for _ in range(days):
        selling.day()
    selling.close()
    return selling
