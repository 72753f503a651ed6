"""Issue an invoice: the next number of its series, in one append with all that it says."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Created, Ports, stamp
from application.i18n.locales import Locale
from application.invoicing.buyers import profile_and_buyer, seal_for
from application.invoicing.streams import Decided, load_billing, load_rates, load_seller, take_number
from domain.fact import Actor
from domain.invoicing.document import Due, Fx, InvoiceIssued, Payment
from domain.invoicing.issuing import SeriesHead, Wanted, day_of, issue_invoice
from domain.invoicing.totals import Sold
from domain.operators import Permission


class IssueInvoice(Command, frozen=True, kw_only=True):
    """An invoice to the account's buyer as it is now. The same invoice id is issued once.

    Without `fx` the rate that the seller keeps for the day of the supply is noted, where its tax office wants one.
    """

    permission: ClassVar[Permission] = "credit"

    seller_id: UUID
    account_id: UUID
    currency: str
    lines: tuple[Sold, ...]
    locale: Locale = "en"
    tax_included: bool = False
    supplied_us: int | None = None
    payment: Payment | None = None
    due: Due | None = None
    fx: Fx | None = None
    order_id: UUID | None = None
    invoice_id: UUID | None = None


def handle(command: IssueInvoice, *, actor: Actor, ports: Ports) -> Created:
    """Issue it.

    Raises:
        NotFound: there is no such seller, no series for its invoices, or no billing profile.
        SubjectErased, VaultError: the buyer cannot be read.
        Others as `issuing.issue_invoice` and `take_number`; no number was taken.
    """
    book = load_seller(ports.store, command.seller_id)
    series = book.newest("invoice")
    profile, buyer = profile_and_buyer(ports.personal, load_billing(ports.store, command.account_id))
    wanted = Wanted(
        document_id=command.invoice_id or ports.ids.new(),
        locale=command.locale,
        currency=command.currency,
        sold=command.lines,
        tax_included=command.tax_included,
        supplied_us=command.supplied_us,
        payment=command.payment,
        due=command.due,
        fx=command.fx,
        order_id=command.order_id,
    )
    pii = seal_for(ports.personal, profile, buyer, topic=InvoiceIssued.TOPIC)
    at = stamp(ports, actor)
    supplied_on = day_of(command.supplied_us or at.now_us, book.seller.zone)
    rates_kept = load_rates(ports.store, book, currency=command.currency, on=supplied_on)

    def decide(head: SeriesHead) -> Decided:
        taken, issued = issue_invoice(
            head,
            book=book,
            series=series,
            buyer=profile,
            pii=pii,
            wanted=wanted,
            rates_kept=rates_kept,
            stamp=at,
        )
        return taken, issued, ()

    return Created(id=wanted.document_id, done=take_number(ports.store, series, wanted.document_id, decide))
