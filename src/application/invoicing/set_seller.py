"""Say how documents name a seller."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Created, Ports, execute, stamp
from domain.fact import Actor
from domain.invoicing import sellers
from domain.invoicing.parties import Seller, TaxId
from domain.operators import Permission


class SetSeller(Command, frozen=True, kw_only=True):
    """A seller, new or as it is from now on; documents that were issued stay as they are."""

    permission: ClassVar[Permission] = "credit"

    legal_name: str
    address: tuple[str, ...]
    country: str
    zone: str = "UTC"
    tax_ids: tuple[TaxId, ...] = ()
    email: str = ""
    seller_id: UUID | None = None


def handle(command: SetSeller, *, actor: Actor, ports: Ports) -> Created:
    """Record it; raises as `sellers.set_seller`."""
    seller_id = command.seller_id or ports.ids.new()
    seller = Seller(
        legal_name=command.legal_name,
        address=command.address,
        country=command.country,
        zone=command.zone,
        tax_ids=command.tax_ids,
        email=command.email,
    )
    at = stamp(ports, actor)
    done = execute(
        ports.store,
        seller_id,
        None,
        sellers.evolve,
        lambda book: sellers.set_seller(book, seller_id=seller_id, seller=seller, stamp=at),
    )
    return Created(id=seller_id, done=done)
