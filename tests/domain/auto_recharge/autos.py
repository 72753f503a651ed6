"""Automatic recharges for tests: a rule, a saved way to pay, and the orders that the system places."""

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from domain.auto_recharge.auto import Auto, Method, evolve, order_of
from domain.auto_recharge.events import AutoRechargeEvent, AutoRechargeSet, Rule
from domain.auto_recharge.ruling import ObservedMethod, observe_method, open_page, set_rule
from domain.auto_recharge.trying import Seen, start
from domain.fact import Stamp
from domain.recharge.events import RechargeOrderPlaced
from domain.recharge.placing import place
from tests.domain.recharge.orders import ACCOUNT, NOW_US, OFFERS
from tests.spec import Spec

SPEC: Spec[Auto] = Spec(evolve, initial=Auto())
RULE = Rule(
    threshold_nano=20_000_000_000,
    amount_minor=10_000,
    currency="EUR",
    cap_minor=30_000,
    zone="UTC",
    country="DE",
)
GROSS_MINOR = 11_900
METHOD = Method(provider="stripe", mode="live", method_ref="pm_1", customer_ref="cus_1", brand="visa")
LOW = Seen(balance_nano=19_999_999_999, position=100)
MEMBER = "member:00000000-0000-0000-0000-000000000007"


def at(us: int = NOW_US, *, actor: str = "system") -> Stamp:
    return Stamp(now_us=us, actor=actor)


def page(number: int = 1) -> list[AutoRechargeEvent]:
    """A page of the provider's is open."""
    return open_page(
        Auto(),
        account_id=ACCOUNT,
        provider="stripe",
        mode="live",
        session_ref=f"cs_{number}",
        expires_us=NOW_US + 1,
        stamp=at(actor=MEMBER),
    )


def left(**changes: Any) -> ObservedMethod:
    """What was left on it."""
    seen = ObservedMethod(
        provider="stripe",
        mode="live",
        account_id=ACCOUNT,
        session_ref="cs_1",
        status="complete",
        method_ref="pm_1",
        customer_ref="cus_1",
        brand="visa",
    )
    return replace(seen, **changes)


def saved() -> list[AutoRechargeEvent]:
    """A way to pay is saved."""
    opened = page()
    return [*opened, *observe_method(SPEC.fold(*opened), left(), stamp=at(actor="provider:stripe"))]


def rule_set(**changes: Any) -> AutoRechargeSet:
    return AutoRechargeSet(
        account_id=ACCOUNT, rule=replace(RULE, **changes), occurred_us=NOW_US, actor=MEMBER
    )


def switched_on(**changes: Any) -> list[AutoRechargeEvent]:
    """A way to pay is saved, and the rule is in force."""
    facts = saved()
    rule = replace(RULE, **changes)
    stamp = at(actor=MEMBER)
    decided = set_rule(SPEC.fold(*facts), account_id=ACCOUNT, rule=rule, gross_minor=GROSS_MINOR, stamp=stamp)
    return [*facts, *decided]


def placed_for(auto: Auto, *, us: int = NOW_US, amount_minor: int = 10_000) -> RechargeOrderPlaced:
    """The order that would be placed now."""
    (event,) = place(
        None,
        OFFERS,
        order_id=order_of(ACCOUNT, auto.tries + 1),
        account_id=ACCOUNT,
        provider="stripe",
        mode="live",
        currency="EUR",
        amount_minor=amount_minor,
        country="DE",
        stamp=at(us),
    )
    assert isinstance(event, RechargeOrderPlaced)
    return event


def started(auto: Auto, *, seen: Seen = LOW, us: int = NOW_US) -> list[AutoRechargeEvent]:
    return start(auto, seen, placed=placed_for(auto, us=us), stamp=at(us))


def order(number: int) -> UUID:
    return order_of(ACCOUNT, number)
