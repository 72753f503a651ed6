"""WeChat Pay's transactions, refunds and messages, as far as we read them, and what they say about our orders.

Amounts are integers of fen. The number of a transaction is ours and names the order; `attach` names the account, as we wrote it.
"""

import re
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from adapters.checkout.trade_numbers import trade_of
from adapters.checkout.wechat_wire import Sealed
from application.checkout.ports import BadNotice, Notice, ProviderRefused
from domain.recharge.events import Mode
from domain.recharge.observing import Observation, ObservedPayment, ObservedRefund, ObservedSession

NAME: Final = "wechat"
_US: Final = 1_000_000
_NOBODY: Final = UUID(int=0)
REF: Final = re.compile(r"[0-9A-Za-z_*-]{1,64}", re.ASCII)
_KIND: Final = re.compile(r"[A-Z_.]{1,64}", re.ASCII)
_UUID_CHARS: Final = 32
#: Paid; `REFUND` is one of which something went back.
_PAID: Final = frozenset({"SUCCESS", "REFUND"})
_OVER: Final = frozenset({"CLOSED", "REVOKED"})


class Amount(msgspec.Struct, frozen=True):
    total: int
    refund: int = 0
    currency: str = "CNY"


class Transaction(msgspec.Struct, frozen=True):
    appid: str
    mchid: str
    out_trade_no: str
    trade_state: str
    transaction_id: str = ""
    attach: str = ""
    amount: Amount | None = None


class WechatRefund(msgspec.Struct, frozen=True):
    refund_id: str
    out_refund_no: str
    transaction_id: str
    out_trade_no: str
    status: str
    amount: Amount


class WechatNotice(msgspec.Struct, frozen=True):
    """The outside of a message."""

    id: str
    create_time: str
    event_type: str
    resource: Sealed


class Told(msgspec.Struct, frozen=True):
    """The inside: whose it is, and what it is about."""

    mchid: str
    out_trade_no: str
    appid: str = ""  #: refunds have none
    out_refund_no: str = ""


def notice_of(said: WechatNotice, told: Told, *, mode: Mode) -> Notice:
    """The message.

    Raises:
        BadNotice: something in it cannot be an id, a kind or a time.
    """
    object_ref = told.out_refund_no or told.out_trade_no
    if not REF.fullmatch(said.id) or not _KIND.fullmatch(said.event_type) or not REF.fullmatch(object_ref):
        raise BadNotice("the message has no proper id or kind")
    return Notice(
        event_ref=said.id,
        kind="refund" if told.out_refund_no else "transaction",
        object_ref=object_ref,
        created_us=_time_us(said.create_time),
        mode=mode,
    )


def observed_transaction(found: Transaction, *, mode: Mode) -> list[Observation]:
    """What a transaction says.

    Raises:
        ProviderRefused: it is paid, and says no amount.
    """
    named = trade_of(found.out_trade_no)
    if named is None:
        return []
    status: Literal["open", "complete", "expired"] = "open"
    if found.trade_state in _PAID:
        status = "complete"
    elif found.trade_state in _OVER:
        status = "expired"
    page = ObservedSession(
        provider=NAME, mode=mode, order_id=named.order_id, session_ref=found.out_trade_no, status=status
    )
    if status != "complete":
        return [page]
    if found.amount is None or not found.transaction_id:
        raise ProviderRefused("an amount that cannot be read")
    return [
        page,
        ObservedPayment(
            provider=NAME,
            mode=mode,
            order_id=named.order_id,
            account_id=_uuid(found.attach) or _NOBODY,
            payment_ref=found.transaction_id,
            status="captured",
            amount_minor=found.amount.total,
            currency=found.amount.currency.upper(),
            method="wechat",
        ),
    ]


def observed_refund(found: WechatRefund, *, mode: Mode) -> ObservedRefund | None:
    """What a refund says; none if it is of no order of ours."""
    named = trade_of(found.out_trade_no)
    if named is None:
        return None
    status: Literal["pending", "succeeded", "failed"] = "pending"
    if found.status == "SUCCESS":
        status = "succeeded"
    elif found.status == "CLOSED":
        status = "failed"
    return ObservedRefund(
        provider=NAME,
        mode=mode,
        order_id=named.order_id,
        payment_ref=found.transaction_id,
        refund_ref=found.refund_id,
        refund_id=_uuid(found.out_refund_no),
        status=status,
        amount_minor=found.amount.refund,
        currency=found.amount.currency.upper(),
        # Such as a bank card that is closed: the merchant pays it back in another way, so it is not over.
        reason="abnormal" if found.status == "ABNORMAL" else "",
    )


def _time_us(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp()) * _US
    except (ValueError, OverflowError):
        raise BadNotice("the message is of no time") from None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text) if len(text) == _UUID_CHARS else None
    except ValueError:
        return None
