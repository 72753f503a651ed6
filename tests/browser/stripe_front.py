"""What stands between us and `emulate`, which decides what is paid: it adds what that lacks, and nothing that decides.

`emulate` makes pages for its own prices only, tells no sum and no payment of a page, writes dashes into ids, which Stripe never does, and
its messages have no id. So a price is made
for each page, what was asked for is remembered and told again, a page that it says is paid has a payment, and its messages, whose
signature is checked, are passed on with an id and a signature over that.
"""

import hmac
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.adapters.checkout.served import Answer, served

SECRET = "whsec_between_emulate_and_us_0123"
_INSIDE = re.compile(r"metadata\[(\w+)\]")
_KEY = {"authorization": "Bearer sk_live_walk"}


class Front:
    """`url` is where Stripe's API is for the gateway; `hook` where `emulate` sends its messages to."""

    def __init__(self) -> None:
        self.url = ""
        self.emulate = ""
        self.gateway = ""  #: the endpoint of ours
        self.secret = ""  #: with which our endpoint is signed
        self.asked: dict[str, dict[str, Any]] = {}  #: by page
        self.pages: dict[str, str] = {}  #: by idempotency key
        self.answers: list[int] = []  #: of our endpoint

    @property
    def hook(self) -> str:
        return f"{self.url}/hook"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        place = urlsplit(path).path
        if place == "/hook":
            return self._pass_on(headers, body), {}, b""
        if (method, place) == ("POST", "/v1/checkout/sessions"):
            return self._made(dict(parse_qsl(body.decode())), headers.get("idempotency-key", ""))
        if method == "GET" and place.startswith("/v1/checkout/sessions/"):
            return self._told(_theirs(place.rpartition("/")[2]))
        if method == "GET" and place.startswith("/v1/payment_intents/"):
            return self._json(self._payment(_theirs(place.rpartition("/")[2].removeprefix("pi_"))))
        if place in {"/v1/events", "/v1/balance_transactions"}:
            return self._json({"data": [], "has_more": False})
        return 404, {}, b'{"error": {"code": "resource_missing"}}'

    def _made(self, form: dict[str, str], key: str) -> Answer:
        if key not in self.pages:
            price = {
                "currency": form["line_items[0][price_data][currency]"],
                "unit_amount": form["line_items[0][price_data][unit_amount]"],
            }
            product = self._ask("products", {"name": form["line_items[0][price_data][product_data][name]"]})
            made = self._ask("prices", {"product": product["id"], **price})
            page = self._ask(
                "checkout/sessions",
                {
                    "mode": "payment",
                    "line_items[0][price]": made["id"],
                    "line_items[0][quantity]": "1",
                    "success_url": form["success_url"],
                    "cancel_url": form["cancel_url"],
                },
            )
            metadata = {match[1]: value for name, value in form.items() if (match := _INSIDE.fullmatch(name))}
            self.asked[page["id"]] = {
                "livemode": True,
                "amount_total": int(price["unit_amount"]),
                "currency": price["currency"],
                "client_reference_id": form["client_reference_id"],
                "metadata": metadata,
                "expires_at": int(form["expires_at"]),
            }
            self.pages[key] = page["id"]
        return self._told(self.pages[key])

    def _told(self, page_ref: str) -> Answer:
        page = self._page(page_ref)
        page |= self.asked[page_ref] | {"id": _ours(page_ref)}
        page["payment_intent"] = self._payment(page_ref) if page["payment_status"] == "paid" else None
        return self._json(page)

    def _payment(self, page_ref: str) -> dict[str, Any]:
        asked, is_paid = self.asked[page_ref], self._page(page_ref)["payment_status"] == "paid"
        return {
            "id": f"pi_{_ours(page_ref)}",
            "livemode": True,
            "status": "succeeded" if is_paid else "requires_payment_method",
            "amount": asked["amount_total"],
            "amount_received": asked["amount_total"] if is_paid else 0,
            "currency": asked["currency"],
            "metadata": asked["metadata"],
        }

    def _page(self, page_ref: str) -> dict[str, Any]:
        found: dict[str, Any] = (
            httpx.get(f"{self.emulate}/v1/checkout/sessions/{page_ref}", headers=_KEY)
            .raise_for_status()
            .json()
        )
        return found

    def _pass_on(self, headers: Mapping[str, str], body: bytes) -> int:
        parts = dict(part.split("=", 1) for part in headers["stripe-signature"].split(","))
        right = hmac.new(SECRET.encode(), f"{parts['t']}.".encode() + body, sha256).hexdigest()
        assert hmac.compare_digest(right, parts["v1"]), "emulate signs"
        now_s = int(time.time())
        said = json.loads(body) | {"created": now_s, "livemode": True}
        said["id"] = f"evt_{sha256(body).hexdigest()[:24]}"
        said["data"]["object"]["id"] = _ours(said["data"]["object"]["id"])
        raw = json.dumps(said).encode()
        digest = hmac.new(self.secret.encode(), f"{now_s}.".encode() + raw, sha256).hexdigest()
        sent = {"stripe-signature": f"t={now_s},v1={digest}", "content-type": "application/json"}
        status = httpx.post(self.gateway, content=raw, headers=sent).status_code
        self.answers.append(status)
        return status

    def _ask(self, what: str, form: Mapping[str, str]) -> dict[str, Any]:
        answered = httpx.post(f"{self.emulate}/v1/{what}", data=dict(form), headers=_KEY)
        found: dict[str, Any] = answered.raise_for_status().json()
        return found

    def _json(self, said: Any) -> Answer:
        return 200, {"content-type": "application/json"}, json.dumps(said).encode()


def _ours(ref: str) -> str:
    return ref.replace("-", "DASH")


def _theirs(ref: str) -> str:
    return ref.replace("DASH", "-")


@contextmanager
def front() -> Iterator[Front]:
    """Its addresses are to be filled in."""
    made = Front()
    with served(made.answer) as url:
        made.url = url
        yield made
