"""The e-invoice: what a document says, as a Cross Industry Invoice (CII) after EN 16931, for other people's programs.

Members stand in the order of the schema. The same document gives the same bytes.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from domain.invoicing.document import CreditNoteIssued, Due, Fx, InvoiceIssued, RateTotal
from domain.invoicing.parties import Buyer, Seller, TaxId
from domain.recharge.currencies import exponent_of

GUIDELINE: Final = "urn:cen.eu:en16931:2017"
_EXPONENT_MAX: Final = 2  #: amounts have two decimals there
_INVOICE, _CREDIT_NOTE = "380", "381"
_LINES_MAX: Final = 3
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"'
    ' xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"'
    ' xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"'
    ' xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100">\n'
)
_TERMS: Final = "As agreed"
_WHY: Final = {
    "AE": "Reverse charge",
    "G": "Supplied to a recipient in another country",
    "E": "Exempt supply",
    "O": "Not subject to tax",
}


def einvoice(issued: InvoiceIssued | CreditNoteIssued, buyer: Buyer) -> bytes | None:
    """The file; none where the currency has more decimals than the standard knows."""
    exponents = [issued.exponent, *([] if issued.fx is None else [exponent_of(issued.fx.currency)])]
    if max(exponents) > _EXPONENT_MAX:
        return None
    body = (
        _tag(
            "rsm:ExchangedDocumentContext",
            _tag("ram:GuidelineSpecifiedDocumentContextParameter", _id(GUIDELINE)),
        ),
        _document(issued),
        _tag("rsm:SupplyChainTradeTransaction", *_lines(issued), *_header(issued, buyer)),
    )
    return (_HEAD + "\n".join(body) + "\n</rsm:CrossIndustryInvoice>\n").encode()


def _tag(name: str, *inside: str, **attributes: str) -> str:
    said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{said}>{''.join(inside)}</{name}>"


def _text(name: str, value: str, **attributes: str) -> str:
    return _tag(name, escape(value), **attributes)


def _id(value: str) -> str:
    return _text("ram:ID", value)


def _date(name: str, iso: str, *, prefix: str = "udt") -> str:
    return _tag(name, _text(f"{prefix}:DateTimeString", iso.replace("-", ""), format="102"))


def _document(issued: InvoiceIssued | CreditNoteIssued) -> str:
    kind, notes = _INVOICE, []
    reference = _referred(issued)
    if reference is not None:
        notes = [_tag("ram:IncludedNote", _text("ram:Content", reference.reason))]
    if isinstance(issued, CreditNoteIssued):
        kind = _CREDIT_NOTE
    return _tag(
        "rsm:ExchangedDocument",
        _id(issued.number_text),
        _text("ram:TypeCode", kind),
        _date("ram:IssueDateTime", issued.issued_on),
        *notes,
    )


def _lines(issued: InvoiceIssued | CreditNoteIssued) -> Iterable[str]:
    for number, line in enumerate(issued.lines, 1):
        tax = (_text("ram:TypeCode", "VAT"), _text("ram:CategoryCode", line.category), _rate(line.rate_ppm))
        amount = _amount(issued, line.net_minor)
        yield _tag(
            "ram:IncludedSupplyChainTradeLineItem",
            _tag("ram:AssociatedDocumentLineDocument", _text("ram:LineID", str(number))),
            _tag("ram:SpecifiedTradeProduct", _text("ram:Name", line.description)),
            _tag(
                "ram:SpecifiedLineTradeAgreement",
                _tag("ram:NetPriceProductTradePrice", _text("ram:ChargeAmount", amount)),
            ),
            _tag("ram:SpecifiedLineTradeDelivery", _text("ram:BilledQuantity", "1", unitCode="C62")),
            _tag(
                "ram:SpecifiedLineTradeSettlement",
                _tag("ram:ApplicableTradeTax", *tax),
                _tag(
                    "ram:SpecifiedTradeSettlementLineMonetarySummation", _text("ram:LineTotalAmount", amount)
                ),
            ),
        )


def _header(issued: InvoiceIssued | CreditNoteIssued, buyer: Buyer) -> Iterable[str]:
    yield _tag("ram:ApplicableHeaderTradeAgreement", _seller(issued, issued.seller), _buyer(buyer))
    supplied = _tag("ram:ActualDeliverySupplyChainEvent", _date("ram:OccurrenceDateTime", issued.supplied_on))
    yield _tag("ram:ApplicableHeaderTradeDelivery", supplied)
    yield _tag("ram:ApplicableHeaderTradeSettlement", *_settlement(issued))


def _seller(issued: InvoiceIssued | CreditNoteIssued, seller: Seller) -> str:
    own = [] if seller.tax_ids else [_id(str(issued.seller_id))]
    return _tag(
        "ram:SellerTradeParty",
        *own,
        _text("ram:Name", seller.legal_name),
        _address(seller.address, seller.country),
        *(_registration(one) for one in seller.tax_ids),
    )


def _buyer(buyer: Buyer) -> str:
    legal, taxed = [], []
    if buyer.tax_id is not None and buyer.tax_id.kind == "vat":
        taxed = [_registration(buyer.tax_id)]
    elif buyer.tax_id is not None:
        legal = [_tag("ram:SpecifiedLegalOrganization", _id(buyer.tax_id.value))]
    name, address = _text("ram:Name", buyer.name), _address(buyer.address, buyer.country)
    return _tag("ram:BuyerTradeParty", name, *legal, address, *taxed)


def _address(lines: tuple[str, ...], country: str) -> str:
    """The standard has three lines; what is more goes into the last."""
    kept = [*lines[: _LINES_MAX - 1], ", ".join(lines[_LINES_MAX - 1 :])]
    names = ("ram:LineOne", "ram:LineTwo", "ram:LineThree")
    said = [_text(name, line) for name, line in zip(names, kept, strict=False) if line]
    return _tag("ram:PostalTradeAddress", *said, _text("ram:CountryID", country))


def _registration(one: TaxId) -> str:
    scheme = "VA" if one.kind == "vat" else "FC"
    return _tag("ram:SpecifiedTaxRegistration", _text("ram:ID", one.value, schemeID=scheme))


def _settlement(issued: InvoiceIssued | CreditNoteIssued) -> Iterable[str]:
    due = issued.due if isinstance(issued, InvoiceIssued) and isinstance(issued.due, Due) else None
    if due is not None:
        yield _text("ram:PaymentReference", due.reference)
    if issued.fx is not None:
        yield _text("ram:TaxCurrencyCode", issued.fx.currency)
    yield _text("ram:InvoiceCurrencyCode", issued.currency)
    yield from (_tax(issued, rate) for rate in issued.rates)
    paid = isinstance(issued, InvoiceIssued) and issued.payment is not None
    if due is not None:
        yield _tag("ram:SpecifiedTradePaymentTerms", _date("ram:DueDateDateTime", due.on))
    elif not paid:
        yield _tag("ram:SpecifiedTradePaymentTerms", _text("ram:Description", _TERMS))
    total = _amount(issued, issued.total_minor)
    in_office = [] if issued.fx is None else [_in_office(issued.fx)]
    prepaid = [_text("ram:TotalPrepaidAmount", total)] if paid else []
    yield _tag(
        "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
        _text("ram:LineTotalAmount", _amount(issued, issued.net_minor)),
        _text("ram:TaxBasisTotalAmount", _amount(issued, issued.net_minor)),
        _text("ram:TaxTotalAmount", _amount(issued, issued.tax_minor), currencyID=issued.currency),
        *in_office,
        _text("ram:GrandTotalAmount", total),
        *prepaid,
        _text("ram:DuePayableAmount", _amount(issued, 0) if paid else total),
    )
    reference = _referred(issued)
    if reference is not None:
        yield _tag(
            "ram:InvoiceReferencedDocument",
            _text("ram:IssuerAssignedID", reference.number_text),
            _date("ram:FormattedIssueDateTime", reference.issued_on, prefix="qdt"),
        )


class _Referred(msgspec.Struct, frozen=True):
    """The document before it, and why there is another."""

    number_text: str
    issued_on: str
    reason: str


def _referred(issued: InvoiceIssued | CreditNoteIssued) -> _Referred | None:
    if isinstance(issued, CreditNoteIssued):
        first = issued.refers_to
        return _Referred(first.number_text, first.issued_on, issued.reason)
    note = issued.reinstates
    return _Referred(note.number_text, note.issued_on, note.reason) if note else None


def _in_office(fx: Fx) -> str:
    amount = Decimal(fx.tax_minor).scaleb(-exponent_of(fx.currency))
    return _text("ram:TaxTotalAmount", f"{amount:f}", currencyID=fx.currency)


def _tax(issued: InvoiceIssued | CreditNoteIssued, rate: RateTotal) -> str:
    why = _WHY.get(rate.category)
    return _tag(
        "ram:ApplicableTradeTax",
        _text("ram:CalculatedAmount", _amount(issued, rate.tax_minor)),
        _text("ram:TypeCode", "VAT"),
        *([] if why is None else [_text("ram:ExemptionReason", why)]),
        _text("ram:BasisAmount", _amount(issued, rate.net_minor)),
        _text("ram:CategoryCode", rate.category),
        _rate(rate.rate_ppm),
    )


def _rate(rate_ppm: int) -> str:
    return _text("ram:RateApplicablePercent", f"{Decimal(rate_ppm).scaleb(-4):f}")


def _amount(issued: InvoiceIssued | CreditNoteIssued, amount_minor: int) -> str:
    return f"{Decimal(amount_minor).scaleb(-issued.exponent):f}"
