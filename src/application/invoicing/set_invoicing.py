"""Have the documents of orders issued without being asked."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, load, stamp
from application.eventlog import EventStore
from application.i18n.locales import Locale
from application.invoicing.streams import load_seller
from domain.fact import Actor
from domain.invoicing import automation
from domain.invoicing.automation import INVOICING_STREAM, Invoicing
from domain.operators import Permission


class SetInvoicing(Command, frozen=True, kw_only=True):
    """The seller of all orders from now on; without one, nothing is issued by itself."""

    permission: ClassVar[Permission] = "credit"

    seller_id: UUID | None = None
    locale: Locale = "en"
    from_us: int | None = None


def load_invoicing(store: EventStore) -> Invoicing:
    """Who issues them now."""
    return load(store, INVOICING_STREAM, Invoicing(), automation.evolve)


def handle(command: SetInvoicing, *, actor: Actor, ports: Ports) -> Done:
    """Record it.

    Raises:
        NotFound: there is no such seller, or it has no series for invoices or for credit notes.
        BadField: see `automation.set_invoicing`.
    """
    if command.seller_id is not None:
        book = load_seller(ports.store, command.seller_id)
        book.newest("invoice")
        book.newest("credit_note")
    at = stamp(ports, actor)
    return execute(
        ports.store,
        INVOICING_STREAM,
        Invoicing(),
        automation.evolve,
        lambda found: automation.set_invoicing(
            found, seller_id=command.seller_id, locale=command.locale, from_us=command.from_us, stamp=at
        ),
    )
