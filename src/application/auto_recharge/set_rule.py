"""Say when an account recharges by itself, and how much."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.auto_recharge.stream import change_auto
from application.auto_recharge.terms import terms_of
from application.command import Command, Done, Ports, stamp
from domain.auto_recharge.auto import Auto
from domain.auto_recharge.events import AutoRechargeEvent, Rule
from domain.auto_recharge.ruling import set_rule
from domain.fact import Actor
from domain.operators import Permission
from domain.refusal import BadField, WrongState


class SetAutoRecharge(Command, frozen=True, kw_only=True):
    """Below the threshold, order so much, as long as a month's orders stay within the cap."""

    permission: ClassVar[Permission] = "credit"

    account_id: UUID
    threshold_nano: int
    amount_minor: int
    currency: str
    cap_minor: int
    zone: str = "UTC"
    country: str | None = None


def handle(command: SetAutoRecharge, *, actor: Actor, ports: Ports) -> Done:
    """Set it. A balance that is low already is recharged at once.

    Raises:
        NotFound: no such account, or no offer for the currency.
        WrongState: the account is closed, or has no saved way to pay.
        AmountNotOffered, BadField: as `terms_of` and `ruling.set_rule`; or the provider does not take the currency.
    """
    if load_account(ports.store, command.account_id).status == "closed":
        raise WrongState("account", "closed")
    rule = Rule(
        threshold_nano=command.threshold_nano,
        amount_minor=command.amount_minor,
        currency=command.currency,
        cap_minor=command.cap_minor,
        zone=command.zone,
        country=command.country,
    )
    gross_minor = terms_of(ports.store, command.account_id, rule).quote.amount_minor
    at = stamp(ports, actor)

    def decide(auto: Auto) -> list[AutoRechargeEvent]:
        if auto.method is not None and auto.method.provider not in ports.checkouts.taking(rule.currency):
            raise BadField("currency", f"is none that {auto.method.provider} takes")
        return set_rule(auto, account_id=command.account_id, rule=rule, gross_minor=gross_minor, stamp=at)

    return change_auto(ports.store, command.account_id, decide)
