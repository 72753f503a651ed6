"""The receipt for the payment of an order, for which there is no invoice (yet). What the order says, and nothing of anybody else."""

from application.documents.page import Block, Column, Label, Page, Table
from application.documents.wording import Wording
from application.i18n.locales import Locale
from domain.invoicing.issuing import day_of
from domain.invoicing.parties import Seller
from domain.recharge.order import INVOICE, Order
from domain.refusal import WrongState

_INSTALLATION = "Tokenok"


def receipt_page(order: Order, *, seller: Seller | None, holder: str, locale: Locale) -> Page:
    """The page. The same order gives the same one.

    Raises:
        WrongState: the order is not credited, was a test, or is on account: its receipt is that of its invoice.
    """
    credited = order.credited
    if credited is None:
        raise WrongState("order", order.status)
    if credited.mode != "live":
        raise WrongState("order", "a test")
    if credited.provider == INVOICE:
        raise WrongState("order", "waiting for its invoice")
    words = Wording(locale, currency=credited.currency, exponent=credited.exponent)
    _, sender = words.gettext, _INSTALLATION if seller is None else seller.legal_name
    zone = "UTC" if seller is None else seller.zone
    day = words.day(day_of(credited.occurred_us, zone))
    bought = _("Prepaid credit: %(credits)s credits") % {"credits": words.credit(credited.credits_nano)}
    tax = credited.tax
    reference = order.placed.reference
    return Page(
        locale=locale,
        title=_("Receipt"),
        sender=sender,
        number=reference,
        author=sender,
        created_us=credited.occurred_us,
        facts=(
            Label(_("Order"), reference),
            Label(_("Paid on"), day),
            Label(_("Payment"), f"{words.paid_through(credited.provider)} · {credited.payment_ref}"),
        ),
        parties=(*_from(seller, _("From")), Block(_("Account holder"), holder)),
        tables=(
            Table(
                (
                    Column(_("Description"), 58),
                    Column(_("Tax rate"), 16, "right"),
                    Column(_("Net amount (%(currency)s)") % {"currency": credited.currency}, 26, "right"),
                ),
                ((bought, words.percent(tax.rate_ppm), words.money(tax.net_minor)),),
            ),
        ),
        totals=(
            Label(_("Net total"), words.money(tax.net_minor)),
            Label(_("Tax total"), words.money(tax.tax_minor)),
            Label(
                f"{_('Amount paid')} ({credited.currency})", words.money(credited.gross_minor), strong=True
            ),
        ),
        notes=(_("This is the receipt for a payment, and no invoice."),),
        fine_print=(f"{sender} · {_('Receipt')} {reference}",),
        page_of=words.page_of(),
    )


def _from(seller: Seller | None, heading: str) -> tuple[Block, ...]:
    return () if seller is None else (Block(heading, seller.legal_name, seller.address),)
