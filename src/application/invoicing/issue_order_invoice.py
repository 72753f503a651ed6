"""Issue the invoice of an order that was credited: exactly one, however often it is asked for. One on account says until when it is to be
paid, if it is not yet.
"""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Created, Ports
from application.documents.wording import Wording
from application.i18n.locales import Locale
from application.invoicing import issue_invoice
from application.invoicing.queries import invoice_of
from application.invoicing.streams import load_seller
from application.recharge.change_order import load_order
from domain.fact import Actor
from domain.invoicing.document import Due, Payment
from domain.invoicing.issuing import day_of
from domain.invoicing.totals import Sold
from domain.operators import Permission
from domain.recharge.order import INVOICE, Order
from domain.refusal import WrongState


class IssueOrderInvoice(Command, frozen=True, kw_only=True):
    """The invoice of an order; its id follows from the order's."""

    permission: ClassVar[Permission] = "credit"

    order_id: UUID
    seller_id: UUID
    locale: Locale = "en"


def handle(command: IssueOrderInvoice, *, actor: Actor, ports: Ports) -> Created:
    """Issue it, over what was paid or is to be, with the tax that the order was quoted.

    Raises:
        NotFound: there is no such order, seller, series or billing profile.
        WrongState: the order is not credited, or was a test.
        Others as `issue_invoice.handle`.
    """
    order = load_order(ports.store, command.order_id)
    credited = order.credited
    if credited is None:
        raise WrongState("order", order.status)
    if credited.mode != "live":
        raise WrongState("order", "a test")
    zone = load_seller(ports.store, command.seller_id).seller.zone
    words = Wording(command.locale)
    _ = words.gettext
    sold = _("Credit: %(credits)s credits") if order.owed_minor else _("Prepaid credit: %(credits)s credits")
    description = sold % {"credits": words.credit(credited.credits_nano)}
    invoice = issue_invoice.IssueInvoice(
        seller_id=command.seller_id,
        account_id=credited.account_id,
        currency=credited.currency,
        # What is in the sum is what the quote has put on top: both are rounded to the nearest.
        lines=(
            Sold(description=description, amount_minor=credited.gross_minor, rate_ppm=credited.tax.rate_ppm),
        ),
        tax_included=True,
        locale=command.locale,
        supplied_us=credited.occurred_us,
        payment=payment_of(order, words, zone=zone),
        due=_due(order, zone),
        order_id=command.order_id,
        invoice_id=invoice_of(command.order_id),
    )
    return issue_invoice.handle(invoice, actor=actor, ports=ports)


def payment_of(order: Order, words: Wording, *, zone: str) -> Payment | None:
    """How it was paid; none of an order on account that is not paid, or of which all was taken back before."""
    paid = order.paid if order.placed.provider == INVOICE else order.credited
    if paid is None:
        return None
    return Payment(
        paid_on=day_of(paid.occurred_us, zone),
        method=words.paid_through(paid.provider),
        reference=paid.payment_ref,
    )


def _due(order: Order, zone: str) -> Due | None:
    """The day at whose end it is overdue."""
    if order.placed.provider != INVOICE or order.paid is not None:
        return None
    return Due(on=day_of(order.placed.expires_us - 1, zone), reference=order.placed.reference)
