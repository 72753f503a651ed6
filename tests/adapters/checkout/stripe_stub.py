"""A server that speaks as much of Stripe's API as we use, for what no counterpart has: pages, idempotency, disputes.

Objects are what a test puts there, as Stripe documents them. It is a real server on a real socket.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from tests.adapters.checkout.served import Answer, served

_CHANGES = frozenset({"expire", "confirm", "cancel", "detach"})
_UNEXPECTED = "payment_intent_unexpected_state"


class StripeStub:
    """`objects` by path, such as `/v1/refunds/re_1`; a list is `{"data": [...]}`."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.made: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}  #: by idempotency key
        self.status = 200  #: anything else is answered to everything
        self.url = ""
        self.declines = ""  #: the code with which payments without the customer are declined, if they are
        self.decline_code: str | None = None
        self.taken: list[str] = []  #: payments without the customer, each time that money was taken
        self.livemode = False

    def answer(self, method: str, path: str, form: dict[str, str], key: str | None) -> tuple[int, Any]:
        self.asked.append((method, path, form))
        if self.status != 200:
            return self.status, {"error": {"type": "api_error", "code": "broken"}}
        if method == "GET":
            found = self.objects.get(path)
            missing = {"error": {"type": "invalid_request_error", "code": "resource_missing"}}
            return (200, found) if found is not None else (404, missing)
        return self._make(path, form, key)

    def _make(self, path: str, form: dict[str, str], key: str | None) -> tuple[int, Any]:
        if key is not None and key in self.made:
            known, made = self.made[key]
            if known != form:
                return 400, {"error": {"type": "idempotency_error", "code": "idempotency_key_in_use"}}
            return 200, made
        folder, _, verb = path.rpartition("/")
        if verb in _CHANGES:
            return self._change(folder, verb)
        if path.endswith("/refunds") and self._is_too_much(form):
            return 400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded"}}
        number = len(self.made) + 1
        kinds = {"sessions": self._session, "payment_intents": self._payment, "refunds": self._refund}
        made = kinds[path.rsplit("/", 1)[1]](number, form)
        self.made[key or str(number)] = (form, made)
        self.objects[f"{path}/{made['id']}"] = made
        return 200, made

    def _change(self, path: str, verb: str) -> tuple[int, Any]:
        if verb == "detach":
            return 200, {"id": path.rpartition("/")[2], "type": "card"}
        return self._expire(path) if verb == "expire" else self._change_payment(path, verb)

    def _expire(self, path: str) -> tuple[int, Any]:
        session = self.objects.get(path)
        if session is None:
            return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing"}}
        if session["status"] != "open":
            return 400, {"error": {"type": "invalid_request_error", "code": "session_not_open"}}
        session["status"] = "expired"
        return 200, session

    def _is_too_much(self, form: dict[str, str]) -> bool:
        paid = self.objects.get(f"/v1/payment_intents/{form['payment_intent']}")
        return paid is not None and int(form["amount"]) > paid["amount"]

    def _payment(self, number: int, form: dict[str, str]) -> dict[str, Any]:
        return payment(
            f"pi_{number}",
            metadata=_inside(form, "metadata"),
            amount=int(form["amount"]),
            currency=form["currency"],
            status="requires_confirmation",
            latest_charge=None,
            customer=form["customer"],
            payment_method=form["payment_method"],
        )

    def _change_payment(self, path: str, verb: str) -> tuple[int, Any]:
        """Confirm or cancel. A confirmation does what `declines` says; it is an error to do it twice."""
        found = self.objects[path]
        if verb == "cancel":
            if found["status"] in {"succeeded", "canceled"}:
                return 400, {"error": {"type": "invalid_request_error", "code": _UNEXPECTED}}
            found |= {"status": "canceled", "last_payment_error": None}
            return 200, found
        if found["status"] != "requires_confirmation":
            return 400, {"error": {"type": "invalid_request_error", "code": _UNEXPECTED}}
        if self.declines:
            error = {"type": "card_error", "code": self.declines, "decline_code": self.decline_code}
            found |= {"status": "requires_payment_method", "last_payment_error": error}
            return 402, {"error": error}
        self.taken.append(found["id"])
        found |= {"status": "succeeded", "amount_received": found["amount"]}
        return 200, found

    def leave_card(self, session_ref: str) -> None:
        """The customer leaves a card on a page for that."""
        session = self.objects[f"/v1/checkout/sessions/{session_ref}"]
        card = {"id": "pm_1", "type": "card", "card": {"brand": "visa", "last4": "4242"}}
        setup = {"id": "seti_1", "status": "succeeded", "customer": "cus_1", "payment_method": card}
        session |= {"status": "complete", "setup_intent": setup, "customer": "cus_1"}

    def _session(self, number: int, form: dict[str, str]) -> dict[str, Any]:
        if form["mode"] == "setup":
            return {
                "id": f"cs_{number}",
                "object": "checkout.session",
                "livemode": False,
                "mode": "setup",
                "status": "open",
                "payment_status": "no_payment_required",
                "client_reference_id": form["client_reference_id"],
                "metadata": _inside(form, "metadata"),
                "url": f"https://checkout.example/cs_{number}",
                "expires_at": int(form["expires_at"]),
            }
        return {
            "id": f"cs_{number}",
            "object": "checkout.session",
            "livemode": self.livemode,
            "status": "open",
            "payment_status": "unpaid",
            "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
            "currency": form["line_items[0][price_data][currency]"],
            "client_reference_id": form["client_reference_id"],
            "metadata": _inside(form, "metadata"),
            "payment_intent": None,
            "url": f"https://checkout.example/cs_{number}",
            "expires_at": int(form["expires_at"]),
        }

    def _refund(self, number: int, form: dict[str, str]) -> dict[str, Any]:
        return {
            "id": f"re_{number}",
            "object": "refund",
            "amount": int(form["amount"]),
            "currency": "eur",
            "status": "pending",
            "payment_intent": form["payment_intent"],
            "metadata": _inside(form, "metadata"),
        }

    def pay(self, session_ref: str, *, amount_minor: int | None = None, status: str = "succeeded") -> str:
        """The customer pays on the page; returns the payment's id."""
        session = self.objects[f"/v1/checkout/sessions/{session_ref}"]
        intent = payment(
            f"pi_{session_ref}",
            metadata=session["metadata"],
            amount=session["amount_total"] if amount_minor is None else amount_minor,
            currency=session["currency"],
            status=status,
            livemode=self.livemode,
        )
        paid = "paid" if status == "succeeded" else "unpaid"
        session |= {"status": "complete", "payment_status": paid, "payment_intent": intent}
        self.objects[f"/v1/payment_intents/{intent['id']}"] = intent
        return str(intent["id"])


def payment(payment_ref: str, *, metadata: dict[str, str], **changes: Any) -> dict[str, Any]:
    """A payment intent, captured unless said otherwise."""
    made = {
        "id": payment_ref,
        "object": "payment_intent",
        "livemode": False,
        "status": "succeeded",
        "amount": 11_900,
        "currency": "eur",
        "metadata": metadata,
        "latest_charge": {
            "id": f"ch_{payment_ref}",
            "payment_intent": payment_ref,
            "balance_transaction": {
                "id": "txn_1",
                "amount": 11_900,
                "fee": 320,
                "net": 11_580,
                "currency": "eur",
            },
            "payment_method_details": {"type": "card"},
        },
    } | changes
    made.setdefault("amount_received", made["amount"] if made["status"] == "succeeded" else 0)
    return made


def _inside(form: dict[str, str], name: str) -> dict[str, str]:
    pattern = re.compile(rf"{name}\[(\w+)\]")
    return {match[1]: value for key, value in form.items() if (match := pattern.fullmatch(key))}


Stub = TypeVar("Stub", bound=StripeStub)


@contextmanager
def serving_as(stub: Stub) -> Iterator[Stub]:
    """It answers, with its address in `url`."""

    def answering(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(path)
        form = dict(parse_qsl(body.decode() or parts.query, keep_blank_values=True))
        status, answer = stub.answer(method, parts.path, form, headers.get("idempotency-key"))
        answered = {"content-type": "application/json"}
        if stub.status != 200:
            answered["stripe-should-retry"] = "false"  # else the library waits and asks again
        return status, answered, json.dumps(answer).encode()

    with served(answering) as url:
        stub.url = url
        yield stub


def serving() -> AbstractContextManager[StripeStub]:
    """A stub, and its address in `url`."""
    return serving_as(StripeStub())
