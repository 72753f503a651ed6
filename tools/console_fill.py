"""Fill a running demo with something of everything, so that every page has what it is made for: `python -m tools.console_fill READY_FILE`.

READY_FILE is what `tokenok up --ready-file` writes. Everything goes over the API, as an operator's programs and a customer's would
do it. Filled once; a second time adds more of what can be added and passes over what is there.

Started with PRICES_NEED_APPROVAL=on, the demo has a proposal that waits. Started with STRIPE_SECRET_KEY=sk_test_demo and a
STRIPE_WEBHOOK_SECRET that this tool finds too, it has payment messages that somebody must look at.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tools.console_callers import CREDIT, DAY_US, Caller, until
from tools.console_troubles import doubt, stumble, tell_of_payments, wait_for_somebody

SELLER_ID: Final = "00000000-0000-0000-0000-0000000005e1"
CUSTOMERS: Final = ("Acme GmbH", "青い空株式会社", "蓝天科技有限公司", "파란하늘 주식회사")
FLAKY: Final = {
    "demo-flaky": "sandbox-fault-empty_500",
    "demo-cut": "sandbox-fault-cut_mid_stream",
    "demo-absurd": "sandbox-fault-usage_int64",
}
PRICE: Final = {"input": "0.5", "cached_input": "0.05", "cache_write": "0.5", "output": "1.5", "request": "0"}
COST: Final = {"input": "0.3", "cached_input": "0.03", "cache_write": "0.3", "output": "1.1", "request": "0"}
SIZE: Final = {"context_tokens": 128_000, "output_tokens_max": 4_096}


def sell(operator: Caller) -> None:
    """Credit on offer, in three currencies, and somebody whose invoices are made by themselves."""
    for currency, rate, package in (
        ("EUR", 10_000_000, 5_000),
        ("USD", 10_000_000, 5_000),
        ("JPY", 6_000_000, 5_000),
    ):
        operator(
            "/offers/set",
            currency=currency,
            rate_num=rate,
            packages=[
                {"amount_minor": package, "bonus_nano": CREDIT},
                {"amount_minor": 4 * package, "bonus_nano": 8 * CREDIT},
            ],
            min_minor=500,
            max_minor=1_000_000,
            taxes=[{"country": "DE", "rate_ppm": 190_000}, {"country": "JP", "rate_ppm": 100_000}],
        )
    operator(
        "/sellers/set",
        seller_id=SELLER_ID,
        legal_name="Tokenok GmbH",
        address=["Musterweg 1", "10115 Berlin"],
        country="DE",
        tax_ids=[{"kind": "vat", "value": "DE123456789"}],
        zone="Europe/Berlin",
        email="billing@tokenok.example",
    )
    for kind, prefix in (("invoice", "INV-"), ("credit_note", "CN-")):
        operator("/series/open", seller_id=SELLER_ID, kind=kind, prefix=prefix)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for currency, rate in (("USD", "0.86"), ("JPY", "0.0056")):
        operator(
            "/exchange-rates/set",
            seller_id=SELLER_ID,
            currency=currency,
            rate=rate,
            published_on=today,
            published_by="ECB",
        )
    operator("/invoicing/set", seller_id=SELLER_ID)


def serve(operator: Caller, second: Caller) -> None:
    """Models that fail as providers do, what each costs us, and dearer prices than at first."""
    for one in operator.ask("/deployments")["items"]:
        spec = {"upstream_model": one["spec"]["upstream_model"], **SIZE, "cost": COST}
        operator("/deployments/change", deployment_id=one["deployment_id"], **spec)
    provider_id = next(
        one["provider_id"] for one in operator.ask("/providers")["items"] if one["name"] == "sandbox"
    )
    for alias, model in FLAKY.items():
        terms = {"provider_id": provider_id, "upstream_model": model, **SIZE, "cost": COST}
        made = operator("/deployments/add", **terms)
        if made:
            operator("/routes/set", alias=alias, targets=[{"deployment_id": made["id"]}])
    entries = dict.fromkeys(("demo", "demo-fast", *FLAKY), PRICE)
    made = operator(
        "/prices/publish",
        entries=entries | {"demo": PRICE | {"input": "0.6", "output": "1.8"}},
        note="autumn",
    )
    if made.get("proposal_id"):
        second("/prices/approve", proposal_id=made["proposal_id"])
    operator("/providers/probe", provider_id=provider_id)


def announce(operator: Caller, account_id: str) -> None:
    """In four languages: now to everybody and to customers, and next week to one of them."""
    texts = {
        "en": (
            "Maintenance on Sunday",
            "Between 02:00 and 03:00 UTC the console may be slow. Requests are served as always.",
        ),
        "zh": ("周日维护", "UTC 02:00 至 03:00 期间控制台可能较慢。请求照常处理。"),
        "ja": (
            "日曜日のメンテナンス",
            "UTC 2:00〜3:00 の間、コンソールが遅くなる場合があります。リクエストは通常どおり処理されます。",
        ),
        "ko": (
            "일요일 점검 안내",
            "UTC 02:00~03:00 사이에 콘솔이 느려질 수 있습니다. 요청은 평소와 같이 처리됩니다.",
        ),
    }
    words = {language: {"title": title, "body": body} for language, (title, body) in texts.items()}
    operator("/announcements/set", texts=words, severity="warning", audience="customers")
    operator("/announcements/set", texts=words, severity="info", audience="public")
    begin_us = time.time_ns() // 1_000 + 7 * DAY_US
    shown = {"from_us": begin_us, "until_us": begin_us + DAY_US}
    operator(
        "/announcements/set",
        texts=words,
        severity="critical",
        audience="accounts",
        account_ids=[account_id],
        **shown,
    )


def equip(operator: Caller, account_id: str) -> None:
    """An account with everything that a customer sets up."""
    operator(
        "/billing/set",
        account_id=account_id,
        buyer_name="Acme GmbH",
        address=["Beispielallee 2", "20095 Hamburg"],
        country="DE",
        email="books@acme.example",
        is_business=True,
        tax_id={"kind": "vat", "value": "DE987654321"},
    )
    operator("/accounts/contact", account_id=account_id, contact_name="Acme", email="ops@acme.example")
    operator("/accounts/limit", account_id=account_id, rpm=600, tpm=2_000_000, concurrency=64)
    soon_us = time.time_ns() // 1_000 + 30 * DAY_US
    operator("/keys/issue", account_id=account_id, name="Production", rpm=300, models=["demo", "demo-fast"])
    operator("/keys/issue", account_id=account_id, name="Continuous integration", expires_us=soon_us)
    old = operator("/keys/issue", account_id=account_id, name="Laptop")
    if old:
        operator("/keys/revoke", key_id=old["key_id"], reason="lost")
    for name, role in (("Terraform", "admin"), ("Bookkeeping", "billing")):
        operator("/management-keys/issue", account_id=account_id, name=name, role=role, expires_us=soon_us)
    operator("/endpoints/register", account_id=account_id, url="https://hooks.acme.example/tokenok")
    operator("/budgets/set", account_id=account_id, amount_nano=10 * CREDIT, window="day", enforcement="hard")
    operator(
        "/budgets/set", account_id=account_id, amount_nano=CREDIT // 500, window="month", enforcement="soft"
    )
    operator("/balances/threshold", account_id=account_id, threshold_nano=20 * CREDIT)
    for role in ("developer", "billing"):
        operator(
            "/members/invite", account_id=account_id, role=role, email=f"{role}@acme.example", locale="en"
        )


def pay(operator: Caller, second: Caller, account_id: str) -> None:
    """Orders in every state, and money that goes back."""
    paid = [
        order(operator, account_id, currency, minor)
        for currency, minor in (("EUR", 5_000), ("EUR", 20_000), ("USD", 5_000))
    ]
    order(operator, account_id, "EUR", 5_000, is_paid=False)
    dropped = order(operator, account_id, "JPY", 20_000, is_paid=False)
    operator("/orders/cancel", order_id=dropped, reason="placed twice")
    until(lambda: len(operator.ask("/documents")["items"]) >= len(paid) - 1)
    refund_id, declined_id = str(uuid4()), str(uuid4())
    operator(
        "/refunds/request", order_id=paid[0], refund_id=refund_id, reason="not needed", amount_minor=1_190
    )
    done = {"refund_ref": "R-2026-1", "evidence": "bank statement"}
    operator("/refunds/confirm", order_id=paid[0], refund_id=refund_id, **done)
    operator("/refunds/request", order_id=paid[1], reason="not needed", amount_minor=2_380)
    operator("/refund-requests/file", order_id=paid[1], reason="by_mistake")
    operator("/refund-requests/file", order_id=paid[2], refund_id=declined_id, reason="other")
    why = "It was spent meanwhile."
    second("/refund-requests/decline", order_id=paid[2], refund_id=declined_id, reason=why)


def lend(operator: Caller, second: Caller, account_id: str) -> None:
    """A limit to buy on account that stands, another that waits, and an invoice that is still to be paid."""
    terms: dict[str, Any] = {"account_id": account_id, "currency": "EUR", "days_to_pay": 30}
    agreed = operator("/postpaid/propose", limit_minor=100_000, reason="pays on time", **terms)
    if agreed:
        second("/postpaid/approve", account_id=account_id, proposal_id=agreed["id"])
    operator("/orders/place", account_id=account_id, currency="EUR", amount_minor=10_000, provider="invoice")
    operator("/postpaid/propose", limit_minor=250_000, reason="grows", **terms)


def order(
    operator: Caller, account_id: str, currency: str, amount_minor: int, *, is_paid: bool = True
) -> str:
    """Its id."""
    placed = operator("/orders/place", account_id=account_id, currency=currency, amount_minor=amount_minor)
    if placed and is_paid:
        terms = {
            "amount_minor": placed["amount_minor"],
            "currency": currency,
            "payment_ref": placed["reference"],
        }
        operator("/orders/settle", order_id=placed["order_id"], evidence="bank statement of today", **terms)
    return str(placed.get("order_id", ""))


def ask(customer: Caller) -> list[str]:
    """Requests of many kinds, one of them with a usage that cannot be; those that were charged."""
    charged = []
    for number in range(40):
        model, stream = ("demo-fast", "demo")[number % 3 == 0], number % 2 == 0
        said = [{"role": "user", "content": f"Say something about the number {number}."}]
        charged.append(customer.complete(model=model, messages=said, stream=stream))
    for number in range(8):
        said = [{"role": "user", "content": f"Number {number}"}]
        customer.complete(model=tuple(FLAKY)[number % 2], messages=said, stream=number % 2 == 1)
    doubt(customer)
    return [one for one in charged if one]


def settle(operator: Caller, second: Caller, account_id: str, requests: list[str]) -> None:
    """What is decided about credit and charges afterwards."""
    for request_id, cause in zip(requests, ("not-ours", "counted-wrongly", "broken-answer"), strict=False):
        operator(
            "/charges/dispute",
            account_id=account_id,
            request_id=request_id,
            cause=cause,
            remark="See the attached log.",
        )
    if requests:
        second("/charges/review", request_id=requests[0], reason="Looked at: the usage is right.")
    operator(
        "/credit/adjust", account_id=account_id, direction="credit", amount_nano=2 * CREDIT, reason="goodwill"
    )
    operator(
        "/credit/adjust",
        account_id=account_id,
        direction="debit",
        amount_nano=5 * CREDIT,
        reason="mistaken grant",
    )
    batch = operator("/codes/issue", count=5, amount_nano=5 * CREDIT, note="conference", credit_days=30)
    operator("/codes/issue", count=3, amount_nano=CREDIT, note="newsletter")
    if batch:
        operator("/codes/redeem", account_id=account_id, code=batch["codes"][0])
    for what, of in (("charges", ""), ("journal", "beancount")):
        operator("/work/export", what=what, of=of)
    operator("/mails/check", email="ops@acme.example")


def fill(ready: dict[str, Any]) -> None:
    """With something of everything."""
    admin, account_id = ready["base_url"].removesuffix("/v1") + "/api/admin", ready["account_id"]
    with (
        Caller(admin, ready["operator_token"]) as operator,
        Caller(ready["base_url"], ready["api_key"]) as customer,
    ):
        made = operator("/operators/register", name="Second", role="admin")
        with Caller(admin, made["token"]) as second:
            sell(operator)
            serve(operator, second)
            announce(operator, account_id)
            for name in CUSTOMERS:
                operator("/accounts/open", name=name)
            equip(operator, account_id)
            pay(operator, second, account_id)
            lend(operator, second, account_id)
            settle(operator, second, account_id, ask(customer))
            stumble(operator, customer, account_id)
            wait_for_somebody(operator, second, account_id)
            tell_of_payments(ready["base_url"].removesuffix("/v1"))


def main() -> int:
    parser = argparse.ArgumentParser(description="Fill a running demo with something of everything.")
    parser.add_argument("ready_file", type=Path)
    fill(json.loads(parser.parse_args().ready_file.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
