"""The questions to the read model `documents`: implements `application.invoicing.queries.DocumentQueries`."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row

from application.invoicing.queries import (
    DocumentFilter,
    DocumentPage,
    DocumentRow,
    DueDocument,
    DuePage,
)
from application.queries import PAGE_ROWS_MAX, clean
from domain.recharge.offers import TaxQuote
from projections.projection import Pool

_LIST: Final = """
    SELECT own.*, coalesce((SELECT sum(CASE note.kind WHEN 'invoice' THEN -note.total_minor ELSE note.total_minor END)
        FROM documents note WHERE note.invoice_id = own.document_id), 0)::bigint AS credited_minor
    FROM documents own"""
_DUE: Final = """
    SELECT found.* FROM (
        SELECT called.*, CASE
            WHEN called.kind = 'invoice' AND called.note_id IS NULL AND NOT EXISTS (
                SELECT FROM documents_billed WHERE account_id = called.account_id AND is_known) THEN 'waits_for_billing'
            WHEN called.kind = 'credit_note' AND NOT EXISTS (
                SELECT FROM documents WHERE document_id = called.invoice_id) THEN 'waits_for_invoice'
            ELSE 'due' END AS state
        FROM documents_called_for called
        JOIN documents_called_for first ON first.document_id = called.invoice_id
        WHERE NOT called.ended AND called.position > %(after)s
            AND (called.note_id IS NULL OR EXISTS (SELECT FROM documents WHERE document_id = called.note_id))
            AND (first.occurred_us >= %(from)s OR EXISTS (SELECT FROM documents WHERE document_id = called.invoice_id))
    ) AS found
    WHERE NOT %(ready)s OR found.state = 'due'
    ORDER BY found.position, found.document_id LIMIT %(limit)s"""
_CONDITIONS: Final = {
    "account_id": "own.account_id = %s",
    "kind": "own.kind = %s",
    "order_id": "own.order_id = %s",
    "number": "own.number = %s",
}
_TAX: Final = ("country", "rate_ppm", "net_minor", "tax_minor")


class DocumentReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def documents(
        self, wanted: DocumentFilter, *, before_position: int | None = None, limit: int = 100
    ) -> DocumentPage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        fields = {name: getattr(wanted, name) for name in _CONDITIONS if getattr(wanted, name) is not None}
        conditions = [_CONDITIONS[name] for name in fields]
        values: list[Any] = [clean(one) if isinstance(one, str) else one for one in fields.values()]
        if before_position is not None:
            conditions.append("own.position < %s")
            values.append(before_position)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = self._rows(f"{_LIST}{where} ORDER BY own.position DESC LIMIT %s", [*values, size + 1])
        found = [DocumentRow(**row) for row in rows]
        return DocumentPage(
            items=tuple(found[:size]), next_before=found[size - 1].position if len(found) > size else None
        )

    def due(
        self, *, from_us: int = 0, ready: bool = False, after_position: int = 0, limit: int = 100
    ) -> DuePage:
        size = max(1, min(limit, PAGE_ROWS_MAX))
        wanted = {"from": from_us, "ready": ready, "after": after_position, "limit": size + 1}
        try:
            found = [_due(row) for row in self._rows(_DUE, wanted)]
        except UndefinedTable:  # no worker of this version has run yet
            return DuePage(items=(), next_after=None)
        return DuePage(
            items=tuple(found[:size]), next_after=found[size - 1].position if len(found) > size else None
        )

    def _rows(self, statement: str, values: Sequence[object] | dict[str, Any]) -> list[dict[str, Any]]:
        with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as rows:
            return rows.execute(statement, values).fetchall()


def _due(row: dict[str, Any]) -> DueDocument:
    del row["ended"]
    tax = TaxQuote(**{name: row.pop(name) for name in _TAX})
    return DueDocument(tax=tax, **row)
