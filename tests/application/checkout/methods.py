"""Ways to pay that are left with a payment provider, in memory: keeps the contract of `SavedMethods`."""

from collections.abc import Callable
from typing import Literal

from application.checkout.methods import Charge, MethodPage, Taken
from application.checkout.ports import ProviderRefused, Session
from domain.recharge.events import Mode
from domain.recharge.observing import ObservedPayment


class FakeMethods:
    """Forgets keys, as providers do after a while. `taken` has an entry for each time that money was taken."""

    def __init__(self, *, name: str, mode: Mode, require_up: Callable[[], None]) -> None:
        self._name = name
        self._mode: Mode = mode
        self._require_up = require_up
        self.pages: list[MethodPage] = []
        self.charges: dict[str, Charge] = {}  #: by payment
        self.states: dict[str, Literal["begun", "captured", "failed"]] = {}
        self.taken: list[str] = []
        self.forgotten: list[str] = []
        self.outcome: Literal["captured", "processing", "failed", "needs_customer"] = "captured"
        self.amount_minor: int | None = (
            None  #: what is taken, if it is something else than what was asked for
        )
        self.refuses_to_begin = ""
        self.before_take: Callable[[], object] | None = None  #: once
        self.after_take: Callable[[], object] | None = None  #: once

    def open_page(self, request: MethodPage) -> Session:
        self._require_up()
        self.pages.append(request)
        number = len(self.pages)
        return Session(
            session_ref=f"cs_m{number}", url=f"https://pay.example/m{number}", expires_us=request.expires_us
        )

    def begin(self, charge: Charge) -> str:
        self._require_up()
        if self.refuses_to_begin:
            raise ProviderRefused(self.refuses_to_begin)
        payment_ref = f"pi_{len(self.charges) + 1}"
        self.charges[payment_ref], self.states[payment_ref] = charge, "begun"
        return payment_ref

    def take(self, payment_ref: str) -> Taken:
        self._require_up()
        hook, self.before_take = self.before_take, None
        if hook is not None:
            hook()
        if self.states[payment_ref] == "begun":
            if self.outcome == "captured":
                self.states[payment_ref] = "captured"
                self.taken.append(payment_ref)
            elif self.outcome != "processing":
                self.states[payment_ref] = "failed"
        hook, self.after_take = self.after_take, None
        if hook is not None:
            hook()
        return self._said(payment_ref)

    def give_up(self, payment_ref: str) -> Taken:
        self._require_up()
        if self.states[payment_ref] == "begun":
            self.states[payment_ref] = "failed"
        return self._said(payment_ref)

    def forget(self, method_ref: str) -> None:
        self._require_up()
        self.forgotten.append(method_ref)

    def _said(self, payment_ref: str) -> Taken:
        state = self.states[payment_ref]
        if state == "captured":
            return Taken(state="captured", payment=self._payment(payment_ref, "captured"))
        if state == "begun":
            return Taken(state="processing", payment=self._payment(payment_ref, "processing"))
        needs_customer = self.outcome == "needs_customer"
        return Taken(
            state="needs_customer" if needs_customer else "failed",
            reason="authentication_required" if needs_customer else "insufficient_funds",
            payment=self._payment(payment_ref, "failed"),
        )

    def _payment(
        self, payment_ref: str, status: Literal["processing", "failed", "captured"]
    ) -> ObservedPayment:
        charge = self.charges[payment_ref]
        return ObservedPayment(
            provider=self._name,
            mode=self._mode,
            order_id=charge.order_id,
            account_id=charge.account_id,
            payment_ref=payment_ref,
            status=status,
            amount_minor=charge.amount_minor if self.amount_minor is None else self.amount_minor,
            currency=charge.currency,
            fee_minor=0,
            method="card",
        )
