"""Say what credit costs in one currency."""

from typing import ClassVar

from application.command import Command, Done, Ports, execute, stamp
from domain.fact import Actor
from domain.operators import Permission
from domain.recharge import offers
from domain.recharge.offers import OFFERS_STREAM, BonusTier, FreeAmounts, Offer, Offers, Package, TaxRate
from domain.refusal import BadField


class SetRechargeOffer(Command, frozen=True, kw_only=True):
    """The whole offer of a currency; it replaces the one before."""

    permission: ClassVar[Permission] = "prices"

    currency: str
    rate_num: int
    rate_den: int = 1
    packages: tuple[Package, ...] = ()
    min_minor: int | None = None
    max_minor: int | None = None
    bonus: tuple[BonusTier, ...] = ()
    taxes: tuple[TaxRate, ...] = ()
    tax_included: bool = False
    approval_minor: int | None = None
    open: bool = True


def handle(command: SetRechargeOffer, *, actor: Actor, ports: Ports) -> Done:
    """Set it; raises as `offers.set_offer`."""
    offer = Offer(
        currency=command.currency,
        rate_num=command.rate_num,
        rate_den=command.rate_den,
        packages=command.packages,
        free=_free(command.min_minor, command.max_minor),
        bonus=command.bonus,
        taxes=command.taxes,
        tax_included=command.tax_included,
        approval_minor=command.approval_minor,
        open=command.open,
    )
    at = stamp(ports, actor)
    return execute(
        ports.store,
        OFFERS_STREAM,
        Offers(),
        offers.evolve,
        lambda state: offers.set_offer(state, offer=offer, stamp=at),
    )


def _free(min_minor: int | None, max_minor: int | None) -> FreeAmounts | None:
    if min_minor is None and max_minor is None:
        return None
    if min_minor is None or max_minor is None:
        raise BadField("min_minor", "and max_minor come together")
    return FreeAmounts(min_minor=min_minor, max_minor=max_minor)
