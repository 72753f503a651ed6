"""Invoices, credit notes and receipts as pages. Everything on them is in the event; nothing is looked up anew."""

from typing import Final

import msgspec

from application.documents.page import Block, Column, Label, Page, Table
from application.documents.wording import Wording, texts
from application.i18n.locales import best_locale
from domain.invoicing.document import CreditNoteIssued, Due, InvoiceIssued, Payment, RateTotal
from domain.invoicing.parties import Buyer, TaxId, tax_id
from domain.invoicing.treatment import Notice
from domain.recharge.currencies import exponent_of

_WITH_COUNTRIES: Final = 2  #: the first layout that has them


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the log a document is: whoever has the log, or a proof from it, finds the same."""

    position: int
    leaf_sha256: str


def title_of(issued: InvoiceIssued | CreditNoteIssued) -> str:
    """What the document calls itself, in its language."""
    _, seller = texts(best_locale(issued.locale)).gettext, issued.seller
    qualified = tax_id(seller.tax_ids, "jp_invoice") is not None
    if isinstance(issued, CreditNoteIssued):
        return _("Qualified credit note") if qualified else _("Credit note")
    if seller.country in {"CN", "KR"}:
        # NOTE: what is printed where only the tax office's own document is an invoice
        return _("Statement of charges")
    return _("Qualified invoice") if qualified else _("Invoice")


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of an invoice, which may be less than it where some was taken back before."""

    payment: Payment
    amount_minor: int


def received_of(issued: InvoiceIssued | CreditNoteIssued) -> Received | None:
    """How an invoice was paid when it was issued."""
    if isinstance(issued, InvoiceIssued) and issued.payment is not None:
        return Received(payment=issued.payment, amount_minor=issued.total_minor)
    return None


class _Pen:
    """Writes one document; as a receipt with `received`."""

    def __init__(
        self, issued: InvoiceIssued | CreditNoteIssued, entry: LogEntry, *, received: Received | None
    ) -> None:
        self.issued, self.entry, self.received = issued, entry, received
        self.words = Wording(best_locale(issued.locale), currency=issued.currency, exponent=issued.exponent)

    def title(self) -> str:
        return self.words.gettext("Receipt") if self.received else title_of(self.issued)

    def facts(self) -> tuple[Label, ...]:
        _, issued, day = self.words.gettext, self.issued, self.words.day
        said = [Label(_("Number"), issued.number_text), Label(_("Date of issue"), day(issued.issued_on))]
        if isinstance(issued, CreditNoteIssued):
            first = _("%(number)s of %(day)s") % {
                "number": issued.refers_to.number_text,
                "day": day(issued.refers_to.issued_on),
            }
            said += [Label(_("Corrects invoice"), first), Label(_("Reason"), issued.reason)]
        else:
            said.append(Label(_("Date of supply"), day(issued.supplied_on)))
            said += self._taken_back()
            said += self._paying(issued)
        return tuple(said)

    def _paying(self, issued: InvoiceIssued) -> tuple[Label, ...]:
        _, day = self.words.gettext, self.words.day
        payment = self.received.payment if self.received else issued.payment
        if payment is not None:
            how = f"{payment.method} · {payment.reference}".strip(" ·")
            return Label(_("Paid on"), day(payment.paid_on)), Label(_("Payment"), how)
        if isinstance(issued.due, Due):
            return (
                Label(_("Due date"), day(issued.due.on)),
                Label(_("Payment reference"), issued.due.reference),
            )
        return ()

    def _taken_back(self) -> list[Label]:
        """Of an invoice that takes a credit note back: which one, and why."""
        _, issued = self.words.gettext, self.issued
        if not isinstance(issued, InvoiceIssued) or not issued.reinstates:
            return []
        note = _("%(number)s of %(day)s") % {
            "number": issued.reinstates.number_text,
            "day": self.words.day(issued.reinstates.issued_on),
        }
        return [Label(_("Takes back credit note"), note), Label(_("Reason"), issued.reinstates.reason)]

    def parties(self, buyer: Buyer | None) -> tuple[Block, ...]:
        _, seller = self.words.gettext, self.issued.seller
        ids = [self._tax_id(one) for one in seller.tax_ids]
        mail = [seller.email] if seller.email else []
        ours = Block(
            _("From"),
            seller.legal_name,
            (*seller.address, *self._country(seller.country), *ids, *mail),
        )
        if buyer is None:
            return ours, Block(_("To"), _("(erased)"))
        theirs = [self._tax_id(buyer.tax_id)] if buyer.tax_id is not None else []
        where = (*buyer.address, *self._country(buyer.country))
        return ours, Block(_("To"), buyer.name, (*where, *theirs))

    def _country(self, code: str) -> tuple[str, ...]:
        """The last line of an address abroad: post and tax offices ask for it there."""
        issued = self.issued
        if issued.layout < _WITH_COUNTRIES or issued.seller.country == issued.buyer_country:
            return ()
        return (self.words.country(code),)

    def _tax_id(self, one: TaxId) -> str:
        _ = self.words.gettext
        labels = {
            "vat": _("VAT ID"),
            "jp_invoice": _("Registration number"),
            "kr_business": _("Business registration number"),
            "cn_uscc": _("Unified social credit code"),
            "other": _("Tax number"),
        }
        return f"{labels[one.kind]} {one.value}"

    def lines(self) -> Table:
        _ = self.words.gettext
        columns = (
            Column(_("Description"), 58),
            Column(_("Tax rate"), 16, "right"),
            Column(_("Net amount (%(currency)s)") % {"currency": self.issued.currency}, 26, "right"),
        )
        rows = tuple(
            (one.description, self.words.percent(one.rate_ppm), self.words.money(one.net_minor))
            for one in self.issued.lines
        )
        return Table(columns, rows)

    def rates(self) -> Table:
        """For each rate what it is on and what it comes to, as tax offices ask for it."""
        _ = self.words.gettext
        columns = (
            Column(_("Tax rate"), 34),
            Column(_("Taxable amount"), 22, "right"),
            Column(_("Tax"), 22, "right"),
            Column(_("With tax"), 22, "right"),
        )
        rows = tuple(
            (
                self._rate(one),
                self.words.money(one.net_minor),
                self.words.money(one.tax_minor),
                self.words.money(one.net_minor + one.tax_minor),
            )
            for one in self.issued.rates
        )
        return Table(columns, rows)

    def _rate(self, one: RateTotal) -> str:
        _ = self.words.gettext
        why = {
            "AE": _("reverse charge"),
            "G": _("outside the country"),
            "E": _("exempt"),
            "O": _("not taxable"),
        }
        told = why.get(one.category)
        rate = self.words.percent(one.rate_ppm)
        return f"{rate} · {told}" if told else rate

    def totals(self) -> tuple[Label, ...]:
        _, issued = self.words.gettext, self.issued
        last, last_minor = _("Total"), issued.total_minor
        taken_back: tuple[Label, ...] = ()
        if isinstance(issued, CreditNoteIssued):
            last = _("Total credited")
        elif self.received:
            last, last_minor = _("Amount paid"), self.received.amount_minor
            less_minor = issued.total_minor - last_minor
            if less_minor:
                taken_back = (Label(_("Credited before the payment"), self.words.money(-less_minor)),)
        return (
            Label(_("Net total"), self.words.money(issued.net_minor)),
            Label(_("Tax total"), self.words.money(issued.tax_minor)),
            *taken_back,
            Label(f"{last} ({issued.currency})", self.words.money(last_minor), strong=True),
        )

    def notes(self) -> tuple[str, ...]:
        issued = self.issued
        return (*(self._notice(one) for one in issued.notices), *self._paid(), *self._fx())

    def _paid(self) -> tuple[str, ...]:
        _, issued = self.words.gettext, self.issued
        if not isinstance(issued, InvoiceIssued):
            return ()
        if self.received or issued.payment is not None:
            return (_("Paid in full. Nothing is due."),)
        if isinstance(issued.due, Due):
            told = _("Not paid yet. Please transfer the total by %(day)s and write %(reference)s on it.")
            return (told % {"day": self.words.day(issued.due.on), "reference": issued.due.reference},)
        return ()

    def _fx(self) -> tuple[str, ...]:
        _, fx = self.words.gettext, self.issued.fx
        if fx is None:
            return ()
        told = _(
            "Tax in %(currency)s: %(tax)s, at %(rate)s %(currency)s for 1 %(own)s (%(source)s, %(day)s)."
        )
        return (
            told
            % {
                "currency": fx.currency,
                "tax": Wording(
                    self.words.locale, currency=fx.currency, exponent=exponent_of(fx.currency)
                ).money(fx.tax_minor),
                "rate": fx.rate,
                "own": self.issued.currency,
                "source": fx.source,
                "day": self.words.day(fx.on),
            },
        )

    def _notice(self, notice: Notice) -> str:
        _ = self.words.gettext
        said: dict[Notice, str] = {
            "reverse_charge": _(
                "Reverse charge: the recipient is liable for the VAT (Article 196 of Directive 2006/112/EC)."
            ),
            "export": _("No tax is charged: the service is supplied to a recipient in another country."),
            "exempt": _("No tax is charged: the supply is exempt."),
            "no_fapiao": _(
                "This document is not a fapiao. A fapiao is issued by the tax platform on request."
            ),
            "no_kr_tax_invoice": _(
                "This document is not an electronic tax invoice. That is issued through the National Tax Service."
            ),
        }
        return said[notice]

    def fine_print(self) -> tuple[str, ...]:
        _, seller = self.words.gettext, self.issued.seller
        hashed = _("Entry %(position)s of the log · SHA-256 %(hash)s") % {
            "position": self.entry.position,
            "hash": self.entry.leaf_sha256,
        }
        return f"{seller.legal_name} · {self.title()} {self.issued.number_text}", hashed


def invoice_page(
    issued: InvoiceIssued | CreditNoteIssued,
    buyer: Buyer | None,
    entry: LogEntry,
    *,
    received: Received | None = None,
) -> Page:
    """The page of an invoice or a credit note, or of the receipt for the payment of an invoice."""
    pen = _Pen(issued, entry, received=received)
    return Page(
        locale=pen.words.locale,
        title=pen.title(),
        sender=issued.seller.legal_name,
        number=issued.number_text,
        author=issued.seller.legal_name,
        created_us=issued.occurred_us,
        facts=pen.facts(),
        parties=pen.parties(buyer),
        tables=(pen.lines(), pen.rates()),
        totals=pen.totals(),
        notes=pen.notes(),
        fine_print=pen.fine_print(),
        page_of=pen.words.page_of(),
    )
