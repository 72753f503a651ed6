"""A Stripe account with a balance: payments, refunds, disputes and payouts, each with its lines, as Stripe documents them.

It keeps its own sums, and knows nothing of how we book anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.adapters.checkout.stripe_stub import StripeStub, payment, serving_as

Object = dict[str, Any]
DISPUTE_FEE = 1_500


class StripeAccount(StripeStub):
    """`now_s` is the time of what happens."""

    def __init__(self) -> None:
        super().__init__()
        self.livemode = True
        self.now_s = 0
        self.lines: list[Object] = []
        self.refunds: dict[str, Object] = {}

    def answer(self, method: str, path: str, form: dict[str, str], key: str | None) -> tuple[int, Any]:
        lists = {"/v1/balance_transactions": self._listed_lines, "/v1/refunds": self._listed_refunds}
        if method == "GET" and path in lists:
            return 200, {"data": lists[path](form), "has_more": False}
        return super().answer(method, path, form, key)

    def _listed_lines(self, form: dict[str, str]) -> list[Object]:
        since, until = int(form.get("created[gte]", 0)), int(form.get("created[lt]", 2**40))
        payout = form.get("payout")
        found = [one for one in self.lines if since <= one["created"] < until]
        if payout is not None:
            found = [one for one in found if one["payout"] == payout]
        return [{name: value for name, value in one.items() if name != "payout"} for one in found]

    def _listed_refunds(self, form: dict[str, str]) -> list[Object]:
        return [one for one in self.refunds.values() if one["payment_intent"] == form["payment_intent"]]

    def capture(self, session_ref: str) -> str:
        """The customer pays; the payment's id."""
        payment_ref = self.pay(session_ref)
        intent = self.objects[f"/v1/payment_intents/{payment_ref}"]
        self._charged(intent)
        return payment_ref

    def foreign(self, amount: int, currency: str) -> None:
        """A payment of somebody else's on the same account."""
        intent = payment(f"pi_foreign{len(self.lines)}", metadata={}, amount=amount, currency=currency)
        self._charged(intent)

    def _charged(self, intent: Object) -> None:
        fee = intent["amount"] * 29 // 1000 + 30
        charge = intent["latest_charge"]
        charge["balance_transaction"] = self._line(
            "charge", charge, intent["amount"], fee, intent["currency"]
        )

    def _refund(self, number: int, form: dict[str, str]) -> Object:
        intent = self.objects[f"/v1/payment_intents/{form['payment_intent']}"]
        made = super()._refund(number, form) | {"currency": intent["currency"], "status": "succeeded"}
        self._paid_back(made)
        return made

    def refund_by_hand(self, payment_ref: str, amount: int) -> Object:
        """In Stripe's own pages."""
        intent = self.objects[f"/v1/payment_intents/{payment_ref}"]
        made = {
            "id": f"re_hand{len(self.refunds)}",
            "amount": amount,
            "currency": intent["currency"],
            "status": "succeeded",
            "payment_intent": payment_ref,
            "metadata": {},
        }
        self._paid_back(made)
        return made

    def fail(self, refund: Object) -> None:
        """The customer's bank sends it back."""
        refund["status"] = "failed"
        self._line("refund_failure", refund, refund["amount"], 0, refund["currency"])

    def _paid_back(self, refund: Object) -> None:
        self.refunds[refund["id"]] = refund
        self._line("refund", refund, -refund["amount"], 0, refund["currency"])

    def dispute(self, payment_ref: str, amount: int) -> Object:
        """The customer's bank takes the money, and Stripe a fee."""
        intent = self.objects[f"/v1/payment_intents/{payment_ref}"]
        made: Object = {
            "id": f"du_{payment_ref}",
            "livemode": True,
            "amount": amount,
            "currency": intent["currency"],
            "status": "needs_response",
            "reason": "fraudulent",
            "payment_intent": intent,
            "balance_transactions": [],
        }
        self.objects[f"/v1/disputes/{made['id']}"] = made
        self._moved(made, -amount, DISPUTE_FEE)
        return made

    def end(self, dispute: Object, status: str) -> None:
        """Won, it is paid to us again, but for the fee."""
        dispute["status"] = status
        if status == "won":
            self._moved(dispute, dispute["amount"], 0)

    def _moved(self, dispute: Object, amount: int, fee: int) -> None:
        source = {"id": dispute["id"], "payment_intent": dispute["payment_intent"]["id"]}
        line = self._line("adjustment", source, amount, fee, dispute["currency"])
        dispute["balance_transactions"].append(line)

    def payout(self, currency: str) -> str | None:
        """All that we have in a currency goes to our bank; the payout's id."""
        owned = [one for one in self.lines if one["currency"] == currency and one["payout"] is None]
        total = sum(one["net"] for one in owned)
        if total <= 0:
            return None
        payout_ref = f"po_{len(self.lines)}"
        self.objects[f"/v1/payouts/{payout_ref}"] = {"id": payout_ref, "reconciliation_status": "completed"}
        self._line("payout", {"id": payout_ref}, -total, 0, currency)
        for one in (*owned, self.lines[-1]):
            one["payout"] = payout_ref
        return payout_ref

    def _line(self, kind: str, source: Object, amount: int, fee: int, currency: str) -> Object:
        line = {
            "id": f"txn_{len(self.lines)}",
            "type": kind,
            "source": {"id": source["id"], "payment_intent": source.get("payment_intent")},
            "amount": amount,
            "fee": fee,
            "net": amount - fee,
            "currency": currency,
            "created": self.now_s,
            "payout": None,
        }
        self.lines.append(line)
        return line


@contextmanager
def account() -> Iterator[StripeAccount]:
    """The account, and its address in `url`."""
    with serving_as(StripeAccount()) as one:
        yield one
