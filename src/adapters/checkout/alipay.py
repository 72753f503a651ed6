"""Alipay (open platform, mainland China): a page to pay on, or a code to scan; asked by `alipay.trade.query`.

Alipay does not list messages that did not reach us, nor of what a withdrawal is made. The lines of our account are in its daily bills.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, TypeVar
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from adapters.checkout.alipay_bills import HOSTS, METHOD, AlipayBills, BillAddress
from adapters.checkout.alipay_objects import (
    NAME,
    AlipayNotice,
    AlipayRefund,
    AlipayTrade,
    notice_of,
    observed_refund,
    observed_trade,
    unknown_trade,
)
from adapters.checkout.alipay_wire import read_answer, read_notice, request_parameters, time_text
from adapters.checkout.asking import TIMEOUT_S, Asker
from adapters.checkout.bills import balance_lines
from adapters.checkout.downloading import Downloads
from adapters.checkout.trade_numbers import trade_number, trade_of
from adapters.checkout.yuan import CURRENCY, yuan
from application.checkout.methods import SavedMethods
from application.checkout.ports import (
    Acknowledgement,
    BadNotice,
    BalanceTransaction,
    Delivered,
    Headers,
    Notice,
    ProviderRefused,
    RefundOrder,
    Session,
    SessionRequest,
)
from domain.recharge.events import Mode
from domain.recharge.observing import Observation, ObservedRefund

LIVE_GATEWAY: Final = "https://openapi.alipay.com/gateway.do"
AGE_S_MAX: Final = 26 * 3600
"""Alipay sends a message for 25 hours, and does not say whose sending its time is. One that comes again is known by what it names."""
AHEAD_S_MAX: Final = 300
_US: Final = 1_000_000
_UNKNOWN: Final = "ACQ.TRADE_NOT_EXIST"
_SETTLED: Final = frozenset({_UNKNOWN, "ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID"})
_REF: Final = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
_REQUEST: Final = re.compile(r"[!-~]{1,64}", re.ASCII)

Way = Literal["page", "code"]
Answer = TypeVar("Answer")


class AlipayCheckout:
    """One application of one seller, live at Alipay's own gateway and a test everywhere else."""

    currencies: ClassVar[frozenset[str] | None] = frozenset({CURRENCY})
    methods: SavedMethods | None = None
    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement(done=b"success", refused=b"fail")

    def __init__(
        self,
        *,
        app_id: str,
        key: RSAPrivateKey,
        alipay_key: RSAPublicKey,
        notify_url: str,
        seller_id: str = "",
        gateway: str = "",
        way: Way = "page",
        timeout_s: float = TIMEOUT_S,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """`alipay_key`: what Alipay signs with, not ours. `gateway`: another than Alipay's own, such as its sandbox."""
        self.name = NAME
        self.mode: Mode = "live" if gateway in {"", LIVE_GATEWAY} else "test"
        self._gateway = gateway or LIVE_GATEWAY
        self._app_id, self._seller_id = app_id, seller_id
        self._key, self._alipay_key = key, alipay_key
        self._notify_url, self._way = notify_url, way
        self._now_s = now_s
        self._asker = Asker(self._gateway, timeout_s=timeout_s)
        self._bills = AlipayBills(
            ask=lambda content: self._ask(METHOD, content, BillAddress),
            downloads=Downloads(hosts=HOSTS, own=self._gateway, timeout_s=timeout_s),
            seller_id=seller_id,
        )

    def open_session(self, request: SessionRequest) -> Session:
        if request.currency != CURRENCY:
            raise ProviderRefused("currency_not_supported")
        number = trade_number(request.order_id, request.page, request.account_id)
        content = {
            "out_trade_no": number,
            "total_amount": yuan(request.amount_minor),
            # Alipay takes no special characters in it, and a comma would cut a row of its bills.
            "subject": re.sub(r"[^\w.-]+", " ", request.description),
            "time_expire": time_text(request.expires_us // _US),
        }
        if self._way == "code":
            made = self._ask("alipay.trade.precreate", content, _Code, notify_url=self._notify_url)
            url = made.qr_code
        else:
            content["product_code"] = "FAST_INSTANT_TRADE_PAY"
            parameters = self._parameters(
                "alipay.trade.page.pay",
                content,
                {"notify_url": self._notify_url, "return_url": request.success_url},
            )
            url = f"{self._gateway}?{urlencode(parameters)}"
        return Session(
            session_ref=number, url=url, expires_us=request.expires_us, is_code=self._way == "code"
        )

    def close_session(self, session_ref: str) -> None:
        _require_trade(session_ref)
        try:
            self._ask("alipay.trade.close", {"out_trade_no": session_ref}, _Nothing)
        except ProviderRefused as error:
            if error.reason not in _SETTLED:
                raise

    def verify(
        self,
        raw: bytes,
        headers: Headers,  # noqa: ARG002  # the signature is in the form
        *,
        now_us: int,
    ) -> Notice:
        fields = read_notice(raw, key=self._alipay_key)
        try:
            notice = msgspec.convert(fields, AlipayNotice)
        except msgspec.ValidationError:
            raise BadNotice("the message cannot be read") from None
        if notice.app_id != self._app_id or (self._seller_id and notice.seller_id != self._seller_id):
            raise BadNotice("the message is for another seller")
        found = notice_of(notice, mode=self.mode)
        age_us = now_us - found.created_us
        if not -AHEAD_S_MAX * _US <= age_us <= AGE_S_MAX * _US:
            raise BadNotice("the message is not of now")
        return found

    def fetch(self, kind: str, object_ref: str) -> Sequence[Observation]:
        number, _, request_no = object_ref.partition("/")
        if trade_of(number) is None:
            return ()  # of another system of the same seller's
        if kind != "refund":
            return observed_trade(self._trade(number), mode=self.mode)
        if not _REQUEST.fullmatch(request_no):
            raise ProviderRefused("an id that is none")
        return _some(self._refund(out_trade_no=number, request_no=request_no))

    def fetch_session(self, session_ref: str) -> Sequence[Observation]:
        _require_trade(session_ref)
        try:
            return observed_trade(self._trade(session_ref), mode=self.mode)
        except ProviderRefused as error:
            if error.reason != _UNKNOWN:
                raise
            # The trade begins when the customer is at the page.
            return unknown_trade(session_ref, mode=self.mode)

    def fetch_dispute(self, dispute_ref: str) -> Sequence[Observation]:  # noqa: ARG002  # the port's
        return ()

    def refund(self, order: RefundOrder) -> ObservedRefund:
        if order.currency != CURRENCY:
            raise ProviderRefused("currency_not_supported")
        request_no = order.refund_id.hex
        content = {
            "trade_no": order.payment_ref,
            "refund_amount": yuan(order.amount_minor),
            "out_request_no": request_no,
        }
        made = self._ask("alipay.trade.refund", content, _Refunded)
        seen = self._refund(out_trade_no=made.out_trade_no, request_no=request_no)
        if seen is None or seen.order_id != order.order_id:
            raise ProviderRefused("the payment is of no order")
        return seen

    def made_refund(self, order: RefundOrder) -> ObservedRefund | None:  # noqa: ARG002  # its number makes it one, for ever
        return None

    def undelivered(self, *, since_us: int) -> Iterable[Delivered]:  # noqa: ARG002  # there is no such list
        return ()

    def payout_lines(self, payout_ref: str) -> Sequence[BalanceTransaction] | None:  # noqa: ARG002  # there is no such list
        return None

    def balance_transactions(self, *, since_us: int, until_us: int) -> Iterable[BalanceTransaction]:
        return balance_lines(self._bills, since_us=since_us, until_us=until_us)

    def _trade(self, number: str) -> AlipayTrade:
        found = self._ask("alipay.trade.query", {"out_trade_no": number}, AlipayTrade)
        if found.out_trade_no != number:
            raise ProviderRefused("an answer to another question")
        return found

    def _refund(self, *, out_trade_no: str, request_no: str) -> ObservedRefund | None:
        content = {"out_trade_no": out_trade_no, "out_request_no": request_no}
        found = self._ask("alipay.trade.fastpay.refund.query", content, AlipayRefund)
        return observed_refund(found, request_no=request_no, out_trade_no=out_trade_no, mode=self.mode)

    def _ask(self, method: str, content: Mapping[str, Any], kind: type[Answer], **more: str) -> Answer:
        form = urlencode(self._parameters(method, content, more)).encode()
        headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
        answered = self._asker.ask("POST", "", headers=headers, content=form)
        raw = read_answer(method, answered.body, key=self._alipay_key)
        try:
            return msgspec.json.decode(raw, type=kind)
        except msgspec.DecodeError:
            raise ProviderRefused("an answer that cannot be read") from None

    def _parameters(self, method: str, content: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, str]:
        return request_parameters(
            method, content, app_id=self._app_id, key=self._key, now_s=self._now_s(), more=more
        )


class _Nothing(msgspec.Struct, frozen=True):
    pass


class _Code(msgspec.Struct, frozen=True):
    qr_code: str


class _Refunded(msgspec.Struct, frozen=True):
    out_trade_no: str


def _require_trade(session_ref: str) -> None:
    if trade_of(session_ref) is None:
        raise ProviderRefused("an id that is none")


def _some(seen: Observation | None) -> tuple[Observation, ...]:
    return () if seen is None else (seen,)
