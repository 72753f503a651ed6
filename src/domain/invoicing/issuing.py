"""Deciders: an invoice with the next number of its series, a credit note for a part of one, and an invoice that takes a credit note back."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from domain.fact import Stamp
from domain.invoicing.billing import BillingProfileSet
from domain.invoicing.document import (
    CreditNoteIssued,
    Document,
    Due,
    Fx,
    InvoiceCredited,
    InvoiceIssued,
    InvoiceReinstated,
    Line,
    Payment,
    RateTotal,
    Reference,
    Reinstated,
)
from domain.invoicing.exchange import fx_of_part
from domain.invoicing.rates import ExchangeRates, fx_of_invoice
from domain.invoicing.sellers import NumberTaken, SellerBook, Series
from domain.invoicing.totals import Sold, part_of, require_left, totals_of
from domain.invoicing.treatment import category_of, notices_of
from domain.privacy import Sealed
from domain.recharge.currencies import exponent_of
from domain.refusal import BadField, Refusal, WrongState
from domain.text import REASON_CHARS_MAX, printable

LAYOUT: Final = 2
"""What documents say from now on; of each its own is kept (`Issued.layout`). 2: countries, where they differ."""
#: What an invoice says as the credit note did that it takes back: the same parties, sums and notices.
_OF_THE_NOTE: Final = (
    *("seller_id", "seller", "account_id", "subject_id", "buyer_country", "vat", "locale"),
    *("currency", "exponent", "rates", "net_minor", "tax_minor", "total_minor", "fx", "notices", "order_id"),
)


class ClockBehindSeries(Refusal):
    """The series has a document of a later day already; nothing was issued, so that days never go back as numbers go up."""

    code: ClassVar[str] = "clock_behind_series"


class SeriesHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where a series is: its last number and that document's day."""

    number: int = 0
    issued_on: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What an invoice is to say, besides who sells and who buys."""

    document_id: UUID
    locale: str
    currency: str
    sold: tuple[Sold, ...]
    tax_included: bool
    supplied_us: int | None = None  #: now if left out
    payment: Payment | None = None
    due: Due | None = None
    fx: Fx | None = None
    order_id: UUID | None = None


def issue_invoice(
    head: SeriesHead,
    *,
    book: SellerBook,
    series: Series,
    buyer: BillingProfileSet,
    pii: Sealed,
    wanted: Wanted,
    rates_kept: ExchangeRates,
    stamp: Stamp,
) -> tuple[NumberTaken, InvoiceIssued]:
    """The next number, and the invoice that has it. `pii` is the buyer, sealed for this event.

    Raises:
        BadField: a line, the currency, the day until which it is to be paid or the exchange rate cannot be used.
        ClockBehindSeries, ExchangeRateMissing: see there.
    """
    seller = book.seller
    categories = [
        category_of(
            seller_country=seller.country, buyer_country=buyer.country, vat=buyer.vat, rate_ppm=one.rate_ppm
        )
        for one in wanted.sold
    ]
    lines, rates = totals_of(wanted.sold, categories, tax_included=wanted.tax_included)
    net_minor, tax_minor = sum(one.net_minor for one in rates), sum(one.tax_minor for one in rates)
    issued_on = day_of(stamp.now_us, seller.zone)
    supplied_on = day_of(wanted.supplied_us or stamp.now_us, seller.zone)
    taken = _take(head, series, document_id=wanted.document_id, issued_on=issued_on, stamp=stamp)
    return taken, InvoiceIssued(
        document_id=wanted.document_id,
        series_id=series.series_id,
        number=taken.number,
        number_text=series.text(taken.number),
        seller_id=book.seller_id,
        seller=seller,
        account_id=buyer.account_id,
        subject_id=buyer.subject_id,
        pii=pii,
        buyer_country=buyer.country,
        vat=buyer.vat,
        locale=wanted.locale,
        issued_on=issued_on,
        supplied_on=supplied_on,
        currency=wanted.currency,
        exponent=exponent_of(wanted.currency),
        lines=lines,
        rates=rates,
        net_minor=net_minor,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        fx=fx_of_invoice(
            wanted.fx,
            rates_kept,
            country=seller.country,
            currency=wanted.currency,
            tax_minor=tax_minor,
            on=supplied_on,
        ),
        notices=notices_of(seller_country=seller.country, categories=frozenset(categories)),
        layout=LAYOUT,
        order_id=wanted.order_id,
        payment=wanted.payment,
        due=_checked_due(wanted),
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def issue_credit_note(
    head: SeriesHead,
    *,
    invoice: Document,
    series: Series,
    pii: Sealed,
    document_id: UUID,
    amount_minor: int | None,
    rates: Sequence[RateTotal] | None,
    reason: str,
    description: str,
    stamp: Stamp,
) -> tuple[NumberTaken, CreditNoteIssued, InvoiceCredited]:
    """Take back `amount_minor` of an invoice, tax included, or exactly `rates`, or all that is left of it.

    Raises:
        WrongState: it is no invoice.
        CreditAboveInvoice, BadField, ClockBehindSeries: see there.
    """
    first = invoice.issued
    if not isinstance(first, InvoiceIssued):
        raise WrongState("document", "a credit note")
    if rates is not None:
        require_left(invoice, rates)
    parts = tuple(rates) if rates is not None else part_of(invoice, amount_minor)
    net_minor, tax_minor = sum(one.net_minor for one in parts), sum(one.tax_minor for one in parts)
    issued_on = day_of(stamp.now_us, first.seller.zone)
    taken = _take(head, series, document_id=document_id, issued_on=issued_on, stamp=stamp)
    note = CreditNoteIssued(
        document_id=document_id,
        series_id=series.series_id,
        number=taken.number,
        number_text=series.text(taken.number),
        seller_id=first.seller_id,
        seller=first.seller,
        account_id=first.account_id,
        subject_id=first.subject_id,
        pii=pii,
        buyer_country=first.buyer_country,
        vat=first.vat,
        locale=first.locale,
        issued_on=issued_on,
        supplied_on=issued_on,
        currency=first.currency,
        exponent=first.exponent,
        lines=tuple(
            Line(
                description=description, net_minor=one.net_minor, category=one.category, rate_ppm=one.rate_ppm
            )
            for one in parts
        ),
        rates=parts,
        net_minor=net_minor,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        fx=fx_of_part(invoice, tax_minor),
        notices=first.notices,
        layout=LAYOUT,
        order_id=first.order_id,
        refers_to=Reference(
            document_id=first.document_id, number_text=first.number_text, issued_on=first.issued_on
        ),
        reason=printable(reason, field="reason", chars_max=REASON_CHARS_MAX),
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    credited = InvoiceCredited(
        document_id=first.document_id,
        credit_note_id=document_id,
        rates=parts,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    return taken, note, credited


def take_note_back(
    head: SeriesHead,
    *,
    note: CreditNoteIssued,
    invoice: Document,
    series: Series,
    pii: Sealed,
    document_id: UUID,
    reason: str,
    description: str,
    stamp: Stamp,
) -> tuple[NumberTaken, InvoiceIssued, InvoiceReinstated]:
    """Invoice again exactly what a credit note took of `invoice`, as its refund came to nothing. Paid as the invoice was.

    Raises:
        WrongState: the credit note was taken back already.
        BadField, ClockBehindSeries: see there.
    """
    first = invoice.issued
    assert isinstance(first, InvoiceIssued), "a credit note is about an invoice"
    if not any(one.credit_note_id == note.document_id for one in invoice.credited):
        raise WrongState("credit note", "taken back")
    issued_on = day_of(stamp.now_us, note.seller.zone)
    taken = _take(head, series, document_id=document_id, issued_on=issued_on, stamp=stamp)
    reinstates = Reinstated(
        document_id=note.document_id,
        number_text=note.number_text,
        issued_on=note.issued_on,
        invoice_id=note.refers_to.document_id,
        reason=printable(reason, field="reason", chars_max=REASON_CHARS_MAX),
    )
    shared = {name: getattr(note, name) for name in _OF_THE_NOTE}
    issued = InvoiceIssued(
        **shared,
        document_id=document_id,
        series_id=series.series_id,
        number=taken.number,
        number_text=series.text(taken.number),
        pii=pii,
        issued_on=issued_on,
        supplied_on=first.supplied_on,
        lines=tuple(msgspec.structs.replace(one, description=description) for one in note.lines),
        layout=LAYOUT,
        payment=first.payment,
        reinstates=reinstates,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    reinstated = InvoiceReinstated(
        document_id=first.document_id,
        credit_note_id=note.document_id,
        reinstated_by=document_id,
        rates=note.rates,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )
    return taken, issued, reinstated


def day_of(time_us: int, zone: str) -> str:
    """The day on which this time is in a zone, such as `2026-11-29`."""
    time = datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=time_us)
    return time.astimezone(ZoneInfo(zone)).date().isoformat()


def _take(
    head: SeriesHead, series: Series, *, document_id: UUID, issued_on: str, stamp: Stamp
) -> NumberTaken:
    if issued_on < head.issued_on:
        raise ClockBehindSeries(f"the series has a document of {head.issued_on} already")
    return NumberTaken(
        series_id=series.series_id,
        number=head.number + 1,
        document_id=document_id,
        issued_on=issued_on,
        occurred_us=stamp.now_us,
        actor=stamp.actor,
    )


def _checked_due(wanted: Wanted) -> Due | msgspec.UnsetType:
    due = wanted.due
    if due is None:
        return msgspec.UNSET
    if wanted.payment is not None:
        raise BadField("due", "must be left out of what is paid")
    printable(due.reference, field="due")
    try:
        date.fromisoformat(due.on)
    except ValueError:
        raise BadField("due", "must have a day such as 2026-11-29") from None
    return due
