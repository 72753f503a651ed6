"""Book what a company whose models are used has billed."""

from typing import ClassVar

from application.command import Command, Done, Ports, execute, stamp
from domain.fact import Actor
from domain.money.events import ProviderCostBooked, book_cost, cost_stream
from domain.operators import Permission


class BookProviderCost(Command, frozen=True, kw_only=True):
    """One bill; its number makes the command safe to repeat."""

    permission: ClassVar[Permission] = "credit"

    provider: str
    period: str
    invoice_ref: str
    amount_minor: int
    currency: str


def handle(command: BookProviderCost, *, actor: Actor, ports: Ports) -> Done:
    """Book it; raises as `book_cost`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        cost_stream(command.provider, command.invoice_ref),
        None,
        _evolve,
        lambda booked: book_cost(
            booked,
            provider=command.provider,
            period=command.period,
            invoice_ref=command.invoice_ref,
            amount_minor=command.amount_minor,
            currency=command.currency,
            stamp=at,
        ),
    )


def _evolve(_none: ProviderCostBooked | None, event: ProviderCostBooked) -> ProviderCostBooked | None:
    return event
