"""Open a series of numbers for a seller's documents."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.fact import Actor
from domain.invoicing import sellers
from domain.invoicing.sellers import DocumentKind
from domain.operators import Permission


class OpenSeries(Command, frozen=True, kw_only=True):
    """Documents of this kind get numbers of this form from now on, from 1."""

    permission: ClassVar[Permission] = "credit"

    seller_id: UUID
    kind: DocumentKind
    prefix: str
    digits: int = 6


def handle(command: OpenSeries, *, actor: Actor, ports: Ports) -> Done:
    """Open it; raises as `sellers.open_series`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        command.seller_id,
        None,
        sellers.evolve,
        lambda book: sellers.open_series(
            book, kind=command.kind, prefix=command.prefix, digits=command.digits, stamp=at
        ),
    )
