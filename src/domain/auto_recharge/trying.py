"""A low balance becomes one order, and its end is noted: never two at once, never beyond the month's cap."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.auto_recharge.auto import BURST, Auto, Try, cap_key, period_of
from domain.auto_recharge.events import (
    AutoRechargeBegun,
    AutoRechargeCapReached,
    AutoRechargeDeclined,
    AutoRechargeEvent,
    AutoRechargeNeedsCustomer,
    AutoRechargePaid,
    AutoRechargeTried,
    Rule,
)
from domain.fact import Stamp
from domain.recharge.events import RechargeOrderPlaced
from domain.zones import zone_of

_HOUR_US: Final = 3600 * 1_000_000
BACK_OFF_US: Final = (_HOUR_US, 6 * _HOUR_US, 24 * _HOUR_US)
"""After so many declines in a row; after one more it is off."""
BURST_US: Final = 10 * 60 * 1_000_000
"""In this time there are at most `BURST` orders: what spends faster than that is looked at by its customer first."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A balance as somebody saw it: what the account owns, on hold or not, up to a position of the log."""

    balance_nano: int
    position: int


def month_of(zone: str, at_us: int) -> str:
    """The calendar month of a time there, such as `2026-11`."""
    local = datetime.fromtimestamp(at_us // 1_000_000, tz=UTC).astimezone(zone_of(zone))
    return f"{local.year:04}-{local.month:02}"


def used_minor(auto: Auto, *, now_us: int) -> int:
    """What counts against the cap of the present month by the present rule."""
    if auto.rule is None:
        return 0
    return auto.used_minor.get(_period(auto.rule, now_us), 0)


def is_due(auto: Auto, seen: Seen, *, now_us: int) -> bool:
    """Whether the balance is to be recharged now, as far as the cap lets it."""
    if not auto.is_on or auto.rule is None or auto.method is None or auto.open_try is not None:
        return False
    is_full = len(auto.burst_us) == BURST and auto.burst_us[0] > now_us - BURST_US
    is_known = seen.position >= auto.balance_from
    return (
        is_known and not is_full and auto.retry_us <= now_us and seen.balance_nano < auto.rule.threshold_nano
    )


def start(auto: Auto, seen: Seen, *, placed: RechargeOrderPlaced, stamp: Stamp) -> list[AutoRechargeEvent]:
    """Have `placed` stored beside this, if it is due; or say that the cap is reached, once."""
    if not is_due(auto, seen, now_us=stamp.now_us):
        return []
    rule = auto.rule
    assert rule is not None, "a rule is due"
    month, used = month_of(rule.zone, stamp.now_us), used_minor(auto, now_us=stamp.now_us)
    if used + placed.amount_minor > rule.cap_minor:
        if auto.capped == cap_key(rule.currency, month, rule.cap_minor):
            return []
        return [
            AutoRechargeCapReached(
                account_id=placed.account_id,
                month=month,
                currency=rule.currency,
                used_minor=used,
                cap_minor=rule.cap_minor,
                occurred_us=stamp.now_us,
                actor=stamp.actor,
            )
        ]
    return [
        AutoRechargeTried(
            account_id=placed.account_id,
            order_id=placed.order_id,
            provider=placed.provider,
            amount_minor=placed.amount_minor,
            currency=placed.currency,
            month=month,
            used_minor=used + placed.amount_minor,
            cap_minor=rule.cap_minor,
            balance_nano=seen.balance_nano,
            threshold_nano=rule.threshold_nano,
            seen_position=seen.position,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def begin(
    auto: Auto, *, account_id: UUID, order_id: UUID, payment_ref: str, stamp: Stamp
) -> list[AutoRechargeEvent]:
    """This payment is to pay the order. Of several that were made the first that is noted, and no other ever."""
    found = _open(auto, order_id)
    if found is None or found.payment_ref is not None:
        return []
    return [
        AutoRechargeBegun(
            account_id=account_id,
            order_id=order_id,
            payment_ref=payment_ref,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def need_customer(auto: Auto, *, account_id: UUID, order_id: UUID, stamp: Stamp) -> list[AutoRechargeEvent]:
    """Leave the order to the customer. Said once."""
    found = _open(auto, order_id)
    if found is None or found.state == "needs_customer":
        return []
    return [
        AutoRechargeNeedsCustomer(
            account_id=account_id, order_id=order_id, occurred_us=stamp.now_us, actor=stamp.actor
        )
    ]


def pay(
    auto: Auto, *, account_id: UUID, order_id: UUID, credited_position: int, stamp: Stamp
) -> list[AutoRechargeEvent]:
    """The order is credited. Nothing to do where its end is known."""
    if _open(auto, order_id) is None:
        return []
    return [
        AutoRechargePaid(
            account_id=account_id,
            order_id=order_id,
            credited_position=credited_position,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def decline(
    auto: Auto, *, account_id: UUID, order_id: UUID, reason: str, stamp: Stamp
) -> list[AutoRechargeEvent]:
    """The order came to nothing: wait longer each time, and give up at last. Nothing to do where its end is known."""
    if _open(auto, order_id) is None:
        return []
    declines = auto.declines + 1
    wait_us = BACK_OFF_US[declines - 1] if declines <= len(BACK_OFF_US) else None
    return [
        AutoRechargeDeclined(
            account_id=account_id,
            order_id=order_id,
            reason=reason,
            declines=declines,
            retry_us=None if wait_us is None else stamp.now_us + wait_us,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _open(auto: Auto, order_id: UUID) -> Try | None:
    found = auto.open_try
    return found if found is not None and found.order_id == order_id else None


def _period(rule: Rule, now_us: int) -> str:
    return period_of(rule.currency, month_of(rule.zone, now_us))
