"""Read model `documents`: every invoice and credit note, and those that facts call for.

For lists, and for the clerk to know where to look. Must not be used to decide whether a document is issued: it lags behind the log.
The document's stream decides that.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

from application.invoicing.queries import credit_note_of, invoice_of, taking_back
from domain.event import Event
from domain.invoicing.billing import BillingDataErased, BillingProfileSet
from domain.invoicing.document import CreditNoteIssued, InvoiceIssued
from domain.recharge.events import (
    DisputeLost,
    ExternalRefundObserved,
    ExternalRefundReversed,
    RechargeCredited,
    RefundFailed,
    RefundSucceeded,
)
from projections.arrays import array_literal
from projections.projection import Connection, Located, Table, Write, topics_of
from projections.sums import TEXT

_Row = tuple[object, ...]
_ENDED: Final = "ended"
_DOCUMENTS: Final = Table(
    name="documents",
    key="document_id",
    columns=f"""
        document_id uuid PRIMARY KEY,
        kind {TEXT} NOT NULL,
        number {TEXT} NOT NULL,
        account_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        order_id uuid,
        invoice_id uuid,
        issued_on {TEXT} NOT NULL,
        locale {TEXT} NOT NULL,
        currency {TEXT} NOT NULL,
        exponent integer NOT NULL,
        net_minor bigint NOT NULL,
        tax_minor bigint NOT NULL,
        total_minor bigint NOT NULL,
        position bigint NOT NULL
    """,
    indexes=("(position)", "(account_id, position)", "(order_id)", "(number)", "(invoice_id)"),
)
#: What facts call for. It ends when it is issued, or its cause comes to nothing.
_CALLED_FOR: Final = Table(
    name="documents_called_for",
    key="document_id",
    columns=f"""
        document_id uuid PRIMARY KEY,
        kind {TEXT} NOT NULL,
        cause {TEXT} NOT NULL,
        order_id uuid NOT NULL,
        account_id uuid NOT NULL,
        invoice_id uuid NOT NULL,
        amount_minor bigint NOT NULL,
        currency {TEXT} NOT NULL,
        country {TEXT},
        rate_ppm bigint NOT NULL,
        net_minor bigint NOT NULL,
        tax_minor bigint NOT NULL,
        occurred_us bigint NOT NULL,
        position bigint NOT NULL,
        note_id uuid,
        ended boolean NOT NULL
    """,
    indexes=("(position) WHERE NOT ended",),
)
_BILLED: Final = Table(
    name="documents_billed",
    key="account_id",
    columns="account_id uuid PRIMARY KEY, is_known boolean NOT NULL, position bigint NOT NULL",
)
_BILL: Final = """
    INSERT INTO {schema}.documents_billed AS old SELECT * FROM unnest(%s::uuid[], %s::boolean[], %s::bigint[]) WHERE {moved}
    ON CONFLICT (account_id) DO UPDATE SET is_known = excluded.is_known, position = excluded.position
    WHERE excluded.position > old.position"""


def _storing(table: str, *kinds: str) -> str:
    columns = ", ".join(f"%s::{kind}[]" for kind in kinds)
    return f"INSERT INTO {{schema}}.{table} SELECT * FROM unnest({columns}) WHERE {{moved}} ON CONFLICT DO NOTHING"  # noqa: S608  # our own names


_STORE: Final = {
    "documents": _storing(
        "documents",
        *("uuid", "text", "text", "uuid", "uuid", "uuid", "uuid", "text", "text", "text"),
        *("integer", "bigint", "bigint", "bigint", "bigint"),
    ),
    "documents_called_for": _storing(
        "documents_called_for",
        *("uuid", "text", "text", "uuid", "uuid", "uuid", "bigint", "text", "text"),
        *("bigint", "bigint", "bigint", "bigint", "bigint", "uuid", "boolean"),
    ),
    "documents_billed": _BILL,
}
_END: Final = """
    UPDATE {schema}.documents_called_for SET ended = true WHERE document_id = ANY(%s::uuid[]) AND NOT ended AND {moved}"""


class Documents:
    """The fold. A row is added, and ends, once, so that what is folded twice changes nothing."""

    name: ClassVar[str] = "documents"
    version: ClassVar[int] = 3
    tables: ClassVar[tuple[Table, ...]] = (_DOCUMENTS, _CALLED_FOR, _BILLED)
    topics: ClassVar[frozenset[str]]

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        rows: dict[str, dict[object, _Row]] = {table: {} for table in (*_STORE, _ENDED)}
        for fact in facts:
            for table, row in _FOLDS[type(fact.event)](fact.event, fact.position):
                if table == "documents_billed":  # the last word counts
                    rows[table][row[0]] = row
                else:
                    rows[table].setdefault(row[0], row)
        ended = rows.pop(_ENDED)
        called_for = rows["documents_called_for"]
        # An update does not see rows of its own statement; and what is there already needs no calling for.
        for document_id in called_for.keys() & (ended.keys() | _known(connection, schema, list(called_for))):
            called_for[document_id] = (*called_for[document_id][:-1], True)
        writes = [Write(_STORE[table], rows=list(found.values())) for table, found in rows.items() if found]
        return [*writes, Write(_END, [array_literal(list(ended))])] if ended else writes


def _known(connection: Connection, schema: str, document_ids: Sequence[object]) -> set[object]:
    if not document_ids:
        return set()
    statement = f"SELECT document_id FROM {schema}.documents WHERE document_id = ANY(%s::uuid[])"  # noqa: S608  # our own names
    return {found for (found,) in connection.execute(statement, [array_literal(document_ids)])}


def _issued(event: InvoiceIssued | CreditNoteIssued, position: int) -> list[tuple[str, _Row]]:
    is_note = isinstance(event, CreditNoteIssued)
    row = (
        event.document_id,
        "credit_note" if is_note else "invoice",
        event.number_text,
        event.account_id,
        event.seller_id,
        event.order_id,
        _invoice_of(event),
        event.issued_on,
        event.locale,
        event.currency,
        event.exponent,
        event.net_minor,
        event.tax_minor,
        event.total_minor,
        position,
    )
    return [("documents", row), (_ENDED, (event.document_id,))]


def _invoice_of(event: InvoiceIssued | CreditNoteIssued) -> UUID | None:
    """Which invoice the document takes back, or lets count again."""
    if isinstance(event, CreditNoteIssued):
        return event.refers_to.document_id
    return event.reinstates.invoice_id if event.reinstates else None


def _credited(event: RechargeCredited, position: int) -> list[tuple[str, _Row]]:
    """Orders of test mode have no documents."""
    if event.mode != "live":
        return []
    document_id = invoice_of(event.order_id)
    return [
        _called_for(
            document_id,
            kind="invoice",
            cause="order",
            event=event,
            amount_minor=event.gross_minor,
            position=position,
        )
    ]


def _refunded(event: RefundSucceeded, position: int) -> list[tuple[str, _Row]]:
    """Its money has gone back, or it is owed no more."""
    cause = "set_off" if event.set_off is True else "refund"
    return [_note_called_for(f"refund:{event.refund_id}", cause=cause, event=event, position=position)]


def _refunded_elsewhere(event: ExternalRefundObserved, position: int) -> list[tuple[str, _Row]]:
    return [_note_called_for(f"refund:{event.refund_ref}", cause="refund", event=event, position=position)]


def _lost(event: DisputeLost, position: int) -> list[tuple[str, _Row]]:
    return [_note_called_for(f"dispute:{event.dispute_ref}", cause="dispute", event=event, position=position)]


def _failed(event: RefundFailed, position: int) -> list[tuple[str, _Row]]:
    """One that was never made called for nothing."""
    return _came_back(f"refund:{event.refund_id}", event, position) if event.succeeded is True else []


def _reversed(event: ExternalRefundReversed, position: int) -> list[tuple[str, _Row]]:
    return _came_back(f"refund:{event.refund_ref}", event, position)


def _came_back(
    key: str, event: RefundFailed | ExternalRefundReversed, position: int
) -> list[tuple[str, _Row]]:
    """Its credit note is not called for any more; if it was issued all the same, before or by a clerk who did not know, it is taken back."""
    note_id = credit_note_of(event.order_id, key)
    called = _called_for(
        taking_back(event.order_id, key),
        kind="invoice",
        cause="came_back",
        event=event,
        amount_minor=event.amount_minor,
        position=position,
        note_id=note_id,
    )
    return [(_ENDED, (note_id,)), called]


def _note_called_for(
    key: str, *, cause: str, event: RefundSucceeded | ExternalRefundObserved | DisputeLost, position: int
) -> tuple[str, _Row]:
    return _called_for(
        credit_note_of(event.order_id, key),
        kind="credit_note",
        cause=cause,
        event=event,
        amount_minor=event.amount_minor,
        position=position,
    )


def _called_for(
    document_id: UUID,
    *,
    kind: str,
    cause: str,
    event: Any,
    amount_minor: int,
    position: int,
    note_id: UUID | None = None,
) -> tuple[str, _Row]:
    tax = event.tax
    return "documents_called_for", (
        document_id,
        kind,
        cause,
        event.order_id,
        event.account_id,
        invoice_of(event.order_id),
        amount_minor,
        event.currency,
        tax.country,
        tax.rate_ppm,
        tax.net_minor,
        tax.tax_minor,
        event.occurred_us,
        position,
        note_id,
        False,
    )


def _billed(event: BillingProfileSet, position: int) -> list[tuple[str, _Row]]:
    return [("documents_billed", (event.account_id, True, position))]


def _erased(event: BillingDataErased, position: int) -> list[tuple[str, _Row]]:
    return [("documents_billed", (event.account_id, False, position))]


_FOLDS: Final[dict[type[Event], Callable[[Any, int], list[tuple[str, _Row]]]]] = {
    InvoiceIssued: _issued,
    CreditNoteIssued: _issued,
    RechargeCredited: _credited,
    RefundSucceeded: _refunded,
    ExternalRefundObserved: _refunded_elsewhere,
    RefundFailed: _failed,
    ExternalRefundReversed: _reversed,
    DisputeLost: _lost,
    BillingProfileSet: _billed,
    BillingDataErased: _erased,
}
Documents.topics = topics_of(_FOLDS)
