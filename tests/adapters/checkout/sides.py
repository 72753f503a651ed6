"""Each payment provider with its counterpart, behind one form: what the conformance suite plays on.

`raw, headers` is a message as it comes in. A side's counterpart is a real server; its customers pay when a test says so.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import Any, Protocol

from adapters.checkout.configured import ProviderSettings, configured
from application.checkout.ports import CheckoutProvider
from tests.adapters.checkout import alipay_stub, day_books, rsa_parties, signed, stripe_stub, wechat_stub
from tests.adapters.checkout.day_books import DAY, Back, Moved
from tests.adapters.checkout.forged_alipay import forged_alipay
from tests.adapters.checkout.forged_stripe import forged_stripe
from tests.adapters.checkout.forged_wechat import forged_wechat

Message = tuple[bytes, list[tuple[str, str]]]
PUBLIC_URL = "https://shop.example"


class Side(Protocol):
    """A provider and its counterpart."""

    name: str
    currency: str
    settings: dict[str, str]  #: with which the provider is set up
    done: bytes  #: what it wants to read when a message is kept
    behind_s_max: int  #: how old a message may be
    down: Callable[[], None]  #: from now on it answers that it has broken down

    def visit(self, session_ref: str) -> None:
        """The customer is at the page, and does not pay yet."""

    def pay(self, session_ref: str, what: str = "") -> str:
        """The customer pays; `what` may be wrong: `amount`, `currency`, `account`. The payment's id."""

    def message(self, session_ref: str, *, off_s: float = 0, number: int = 0) -> Message:
        """A genuine message about a page; with another number it is another message, where the provider has several."""

    def refund_message(self, session_ref: str, refund_ref: str) -> Message:
        """A genuine message about a refund."""

    def foreign(self, session_ref: str) -> Message:
        """A genuine message of the provider's, for another account or mode."""

    def forged(self, session_ref: str) -> Mapping[str, Message]:
        """Messages that nobody must believe, by what is wrong with them."""

    def settle(self, payment_ref: str, refund_ref: str) -> None:
        """On `day_books.DAY` our account there got 119.00 for the payment less a fee of 0.72, paid 5.00 back, and 100.00 to our bank."""


class StripeSide:
    name, currency, done = "stripe", "EUR", b""
    behind_s_max = 300

    def __init__(self, stub: stripe_stub.StripeStub) -> None:
        self.stub = stub
        self.settings = {
            "public_url": PUBLIC_URL,
            "stripe_secret_key": "sk_test_0123456789",
            "stripe_webhook_secret": signed.SECRET,
            "stripe_api_base": stub.url,
        }

    def down(self) -> None:
        self.stub.status = 500

    def visit(self, session_ref: str) -> None:
        assert f"/v1/checkout/sessions/{session_ref}" in self.stub.objects

    def pay(self, session_ref: str, what: str = "") -> str:
        session = self.stub.objects[f"/v1/checkout/sessions/{session_ref}"]
        if what == "account":
            session["metadata"] = session["metadata"] | {"account_id": "nobody"}
        if what == "currency":
            session["currency"] = "usd"
        if what == "amount":
            session["amount_total"] = 1
        return self.stub.pay(session_ref)

    def message(self, session_ref: str, *, off_s: float = 0, number: int = 0) -> Message:
        raw = signed.body(id=f"evt_{session_ref}_{number}", data={"object": {"id": session_ref}})
        return raw, signed.headers(raw, at_s=int(time.time() + off_s))

    def refund_message(self, session_ref: str, refund_ref: str) -> Message:
        refund = self.stub.objects[f"/v1/refunds/{refund_ref}"]
        if isinstance(refund["payment_intent"], str):
            refund["payment_intent"] = self.stub.objects[f"/v1/payment_intents/{refund['payment_intent']}"]
        raw = signed.body(id="evt_refund", type="refund.updated", data={"object": {"id": refund_ref}})
        return raw, signed.headers(raw, at_s=int(time.time()))

    def foreign(self, session_ref: str) -> Message:
        raw = signed.body(livemode=True, data={"object": {"id": session_ref}})
        return raw, signed.headers(raw, at_s=int(time.time()))

    def forged(self, session_ref: str) -> Mapping[str, Message]:
        return forged_stripe(session_ref)

    def settle(self, payment_ref: str, refund_ref: str) -> None:
        def line(ref: str, kind: str, amount: int, fee: int, source: str) -> dict[str, Any]:
            parts = {"id": source, "payment_intent": payment_ref if kind != "payout" else None}
            sums = {"amount": amount, "fee": fee, "net": amount - fee, "currency": "eur"}
            return {"id": ref, "type": kind, "source": parts, "created": int(day_books.at_s()), **sums}

        listed = [
            line("txn_1", "charge", 11_900, 72, "ch_1"),
            line("txn_2", "refund", -500, 0, refund_ref),
            line("txn_3", "payout", -10_000, 0, "po_1"),
        ]
        self.stub.objects["/v1/balance_transactions"] = {"data": listed}


class AlipaySide:
    name, currency, done = "alipay", "CNY", b"success"
    behind_s_max = 26 * 3600

    def __init__(self, stub: alipay_stub.AlipayStub, *, way: str = "page") -> None:
        self.stub = stub
        self.settings = {
            "public_url": PUBLIC_URL,
            "alipay_app_id": alipay_stub.APP_ID,
            "alipay_private_key": rsa_parties.private_bare("ours"),
            "alipay_public_key": rsa_parties.public_bare("alipay"),
            "alipay_seller_id": alipay_stub.SELLER_ID,
            "alipay_gateway": stub.url,
            "alipay_way": way,
        }

    def down(self) -> None:
        self.stub.failing = {
            "code": "20000",
            "msg": "Service Currently Unavailable",
            "sub_code": "isp.unknow-error",
        }

    def visit(self, session_ref: str) -> None:
        self.stub.visit({"out_trade_no": session_ref, "total_amount": "119.00"})

    def pay(self, session_ref: str, what: str = "") -> str:
        number = session_ref
        if what == "account":
            # The number of a trade names the account: another account's trade has another number, and no page of ours.
            number = f"{session_ref[:26]}{'0' * 25}{session_ref[51:]}"
        self.visit(number)
        changes = {"amount": {"total_amount": "0.01"}, "currency": {"trans_currency": "USD"}}.get(what, {})
        ref = self.stub.pay(number, **changes)
        if what == "account":
            self.stub.trades[session_ref] = self.stub.trades[number]
        return ref

    def message(self, session_ref: str, *, off_s: float = 0, number: int = 0) -> Message:
        trade = self.stub.trades[session_ref]
        status = ("TRADE_SUCCESS", "WAIT_BUYER_PAY", "TRADE_FINISHED")[number % 3]
        fields = alipay_stub.notice(session_ref, trade, now_s=time.time() + off_s, trade_status=status)
        return alipay_stub.signed(fields), _FORM

    def refund_message(self, session_ref: str, refund_ref: str) -> Message:
        trade = self.stub.trades[session_ref]
        fields = alipay_stub.notice(
            session_ref,
            trade,
            now_s=time.time(),
            out_biz_no=refund_ref.partition("/")[2],
            refund_fee="5.00",
            gmt_refund="2026-11-29 20:00:00.000",
        )
        return alipay_stub.signed(fields), _FORM

    def foreign(self, session_ref: str) -> Message:
        trade = self.stub.trades[session_ref]
        fields = alipay_stub.notice(session_ref, trade, now_s=time.time(), app_id="2021000000000009")
        return alipay_stub.signed(fields), _FORM

    def forged(self, session_ref: str) -> Mapping[str, Message]:
        return forged_alipay(session_ref, self.stub.trades[session_ref])

    def settle(self, payment_ref: str, refund_ref: str) -> None:
        trade = next(one for one in self.stub.trades.values() if one["trade_no"] == payment_ref)
        number = trade["out_trade_no"]
        moved = [
            Moved("1001", "在线支付", 11_900, payment_ref, number),
            Moved("1002", "收费", -72, payment_ref, number),
            Moved("1003", "交易退款", -500, "20261127", number),
            Moved("1004", "提现", -10_000, "2026112700", ""),
        ]
        back = [Back(payment_ref, refund_ref.partition("/")[2], 500, number)]
        self.stub.bills["signcustomer", str(DAY)] = day_books.zipped(day_books.alipay_flows(moved))
        self.stub.bills["trade", str(DAY)] = day_books.zipped(day_books.alipay_trades(back))


class WechatSide:
    name, currency, done = "wechat", "CNY", b'{"code":"SUCCESS"}'
    behind_s_max = 300

    def __init__(self, stub: wechat_stub.WechatStub) -> None:
        self.stub = stub
        certificate = rsa_parties.certificate("wechat-before", wechat_stub.CERTIFICATE_SERIAL)
        self.settings = {
            "public_url": PUBLIC_URL,
            "wechat_merchant_id": wechat_stub.MERCHANT_ID,
            "wechat_app_id": wechat_stub.APP_ID,
            "wechat_private_key": rsa_parties.private_pem("ours"),
            "wechat_serial": wechat_stub.SERIAL,
            "wechat_api_key": wechat_stub.SEAL_KEY.decode(),
            "wechat_platform_keys": f"{wechat_stub.PLATFORM_ID}\n{rsa_parties.public_pem('wechat')}\n{certificate}",
            "wechat_api_base": stub.url,
        }

    def down(self) -> None:
        self.stub.failing = (500, "SYSTEM_ERROR")

    def visit(self, session_ref: str) -> None:
        assert session_ref in self.stub.trades

    def pay(self, session_ref: str, what: str = "") -> str:
        amount = dict(self.stub.trades[session_ref]["amount"])
        changes: dict[str, Any] = {
            "amount": {"amount": amount | {"total": 1}},
            "currency": {"amount": amount | {"currency": "HKD"}},
            "account": {"attach": "0" * 32},
        }.get(what, {})
        return self.stub.pay(session_ref, **changes)

    def message(self, session_ref: str, *, off_s: float = 0, number: int = 0) -> Message:
        said = wechat_stub.notice(
            self.stub.trades[session_ref], now_s=time.time() + off_s, id=f"EV-{session_ref}-{number}"
        )
        return _wechat(said, off_s=off_s)

    def refund_message(self, session_ref: str, refund_ref: str) -> Message:
        refund = next(one for one in self.stub.refunds.values() if one["refund_id"] == refund_ref)
        told = {name: value for name, value in refund.items() if name != "status"}
        told |= {"mchid": wechat_stub.MERCHANT_ID, "refund_status": "SUCCESS"}
        refund["status"] = "SUCCESS"
        return _wechat(
            wechat_stub.notice(told, now_s=time.time(), id="EV-refund", event_type="REFUND.SUCCESS")
        )

    def foreign(self, session_ref: str) -> Message:
        told = self.stub.trades[session_ref] | {"mchid": "1900000009"}
        return _wechat(wechat_stub.notice(told, now_s=time.time()))

    def forged(self, session_ref: str) -> Mapping[str, Message]:
        return forged_wechat(self.stub.trades[session_ref])

    def settle(self, payment_ref: str, refund_ref: str) -> None:
        moved = [
            Moved("1001", "交易", 11_900, payment_ref),
            Moved("1002", "扣除交易手续费", -72, payment_ref),
            Moved("1003", "退款", -500, refund_ref),
            Moved("1004", "提现", -10_000, "50001"),
        ]
        self.bill("fundflowbill", day_books.wechat_flows(moved))
        self.bill("tradebill", day_books.wechat_trades([Back(payment_ref, refund_ref, 500)]))

    def bill(self, kind: str, text: str, day: date = DAY) -> None:
        self.stub.bills[kind, str(day)] = (day_books.gzipped(text), day_books.sha1(text))


_FORM = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]


def _wechat(said: dict[str, Any], *, off_s: float = 0) -> Message:
    raw = json.dumps(said, ensure_ascii=False).encode()
    return raw, wechat_stub.signed_headers(raw, now_s=int(time.time() + off_s))


@contextmanager
def stripe() -> Iterator[StripeSide]:
    with stripe_stub.serving() as stub:
        yield StripeSide(stub)


@contextmanager
def alipay() -> Iterator[AlipaySide]:
    with alipay_stub.serving() as stub:
        yield AlipaySide(stub)


@contextmanager
def alipay_code() -> Iterator[AlipaySide]:
    with alipay_stub.serving() as stub:
        yield AlipaySide(stub, way="code")


@contextmanager
def wechat() -> Iterator[WechatSide]:
    with wechat_stub.serving() as stub:
        yield WechatSide(stub)


SIDES: dict[str, Callable[[], AbstractContextManager[Side]]] = {
    "stripe": stripe,
    "alipay": alipay,
    "alipay-code": alipay_code,
    "wechat": wechat,
}


def provider_of(side: Side) -> CheckoutProvider:
    """Set up as the product does it."""
    return configured(ProviderSettings(**side.settings)).get(side.name)
