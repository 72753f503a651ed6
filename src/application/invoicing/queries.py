"""What surfaces and the clerk may ask about documents: the answers' shapes and the ports that give them. As last projected."""

from typing import Literal, Protocol
from uuid import UUID

import msgspec

from domain.ids import stream_of
from domain.invoicing.sellers import DocumentKind
from domain.recharge.offers import TaxQuote

DueCause = Literal["order", "refund", "set_off", "dispute", "came_back"]
DueState = Literal["due", "waits_for_billing", "waits_for_invoice"]


class DocumentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice or credit note. Money is minor units of the currency, tax included in `total_minor`."""

    document_id: UUID
    kind: DocumentKind
    number: str
    account_id: UUID
    seller_id: UUID
    order_id: UUID | None
    invoice_id: (
        UUID | None
    )  #: of a credit note what it takes back; of an invoice that takes one back, what that was about
    issued_on: str
    locale: str
    currency: str
    exponent: int
    net_minor: int
    tax_minor: int
    total_minor: int
    credited_minor: int  #: of an invoice: what credit notes have taken back that count
    position: int


class DocumentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which documents to list; an unset field allows all."""

    account_id: UUID | None = None
    kind: DocumentKind | None = None
    order_id: UUID | None = None
    number: str | None = None


class DocumentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Documents, newest first. `next_before` is the `before_position` of the next page; `None` on the last."""

    items: tuple[DocumentRow, ...]
    next_before: int | None


class DueDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document that a fact calls for and that is not issued. Its id follows from the fact."""

    document_id: UUID
    kind: DocumentKind
    cause: DueCause
    order_id: UUID
    account_id: UUID
    invoice_id: UUID
    amount_minor: int  #: tax included
    currency: str
    tax: TaxQuote
    occurred_us: int  #: when what calls for it happened
    position: int
    state: DueState
    note_id: UUID | None = None  #: the credit note that an invoice is to take back


class DuePage(msgspec.Struct, frozen=True, kw_only=True):
    """Due documents, oldest first. `next_after` is the `after_position` of the next page; `None` on the last."""

    items: tuple[DueDocument, ...]
    next_after: int | None


class DocumentQueries(Protocol):
    """Blocking; safe to use from threads."""

    def documents(
        self, wanted: DocumentFilter, *, before_position: int | None = None, limit: int = 100
    ) -> DocumentPage:
        """One page, newest first; `limit` is capped at `PAGE_ROWS_MAX`."""
        ...

    def due(
        self, *, from_us: int = 0, ready: bool = False, after_position: int = 0, limit: int = 100
    ) -> DuePage:
        """Invoices of orders credited at `from_us` or later, and credit notes of invoices; `ready`: those that wait for nothing."""
        ...


def invoice_of(order_id: UUID) -> UUID:
    """The id of an order's invoice."""
    return stream_of(order_id, "invoice")


def taking_back(order_id: UUID, what: str) -> UUID:
    """The id of the invoice that takes back the credit note for one refund."""
    return stream_of(order_id, f"credit-note-taken-back:{what}")


def credit_note_of(order_id: UUID, what: str) -> UUID:
    """The id of the credit note for one refund or dispute of an order, such as `refund:re_1`."""
    return stream_of(order_id, f"credit-note:{what}")
