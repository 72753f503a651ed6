"""Keep an exchange rate for a seller's invoices that are in another currency than its tax office reads."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from application.invoicing.streams import load_seller
from domain.fact import Actor
from domain.invoicing import rates
from domain.invoicing.issuing import day_of
from domain.invoicing.rates import DAYS_USUAL, ExchangeRates
from domain.operators import Permission


class SetExchangeRate(Command, frozen=True, kw_only=True):
    """So many of the tax office's currency for one of `currency`, as published on a day."""

    permission: ClassVar[Permission] = "credit"

    seller_id: UUID
    currency: str
    rate: str
    published_on: str
    published_by: str
    days: int = DAYS_USUAL


def handle(command: SetExchangeRate, *, actor: Actor, ports: Ports) -> Done:
    """Record it.

    Raises:
        NotFound: there is no such seller.
        BadField: see `rates.pair_of` and `rates.set_rate`.
    """
    seller = load_seller(ports.store, command.seller_id).seller
    into = rates.pair_of(country=seller.country, currency=command.currency)
    at = stamp(ports, actor)
    return execute(
        ports.store,
        rates.rate_stream(command.seller_id, currency=command.currency, into=into, day=command.published_on),
        ExchangeRates(),
        rates.evolve,
        lambda found: rates.set_rate(
            found,
            seller_id=command.seller_id,
            currency=command.currency,
            into=into,
            rate=command.rate,
            published_on=command.published_on,
            published_by=command.published_by,
            days=command.days,
            today=day_of(at.now_us, seller.zone),
            stamp=at,
        ),
    )
