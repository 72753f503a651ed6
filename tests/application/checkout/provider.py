"""A payment provider in memory: objects that a test sets, and messages that name them."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import msgspec
from msgspec.structs import replace

from application.checkout.handle import WebhookTools, handle_due
from application.checkout.methods import SavedMethods
from application.checkout.ports import (
    Acknowledgement,
    BadNotice,
    BalanceTransaction,
    Checkouts,
    Delivered,
    Headers,
    Notice,
    ProviderRefused,
    ProviderUnavailable,
    RefundOrder,
    Session,
    SessionRequest,
)
from application.checkout.receive import receive
from application.command import Ports
from domain.auto_recharge.ruling import ObservedMethod
from domain.recharge.events import Mode
from domain.recharge.observing import Observation, ObservedRefund
from tests.application.checkout.methods import FakeMethods
from tests.application.recharge.world import furnish
from tests.fakes import memory_ports

SIGNED: Headers = (("signature", "right"),)


class FakeProvider:
    """Keeps the contract of `CheckoutProvider`. `objects` says what is found by which id."""

    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement()
    currencies: ClassVar[frozenset[str] | None] = None

    def __init__(self, *, name: str = "stripe", mode: Mode = "live") -> None:
        self.name = name
        self.mode: Mode = mode
        self.saved = FakeMethods(name=name, mode=mode, require_up=self._require_up)
        self.methods: SavedMethods | None = self.saved
        self.objects: dict[str, Sequence[Observation | ObservedMethod]] = {}
        self.sessions: dict[str, SessionRequest] = {}
        self.refunds: dict[str, ObservedRefund] = {}
        self.refuses_refunds = False
        self.closed: list[str] = []
        self.refund_status: Literal["pending", "succeeded", "failed"] = "pending"  #: of those that are made
        self.forgets_keys = False  #: as Stripe does after a day
        self.missed: list[Delivered] = []
        self.lines: list[BalanceTransaction] = []
        self.payouts: dict[str, list[BalanceTransaction] | None] = {}
        self.is_down = False
        self.asked = 0

    def open_session(self, request: SessionRequest) -> Session:
        self._require_up()
        known = self.sessions.setdefault(request.idempotency_key, request)
        if known != request:
            raise ProviderRefused("idempotency_key_in_use")
        number = list(self.sessions).index(request.idempotency_key) + 1
        return Session(
            session_ref=f"cs_{number}", url=f"https://pay.example/{number}", expires_us=request.expires_us
        )

    def close_session(self, session_ref: str) -> None:
        self._require_up()
        self.closed.append(session_ref)

    def verify(self, raw: bytes, headers: Headers, *, now_us: int) -> Notice:
        if tuple(headers) != SIGNED:
            raise BadNotice("not signed")
        try:
            return msgspec.json.decode(raw, type=Notice)
        except msgspec.DecodeError:
            raise BadNotice("no message") from None

    def fetch(self, kind: str, object_ref: str) -> Sequence[Observation | ObservedMethod]:
        self._require_up()
        self.asked += 1
        try:
            return self.objects[object_ref]
        except KeyError:
            raise ProviderRefused("resource_missing") from None

    def fetch_session(self, session_ref: str) -> Sequence[Observation]:
        return self._orders("session", session_ref)

    def fetch_dispute(self, dispute_ref: str) -> Sequence[Observation]:
        return self._orders("dispute", dispute_ref)

    def _orders(self, kind: str, object_ref: str) -> Sequence[Observation]:
        return [one for one in self.fetch(kind, object_ref) if not isinstance(one, ObservedMethod)]

    def refund(self, order: RefundOrder) -> ObservedRefund:
        self._require_up()
        if self.refuses_refunds:
            raise ProviderRefused("charge_disputed")
        made = ObservedRefund(
            provider=self.name,
            mode=self.mode,
            order_id=order.order_id,
            payment_ref=order.payment_ref,
            refund_ref=f"re_{len(self.refunds) + 1}",
            refund_id=order.refund_id,
            status=self.refund_status,
            amount_minor=order.amount_minor,
            currency=order.currency,
        )
        key = f"{order.idempotency_key} {made.refund_ref}" if self.forgets_keys else order.idempotency_key
        return self.refunds.setdefault(key, made)

    def made_refund(self, order: RefundOrder) -> ObservedRefund | None:
        self._require_up()
        return next((one for one in self.refunds.values() if one.refund_id == order.refund_id), None)

    def undelivered(self, *, since_us: int) -> Iterator[Delivered]:
        self._require_up()
        yield from self.missed

    def balance_transactions(self, *, since_us: int, until_us: int) -> Iterator[BalanceTransaction]:
        self._require_up()
        yield from (line for line in self.lines if since_us <= line.created_us < until_us)

    def payout_lines(self, payout_ref: str) -> list[BalanceTransaction] | None:
        self._require_up()
        return self.payouts[payout_ref]

    def _require_up(self) -> None:
        if self.is_down:
            raise ProviderUnavailable("down")


def message(event_ref: str = "evt_1", object_ref: str = "cs_1", **changes: Any) -> bytes:
    notice = Notice(
        event_ref=event_ref,
        kind="checkout.session.completed",
        object_ref=object_ref,
        created_us=1,
        mode="live",
    )
    return msgspec.json.encode(replace(notice, **changes))


def world(provider: FakeProvider) -> Ports:
    """Ports with an account, an offer and this provider."""
    ports = replace(memory_ports(), checkouts=Checkouts([provider]), pages_url="https://shop.example")
    return furnish(ports)


def deliver(ports: Ports, raw: bytes, *, headers: Headers = SIGNED, provider: str = "stripe") -> str:
    return receive(
        provider,
        raw,
        headers,
        checkouts=ports.checkouts,
        inbox=ports.inbox,
        store=ports.store,
        clock=ports.clock,
    )


def tools_of(ports: Ports) -> WebhookTools:
    return WebhookTools(checkouts=ports.checkouts, queue=ports.inbox, store=ports.store, clock=ports.clock)


def work(ports: Ports) -> int:
    """One round of a worker."""
    return handle_due(tools_of(ports))
