"""What is bought on account, within the limit, and how it is owed no more."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.fact import Stamp
from domain.postpaid.events import (
    AccountOrderPaid,
    AccountOrderReduced,
    BoughtOnAccount,
    PaymentReminded,
    PostpaidEvent,
    Stage,
)
from domain.postpaid.postpaid import Limit, Postpaid, Purchase
from domain.recharge.events import RechargeCredited, RechargeOrderPlaced
from domain.refusal import Refusal

DAY_US: Final = 24 * 3600 * 1_000_000


class NotOnAccount(Refusal):
    """Nobody has agreed that this account buys on account in this currency; nothing was ordered."""

    code: ClassVar[str] = "postpaid_not_agreed"


class PostpaidLimitReached(Refusal):
    """With what is unpaid it would be more than the limit; nothing was ordered."""

    code: ClassVar[str] = "postpaid_limit_reached"

    def __init__(self, *, required_minor: int, left_minor: int, currency: str) -> None:
        super().__init__(f"{required_minor} minor units of {currency}, {left_minor} are left of the limit")
        self.required_minor = required_minor
        self.left_minor = left_minor
        self.currency = currency


class PaymentOverdue(Refusal):
    """An order on account should have been paid by now; nothing more is sold so until it is."""

    code: ClassVar[str] = "payment_overdue"

    def __init__(self, *, due_us: int) -> None:
        super().__init__("an order on account is overdue")
        self.due_us = due_us


def terms_of(postpaid: Postpaid, *, currency: str, now_us: int) -> Limit:
    """The limit by which the account may buy now.

    Raises:
        NotOnAccount, PaymentOverdue: see there.
    """
    limit = postpaid.limit
    if limit is None or limit.currency != currency:
        raise NotOnAccount(f"the account does not buy on account in {currency}")
    if postpaid.due_us is not None and postpaid.is_overdue(now_us):
        raise PaymentOverdue(due_us=postpaid.due_us)
    return limit


def buy(postpaid: Postpaid, placed: RechargeOrderPlaced, credited: RechargeCredited) -> list[PostpaidEvent]:
    """Count an order that is credited in the same append. It is due when it expires.

    Raises:
        NotOnAccount, PaymentOverdue, PostpaidLimitReached: see there.
    """
    now_us, amount_minor = credited.occurred_us, credited.gross_minor
    terms_of(postpaid, currency=placed.currency, now_us=now_us)
    if amount_minor > postpaid.left_minor:
        raise PostpaidLimitReached(
            required_minor=amount_minor, left_minor=postpaid.left_minor, currency=placed.currency
        )
    return [
        BoughtOnAccount(
            account_id=placed.account_id,
            order_id=placed.order_id,
            reference=placed.reference,
            amount_minor=amount_minor,
            currency=placed.currency,
            exponent=placed.exponent,
            due_us=placed.expires_us,
            unpaid_minor=postpaid.unpaid_minor + amount_minor,
            occurred_us=now_us,
            actor=credited.actor,
        )
    ]


def pay(
    postpaid: Postpaid, order_id: UUID, *, account_id: UUID, amount_minor: int, stamp: Stamp
) -> list[PostpaidEvent]:
    """What is left of an order was paid."""
    purchase = _purchase(postpaid, order_id, amount_minor)
    assert purchase.unpaid_minor == amount_minor, "the order has seen that it is all"
    return [
        AccountOrderPaid(
            account_id=account_id,
            order_id=order_id,
            amount_minor=amount_minor,
            currency=purchase.currency,
            unpaid_minor=postpaid.unpaid_minor - amount_minor,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def reduce(
    postpaid: Postpaid,
    order_id: UUID,
    *,
    account_id: UUID,
    refund_id: UUID,
    amount_minor: int,
    stamp: Stamp,
) -> list[PostpaidEvent]:
    """A part of an order was taken back."""
    purchase = _purchase(postpaid, order_id, amount_minor)
    return [
        AccountOrderReduced(
            account_id=account_id,
            order_id=order_id,
            refund_id=refund_id,
            amount_minor=amount_minor,
            currency=purchase.currency,
            unpaid_minor=postpaid.unpaid_minor - amount_minor,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def remind(postpaid: Postpaid, order_id: UUID, *, account_id: UUID, stamp: Stamp) -> list[PostpaidEvent]:
    """Tell the customer of an order that is to be paid soon, or should have been; once for each, and of the later one only if both are over."""
    purchase = postpaid.purchases.get(order_id)
    if purchase is None:
        return []
    stage = stage_of(purchase, stamp.now_us)
    if stage is None or stage == purchase.reminded:
        return []
    return [
        PaymentReminded(
            account_id=account_id,
            order_id=order_id,
            stage=stage,
            reference=purchase.reference,
            amount_minor=purchase.unpaid_minor,
            currency=purchase.currency,
            exponent=purchase.exponent,
            due_us=purchase.due_us,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def stage_of(purchase: Purchase, now_us: int) -> Stage | None:
    """Whether it is to be paid soon, or overdue."""
    if purchase.due_us <= now_us:
        return "overdue"
    return "due_soon" if purchase.soon_us <= now_us else None


def due_of(now_us: int, *, days: int, zone: str) -> int:
    """The end of the day that is so many days after this one, in a zone: from then on it is overdue."""
    here = (datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=now_us)).astimezone(ZoneInfo(zone))
    after = (here + timedelta(days=days + 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(after.astimezone(UTC).timestamp()) * 1_000_000


def _purchase(postpaid: Postpaid, order_id: UUID, amount_minor: int) -> Purchase:
    purchase = postpaid.purchases.get(order_id)
    assert purchase is not None, "only what is unpaid is paid or taken back"
    assert 0 < amount_minor <= purchase.unpaid_minor, "never more than it"
    return purchase
