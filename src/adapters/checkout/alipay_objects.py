"""Alipay's trades, refunds and messages, as far as we read them, and what they say about our orders.

The number of a trade is ours, and names order and account. A trade that was closed after it was paid has been paid back.
"""

import re
from typing import Final, Literal
from uuid import UUID

import msgspec

from adapters.checkout.alipay_wire import time_s
from adapters.checkout.trade_numbers import trade_of
from adapters.checkout.yuan import CURRENCY, fen
from application.checkout.ports import BadNotice, Notice, ProviderRefused
from domain.recharge.events import Mode
from domain.recharge.observing import Observation, ObservedPayment, ObservedRefund, ObservedSession

NAME: Final = "alipay"
_US: Final = 1_000_000
_PAID: Final = frozenset({"TRADE_SUCCESS", "TRADE_FINISHED"})
_CLOSED: Final = "TRADE_CLOSED"
_REF: Final = re.compile(r"[!-.0-~]{1,64}", re.ASCII)
_UUID_CHARS: Final = 32
_NOBODY: Final = UUID(int=0)


class AlipayTrade(msgspec.Struct, frozen=True):
    trade_no: str
    out_trade_no: str
    trade_status: str
    total_amount: str
    send_pay_date: str = ""
    trans_currency: str = CURRENCY


class AlipayRefund(msgspec.Struct, frozen=True):
    """Empty where there is no such refund: Alipay says so by leaving everything out."""

    trade_no: str = ""
    out_trade_no: str = ""
    out_request_no: str = ""
    refund_amount: str = ""
    refund_status: str = ""


class AlipayNotice(msgspec.Struct, frozen=True):
    """A message that something happened to a trade; `out_biz_no` and `refund_fee` come with one about a refund."""

    notify_time: str
    app_id: str
    trade_no: str
    out_trade_no: str
    trade_status: str
    seller_id: str = ""
    out_biz_no: str = ""
    refund_fee: str = ""


def notice_of(said: AlipayNotice, *, mode: Mode) -> Notice:
    """The message, named by what it tells, so that two of the same are one.

    Raises:
        BadNotice: something in it cannot be an id or a time.
    """
    is_refund = bool(said.refund_fee and said.out_biz_no)
    parts = [said.trade_no, said.trade_status, *([said.out_biz_no] if is_refund else [])]
    if not all(_REF.fullmatch(one) for one in (*parts, said.out_trade_no)):
        raise BadNotice("the message has no proper id or kind")
    try:
        created_s = time_s(said.notify_time)
    except (ValueError, OverflowError):
        raise BadNotice("the message is of no time") from None
    return Notice(
        event_ref=":".join(parts),
        kind="refund" if is_refund else "trade",
        object_ref=f"{said.out_trade_no}/{said.out_biz_no}" if is_refund else said.out_trade_no,
        created_us=created_s * _US,
        mode=mode,
    )


def observed_trade(trade: AlipayTrade, *, mode: Mode) -> list[Observation]:
    """What a trade says.

    Raises:
        ProviderRefused: its amount is none.
    """
    named = trade_of(trade.out_trade_no)
    amount_minor = fen(trade.total_amount)
    if named is None:
        return []
    if amount_minor is None:
        raise ProviderRefused("an amount that cannot be read")
    is_paid = trade.trade_status in _PAID or (trade.trade_status == _CLOSED and bool(trade.send_pay_date))
    if not is_paid:
        return [
            _page(
                trade.out_trade_no,
                named.order_id,
                mode,
                "expired" if trade.trade_status == _CLOSED else "open",
            )
        ]
    return [
        _page(trade.out_trade_no, named.order_id, mode, "complete"),
        ObservedPayment(
            provider=NAME,
            mode=mode,
            order_id=named.order_id,
            account_id=named.account_id or _NOBODY,
            payment_ref=trade.trade_no,
            status="captured",
            amount_minor=amount_minor,
            currency=trade.trans_currency.upper(),
            method=NAME,
        ),
    ]


def unknown_trade(number: str, *, mode: Mode) -> list[Observation]:
    """A page that nobody has paid on, or been at."""
    named = trade_of(number)
    return [] if named is None else [_page(number, named.order_id, mode, "open")]


def observed_refund(
    refund: AlipayRefund, *, request_no: str, out_trade_no: str, mode: Mode
) -> ObservedRefund | None:
    """What a refund says; none where there is no such refund, or it is of no order of ours.

    Raises:
        ProviderRefused: its amount is none, or it is another refund.
    """
    named = trade_of(out_trade_no)
    if named is None or not refund.out_request_no:
        return None
    amount_minor = fen(refund.refund_amount)
    if amount_minor is None or (refund.out_request_no, refund.out_trade_no) != (request_no, out_trade_no):
        raise ProviderRefused("an answer to another question")
    return ObservedRefund(
        provider=NAME,
        mode=mode,
        order_id=named.order_id,
        payment_ref=refund.trade_no,
        refund_ref=f"{refund.trade_no}/{request_no}",
        refund_id=_uuid(request_no),
        # Without a word on its status the money went at once.
        status="succeeded" if refund.refund_status in {"", "REFUND_SUCCESS"} else "pending",
        amount_minor=amount_minor,
        currency=CURRENCY,
    )


def _page(
    number: str, order_id: UUID, mode: Mode, status: Literal["open", "complete", "expired"]
) -> ObservedSession:
    return ObservedSession(provider=NAME, mode=mode, order_id=order_id, session_ref=number, status=status)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text) if len(text) == _UUID_CHARS else None
    except ValueError:
        return None
