"""Tables as files: everything that a page's filter lets through, as CSV or JSON.

Files are for machines: amounts stay integers (`_nano`, `_minor`), times microseconds, and names of fields are the API's.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.params import QueryParameter

from api.console.headers import HEADERS
from application.exporting.csv_text import csv_bytes

ROWS_MAX: Final = 10_000
PAGE_ROWS: Final = 500
FORMS: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
#: The query parameter that asks a page for a file of its table.
AS: Final = QueryParameter(name="as")

Turn = Callable[[Any], tuple[Sequence[Any], Any]]


def every(turn: Turn) -> list[Any]:
    """The rows of all pages, up to `ROWS_MAX`; `turn` takes where a page begins, and gives it and where the next one does.

    Blocking.
    """
    rows: list[Any] = []
    at: Any = None
    while True:
        items, at = turn(at)
        rows += items
        if at is None or len(rows) >= ROWS_MAX:
            return rows[:ROWS_MAX]


def file_of(rows: Iterable[Any], *, name: str, form: str) -> Response[bytes]:
    """An answer that browsers save; `rows` are structs or mappings."""
    plain = [msgspec.json.decode(msgspec.json.encode(one)) for one in rows]  # as JSON has it, in both forms
    body = _csv(plain) if form == "csv" else msgspec.json.encode(plain)
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}.{form}"'}
    return Response(body, media_type=FORMS[form], headers=headers)


def _csv(rows: list[dict[str, Any]]) -> bytes:
    """Values inside values get columns of their own, lists are JSON; columns are in the order of their first row."""
    flat = [_flat(one) for one in rows]
    columns = list(dict.fromkeys(name for one in flat for name in one))
    return csv_bytes(columns, [[one.get(name, "") for name in columns] for one in flat])


def _flat(row: dict[str, Any], *, before: str = "") -> dict[str, str | int]:
    cells: dict[str, str | int] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            cells |= _flat(value, before=f"{before}{name}.")
        elif value is None:
            cells[f"{before}{name}"] = ""
        elif isinstance(value, str | int) and not isinstance(value, bool):
            cells[f"{before}{name}"] = value
        else:
            cells[f"{before}{name}"] = msgspec.json.encode(value).decode()
    return cells
