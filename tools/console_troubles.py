"""What does not go well, or waits for a second operator, for a demo that `tools.console_fill` fills."""

import hmac
import os
import sys
import time
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import httpx
import msgspec

from tools.console_callers import CREDIT, DAY_US, Caller

_FAILURES: Final = 12  #: more in a row than a breaker lets pass
_LARGE: Final = 150 * CREDIT  #: more than one operator may move alone


def doubt(customer: Caller) -> None:
    """A charge that is held for somebody to look at: no answer has so many tokens."""
    said = [{"role": "user", "content": "How many?"}]
    customer.complete(model="demo-absurd", messages=said, stream=False)


def stumble(operator: Caller, customer: Caller, account_id: str) -> None:
    """A breaker opens, an endpoint is switched off, codes are withdrawn, and support looks in."""
    said = [{"role": "user", "content": "Are you there?"}]
    for _ in range(_FAILURES):
        customer.complete(model="demo-flaky", messages=said, stream=False)
    made = operator("/endpoints/register", account_id=account_id, url="https://old.acme.example/hook")
    if made:
        operator("/endpoints/disable", endpoint_id=made["endpoint_id"], reason="moved")
    batch = operator("/codes/issue", count=2, amount_nano=CREDIT, note="misprint")
    if batch:
        operator("/codes/withdraw", batch_id=batch["batch_id"], reason="misprint")
    operator("/support/begin", account_id=account_id, reason="ticket 41")


def wait_for_somebody(operator: Caller, second: Caller, account_id: str) -> None:
    """Prices, an adjustment, a refund and a transfer that somebody else must agree to, or has to look at."""
    operator(
        "/credit/adjust", account_id=account_id, direction="credit", amount_nano=_LARGE, reason="an outage"
    )
    placed = operator("/orders/place", account_id=account_id, currency="EUR", amount_minor=20_000)
    if placed:
        paid = {"currency": "EUR", "payment_ref": placed["reference"], "evidence": "bank statement"}
        operator("/orders/settle", order_id=placed["order_id"], amount_minor=placed["amount_minor"], **paid)
        terms: dict[str, Any] = {"refund_id": str(uuid4()), "amount_minor": placed["amount_minor"]}
        operator("/refunds/request", order_id=placed["order_id"], reason="too much", **terms)
    price = {"input": "0.7", "cached_input": "0.07", "cache_write": "0.7", "output": "2.0", "request": "0"}
    later_us = time.time_ns() // 1_000 + 30 * DAY_US
    operator("/prices/publish", entries={"demo": price}, note="winter", effective_from_us=later_us)
    accounts = second.ask("/accounts")["items"]
    others = [one["account_id"] for one in accounts if one["account_id"] != account_id]
    for path, reason, one in zip(("suspend", "close"), ("unpaid", "moved on"), others, strict=False):
        second(f"/accounts/{path}", account_id=one, reason=reason)


def tell_of_payments(base_url: str) -> None:
    """Signed messages of a payment provider that cannot be handled: of real money, and we are in test mode."""
    secret = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
    if not secret:
        return
    for kind in ("checkout.session.completed", "charge.dispute.created"):
        number = uuid4().hex
        about = {"id": f"obj_{number}", "object": kind.rpartition(".")[0]}
        message = {
            "id": f"evt_{number}",
            "object": "event",
            "type": kind,
            "livemode": True,
            "created": int(time.time()),
            "data": {"object": about},
        }
        raw, now = msgspec.json.encode(message), str(int(time.time()))
        digest = hmac.new(secret.encode(), now.encode() + b"." + raw, sha256).hexdigest()
        headers = {"stripe-signature": f"t={now},v1={digest}", "content-type": "application/json"}
        answered = httpx.post(f"{base_url}/webhooks/stripe", content=raw, headers=headers, trust_env=False)
        if not answered.is_success:
            sys.stderr.write(f"/webhooks/stripe: {answered.status_code} {answered.text[:300]}\n")
