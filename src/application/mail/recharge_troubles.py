"""Facts of automatic recharges that their customer gets a mail about, and what it says."""

from typing import Literal

from application.auto_recharge.stream import load_auto
from application.eventlog import EventStore
from application.mail.letters import AutoRechargeTrouble
from application.recharge.change_order import load_order
from domain.auto_recharge.events import (
    AutoRechargeCapReached,
    AutoRechargeDeclined,
    AutoRechargeNeedsCustomer,
    AutoRechargeStopped,
    Rule,
)
from domain.recharge.currencies import exponent_of

RechargeTrouble = (
    AutoRechargeNeedsCustomer | AutoRechargeDeclined | AutoRechargeCapReached | AutoRechargeStopped
)


def trouble_of(event: RechargeTrouble, *, store: EventStore, home: str) -> AutoRechargeTrouble | None:
    """The letter; none where the customer did it themselves, or no money is meant. `home` is the address of the workspace, if there is one."""
    rule = load_auto(store, event.account_id).rule
    assert rule is not None, "nothing happens without a rule"
    if isinstance(event, AutoRechargeCapReached):
        return _letter("cap_reached", event.cap_minor, rule, event.currency, home)
    if isinstance(event, AutoRechargeStopped):
        offered = event.reason != "not_offered"
        return None if offered else _letter("not_offered", rule.amount_minor, rule, rule.currency, home)
    placed = load_order(store, event.order_id).placed
    if placed.mode != "live":
        return None
    if isinstance(event, AutoRechargeNeedsCustomer):
        link = f"{home}/orders/{event.order_id}" if home else ""
        return AutoRechargeTrouble(
            what="needs_customer",
            amount_minor=placed.amount_minor,
            currency=placed.currency,
            exponent=placed.exponent,
            recharge_link=link,
        )
    what: Literal["declined", "off"] = "off" if event.retry_us is None else "declined"
    return _letter(what, placed.amount_minor, rule, placed.currency, home, retry_us=event.retry_us)


def _letter(
    what: Literal["declined", "off", "cap_reached", "not_offered"],
    amount_minor: int,
    rule: Rule,
    currency: str,
    home: str,
    *,
    retry_us: int | None = None,
) -> AutoRechargeTrouble:
    return AutoRechargeTrouble(
        what=what,
        amount_minor=amount_minor,
        currency=currency,
        exponent=exponent_of(currency),
        retry_us=retry_us,
        zone=rule.zone,
        recharge_link=f"{home}/recharge" if home else "",
    )
