"""A customer saves a way to pay, and says when to recharge with it."""

from typing import Final, Literal
from uuid import UUID

import msgspec

from domain.auto_recharge.auto import Auto
from domain.auto_recharge.events import (
    AutoRechargeEvent,
    AutoRechargeSet,
    AutoRechargeStopped,
    MethodForgotten,
    MethodPageOpened,
    MethodSaved,
    Rule,
)
from domain.fact import Stamp
from domain.ledger.events import AMOUNT_NANO_MAX
from domain.recharge.currencies import require_minor
from domain.recharge.events import Mode
from domain.refusal import BadField, WrongState
from domain.zones import zone_of

PAGES_MAX: Final = 20
_WHAT: Final = "automatic recharge"


class ObservedMethod(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of a page on which a way to pay may be left."""

    provider: str
    mode: Mode
    account_id: UUID
    session_ref: str
    status: Literal["open", "complete", "expired"]
    method_ref: str = ""  #: and the others, of one that is complete
    customer_ref: str = ""
    brand: str = ""


def open_page(
    auto: Auto,
    *,
    account_id: UUID,
    provider: str,
    mode: Mode,
    session_ref: str,
    expires_us: int,
    stamp: Stamp,
) -> list[AutoRechargeEvent]:
    """Note the provider's page; noting it again does nothing.

    Raises:
        WrongState: many pages were opened, and nothing was left on them.
    """
    if session_ref in auto.pages:
        return []
    if len(auto.pages) >= PAGES_MAX:
        raise WrongState(_WHAT, "waiting for a payment method on many pages already")
    return [
        MethodPageOpened(
            account_id=account_id,
            provider=provider,
            mode=mode,
            session_ref=session_ref,
            expires_us=expires_us,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def observe_method(auto: Auto, seen: ObservedMethod, *, stamp: Stamp) -> list[AutoRechargeEvent]:
    """Keep what was left on a page that we have opened. A page counts once; what is not ours is nothing."""
    if seen.status != "complete" or seen.session_ref not in auto.pages or not seen.method_ref:
        return []
    return [
        MethodSaved(
            account_id=seen.account_id,
            provider=seen.provider,
            mode=seen.mode,
            session_ref=seen.session_ref,
            method_ref=seen.method_ref,
            customer_ref=seen.customer_ref,
            brand=seen.brand,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def forget_method(auto: Auto, *, account_id: UUID, stamp: Stamp) -> list[AutoRechargeEvent]:
    """Use it no more, and recharge no more. Nothing to do where none is saved."""
    if auto.method is None:
        return []
    forgotten = MethodForgotten(
        account_id=account_id,
        provider=auto.method.provider,
        method_ref=auto.method.method_ref,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    stopped = AutoRechargeStopped(
        account_id=account_id, reason="method_forgotten", occurred_us=stamp.now_us, actor=stamp.actor
    )
    return [forgotten, stopped] if auto.is_on else [forgotten]


def set_rule(
    auto: Auto, *, account_id: UUID, rule: Rule, gross_minor: int, stamp: Stamp
) -> list[AutoRechargeEvent]:
    """Recharge by this rule from now on; the same again does nothing. `gross_minor` is what one recharge costs.

    Raises:
        BadField: a number cannot be meant, or the cap is less than one recharge.
        WrongState: no way to pay is saved.
    """
    if not 0 < rule.threshold_nano <= AMOUNT_NANO_MAX:
        raise BadField("threshold_nano", f"must be from 1 to {AMOUNT_NANO_MAX}")
    require_minor(rule.cap_minor, field="cap_minor")
    if rule.cap_minor < gross_minor:
        raise BadField("cap_minor", f"must be at least one recharge, {gross_minor} with tax")
    zone_of(rule.zone)
    if auto.method is None:
        raise WrongState(_WHAT, "without a saved payment method")
    if auto.is_on and auto.rule == rule:
        return []
    return [AutoRechargeSet(account_id=account_id, rule=rule, occurred_us=stamp.now_us, actor=stamp.actor)]


def stop(
    auto: Auto, *, account_id: UUID, reason: Literal["asked", "not_offered"], stamp: Stamp
) -> list[AutoRechargeEvent]:
    """Recharge no more; nothing to do where it is off."""
    if not auto.is_on:
        return []
    return [
        AutoRechargeStopped(account_id=account_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor)
    ]
