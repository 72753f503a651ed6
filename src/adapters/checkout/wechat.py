"""WeChat Pay (API v3, a merchant in mainland China): a code that the customer's phone reads; asked by our number of the trade.

WeChat Pay does not list messages that did not reach us, nor of what a withdrawal is made. The lines of our account are in its daily bills.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from adapters.checkout.asking import TIMEOUT_S, Answered, Asker
from adapters.checkout.bills import balance_lines
from adapters.checkout.downloading import Downloads
from adapters.checkout.trade_numbers import trade_number, trade_of
from adapters.checkout.wechat_bills import HOSTS, BillAddress, WechatBills
from adapters.checkout.wechat_objects import (
    NAME,
    REF,
    Told,
    Transaction,
    WechatNotice,
    WechatRefund,
    notice_of,
    observed_refund,
    observed_transaction,
)
from adapters.checkout.wechat_wire import authorization, check_notice, is_answer_signed, opened
from adapters.checkout.yuan import CURRENCY
from application.checkout.methods import SavedMethods
from application.checkout.ports import (
    Acknowledgement,
    BadNotice,
    BalanceTransaction,
    Delivered,
    Headers,
    Notice,
    ProviderRefused,
    ProviderUnavailable,
    RefundOrder,
    Session,
    SessionRequest,
)
from domain.recharge.events import Mode
from domain.recharge.observing import Observation, ObservedRefund

LIVE_BASE: Final = "https://api.mch.weixin.qq.com"
_TRADES: Final = "/v3/pay/transactions/out-trade-no"
_REFUNDS: Final = "/v3/refund/domestic/refunds"
_US: Final = 1_000_000
_DESCRIPTION_CHARS_MAX: Final = 127
_DONE: Final = range(200, 300)
#: Settings, limits, a merchant's account that is empty, or WeChat Pay itself: the same question may be answered later.
_LATER: Final = frozenset({401, 403, 408, 409, 429})
_ERRORS: Final = range(400, 500)
_CLOSED: Final = frozenset({"ORDER_PAID", "ORDERPAID", "ORDER_CLOSED", "ORDERCLOSED", "ORDER_NOT_EXIST"})

Answer = TypeVar("Answer")


class WechatCheckout:
    """One merchant with one application; live at WeChat Pay's own address and a test everywhere else. There is no sandbox."""

    currencies: ClassVar[frozenset[str] | None] = frozenset({CURRENCY})
    methods: SavedMethods | None = None
    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement(
        done=b'{"code":"SUCCESS"}',
        refused=b'{"code":"FAIL","message":"refused"}',
        media_type="application/json",
    )

    def __init__(
        self,
        *,
        merchant_id: str,
        app_id: str,
        key: RSAPrivateKey,
        serial: str,
        seal_key: bytes,
        platform: Mapping[str, RSAPublicKey],
        notify_url: str,
        api_base: str = "",
        timeout_s: float = TIMEOUT_S,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """`serial` is that of our certificate, `seal_key` the APIv3 key, `platform` WeChat Pay's own keys by id."""
        self.name = NAME
        self.mode: Mode = "live" if api_base in {"", LIVE_BASE} else "test"
        self._merchant_id, self._app_id = merchant_id, app_id
        self._key, self._serial, self._seal_key = key, serial, seal_key
        self._platform, self._notify_url, self._now_s = dict(platform), notify_url, now_s
        base = api_base or LIVE_BASE
        self._asker = Asker(base, timeout_s=timeout_s)
        self._bills = WechatBills(
            ask=lambda path: self._ask("GET", path, BillAddress),
            downloads=Downloads(hosts=HOSTS, own=base, timeout_s=timeout_s),
            headers_for=lambda path: {"authorization": self._authorization("GET", path, b"")},
            merchant_id=merchant_id,
        )

    def open_session(self, request: SessionRequest) -> Session:
        if request.currency != CURRENCY:
            raise ProviderRefused("currency_not_supported")
        number = trade_number(request.order_id, request.page)
        content = {
            "appid": self._app_id,
            "mchid": self._merchant_id,
            "description": request.description[:_DESCRIPTION_CHARS_MAX],
            "out_trade_no": number,
            "time_expire": datetime.fromtimestamp(request.expires_us // _US, tz=UTC).isoformat(),
            "attach": request.account_id.hex,
            "notify_url": self._notify_url,
            "amount": {"total": request.amount_minor, "currency": request.currency},
        }
        made = self._ask("POST", "/v3/pay/transactions/native", _Code, content)
        return Session(session_ref=number, url=made.code_url, expires_us=request.expires_us, is_code=True)

    def close_session(self, session_ref: str) -> None:
        _require_trade(session_ref)
        try:
            self._answered("POST", f"{_TRADES}/{session_ref}/close", {"mchid": self._merchant_id})
        except ProviderRefused as error:
            if error.reason not in _CLOSED:
                raise

    def verify(self, raw: bytes, headers: Headers, *, now_us: int) -> Notice:
        check_notice(raw, headers, keys=self._platform, now_s=now_us // _US)
        try:
            said = msgspec.json.decode(raw, type=WechatNotice)
            told = msgspec.json.decode(opened(said.resource, key=self._seal_key), type=Told)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise BadNotice("the message cannot be read") from None
        if told.mchid != self._merchant_id or told.appid not in {"", self._app_id}:
            raise BadNotice("the message is for another merchant")
        return notice_of(said, told, mode=self.mode)

    def fetch(self, kind: str, object_ref: str) -> Sequence[Observation]:
        if kind == "refund":
            _require_ref(object_ref)
            seen = observed_refund(self._ask("GET", f"{_REFUNDS}/{object_ref}", WechatRefund), mode=self.mode)
            return () if seen is None else (seen,)
        if trade_of(object_ref) is None:
            return ()  # of another system of the same merchant's
        return self.fetch_session(object_ref)

    def fetch_session(self, session_ref: str) -> Sequence[Observation]:
        _require_trade(session_ref)
        path = f"{_TRADES}/{session_ref}?mchid={self._merchant_id}"
        found = self._ask("GET", path, Transaction)
        if (found.mchid, found.appid, found.out_trade_no) != (self._merchant_id, self._app_id, session_ref):
            raise ProviderRefused("an answer to another question")
        return observed_transaction(found, mode=self.mode)

    def fetch_dispute(self, dispute_ref: str) -> Sequence[Observation]:  # noqa: ARG002  # the port's
        return ()

    def refund(self, order: RefundOrder) -> ObservedRefund:
        _require_ref(order.payment_ref)
        paid = self._ask(
            "GET", f"/v3/pay/transactions/id/{order.payment_ref}?mchid={self._merchant_id}", Transaction
        )
        if paid.amount is None:
            raise ProviderRefused("the payment is not paid")
        content = {
            "transaction_id": order.payment_ref,
            "out_refund_no": order.refund_id.hex,
            "amount": {
                "refund": order.amount_minor,
                "total": paid.amount.total,
                "currency": order.currency,
            },
        }
        seen = observed_refund(self._ask("POST", _REFUNDS, WechatRefund, content), mode=self.mode)
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

    def _ask(
        self, method: str, path: str, kind: type[Answer], content: Mapping[str, Any] | None = None
    ) -> Answer:
        answered = self._answered(method, path, content)
        try:
            return msgspec.json.decode(answered.body, type=kind)
        except msgspec.DecodeError:
            raise ProviderRefused("an answer that cannot be read") from None

    def _answered(self, method: str, path: str, content: Mapping[str, Any] | None) -> Answered:
        body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        headers = {
            "authorization": self._authorization(method, path, body),
            "accept": "application/json",
            "content-type": "application/json",
            # With which of its keys the answer is to be signed.
            "wechatpay-serial": next(iter(self._platform)),
        }
        found = self._asker.ask(method, path, headers=headers, content=body)
        if found.status in _DONE:
            if not is_answer_signed(found.headers, found.body, keys=self._platform):
                raise ProviderUnavailable("an answer that is not signed")
            return found
        raise _meant(found)

    def _authorization(self, method: str, path: str, body: bytes) -> str:
        return authorization(
            method,
            path,
            body,
            merchant_id=self._merchant_id,
            serial=self._serial,
            key=self._key,
            now_s=int(self._now_s()),
        )


class _Code(msgspec.Struct, frozen=True):
    code_url: str


class _Error(msgspec.Struct, frozen=True):
    code: str = ""


def _meant(found: Answered) -> ProviderRefused | ProviderUnavailable:
    """Whether another try can help. The words of an error may repeat what was sent, so only its code is kept."""
    try:
        code = msgspec.json.decode(found.body, type=_Error).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        code = ""
    reason = code[:64] or str(found.status)
    if found.status in _ERRORS and found.status not in _LATER:
        return ProviderRefused(reason)
    return ProviderUnavailable(reason)


def _require_ref(text: str) -> None:
    if not REF.fullmatch(text):
        raise ProviderRefused("an id that is none")


def _require_trade(session_ref: str) -> None:
    if trade_of(session_ref) is None:
        raise ProviderRefused("an id that is none")
