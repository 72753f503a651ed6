"""An order begins, and ends without a payment."""

from typing import Final
from uuid import UUID

from domain.fact import Stamp
from domain.recharge.currencies import exponent_of
from domain.recharge.events import (
    CheckoutSessionOpened,
    Mode,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    RechargeOrderPlaced,
)
from domain.recharge.offers import Offers, country_code, quote
from domain.recharge.order import MANUAL, Order
from domain.recharge.reference import reference_of
from domain.refusal import AlreadyExists, WrongState
from domain.text import REASON_CHARS_MAX, printable

_HOUR_US: Final = 3600 * 1_000_000
CHECKOUT_US: Final = 23 * _HOUR_US
"""How long an order waits for a payment at a checkout. A provider's page may live for a day, by the provider's clock."""
TRANSFER_US: Final = 14 * 24 * _HOUR_US
"""How long it waits for a bank transfer."""


def place(
    order: Order | None,
    offers: Offers,
    *,
    order_id: UUID,
    account_id: UUID,
    provider: str,
    mode: Mode,
    currency: str,
    amount_minor: int,
    country: str | None,
    reverse_charge: bool = False,
    due_us: int | None = None,
    stamp: Stamp,
) -> list[OrderEvent]:
    """Order `amount_minor` of credit on the present terms; the same again does nothing. `due_us`: it waits until then for a payment.

    Raises:
        AlreadyExists: the id is of another order.
        NotFound, AmountNotOffered, BadField: as `offers.quote`.
    """
    if order is not None:
        there = order.placed
        # The amount is not compared: a repeated command must find its order when the offer has changed meanwhile.
        same = (there.account_id, there.provider, there.mode, there.currency)
        if same == (account_id, provider, mode, currency) and country in {None, there.tax.country}:
            return []
        raise AlreadyExists("order", order_id)
    exponent = exponent_of(currency)
    if country is not None:
        country_code(country)
    terms = quote(
        offers,
        currency=currency,
        amount_minor=amount_minor,
        country=country,
        reverse_charge=reverse_charge,
    )
    offer = offers.by_currency[currency]
    return [
        RechargeOrderPlaced(
            order_id=order_id,
            account_id=account_id,
            provider=provider,
            mode=mode,
            amount_minor=terms.amount_minor,
            currency=currency,
            exponent=exponent,
            credits_nano=terms.credits_nano,
            bonus_nano=terms.bonus_nano,
            rate_num=offer.rate_num,
            rate_den=offer.rate_den,
            tax=terms.tax,
            reference=reference_of(order_id),
            approval_minor=offer.approval_minor,
            expires_us=due_us or stamp.now_us + (TRANSFER_US if provider == MANUAL else CHECKOUT_US),
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def open_session(
    order: Order, *, session_ref: str, idempotency_key: str, expires_us: int, stamp: Stamp
) -> list[OrderEvent]:
    """Note the provider's page; noting it again does nothing.

    Raises:
        WrongState: nobody waits for a payment any more.
    """
    if session_ref in order.sessions:
        return []
    if not order.is_waiting:
        raise WrongState("order", order.status)
    return [
        CheckoutSessionOpened(
            order_id=order.order_id,
            session_ref=session_ref,
            idempotency_key=idempotency_key,
            expires_us=expires_us,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def cancel(order: Order, *, reason: str, stamp: Stamp) -> list[OrderEvent]:
    """Wait for no payment any more; doing it twice does nothing.

    Raises:
        WrongState: it is paid, a payment is under way, or a transfer waits for a second operator.
        BadField: the reason cannot be shown.
    """
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if order.ended is not None:
        return []
    if order.credited is not None or order.status == "processing":
        raise WrongState("order", order.status)
    if order.proposal is not None:
        raise WrongState("order", "waiting for a second operator")
    return [
        OrderCancelled(order_id=order.order_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def expire(order: Order, *, stamp: Stamp) -> list[OrderEvent]:
    """End an order whose time is over; does nothing while a payment is under way or before that time."""
    is_over = order.placed.expires_us <= stamp.now_us
    if not (is_over and order.is_waiting) or order.status == "processing" or order.proposal is not None:
        return []
    return [OrderExpired(order_id=order.order_id, occurred_us=stamp.now_us, actor=stamp.actor)]
