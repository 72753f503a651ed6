"""Tables as files: everything that a page's filter lets through, as CSV or JSON.

Files are for machines: amounts stay integers (`_nano`, `_minor`), times microseconds, and names of fields are the API's.

A long table leaves page by page while it is read, so its length costs no memory and the first bytes come with its first page.
What fails on the way cannot be told by a status any more. It is told by how the file ends: JSON without its last bracket, CSV
with a line `#incomplete`, and the connection is cut, so that browsers and programs see a download that failed.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
import structlog
from litestar import Response
from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import inspect

from api.console.headers import HEADERS
from application.exporting.csv_text import safe

#: Of what a page itself has to have whole.
ROWS_MAX: Final = 10_000
PAGE_ROWS: Final = 500
FORMS: Final = {"csv": "text/csv", "json": "application/json"}
#: The query parameter that asks a page for a file of its table.
AS: Final = QueryParameter(name="as")
#: The last line of a CSV that is not whole.
INCOMPLETE: Final = "#incomplete"
_DEPTH_MAX: Final = 4

Turn = Callable[[Any], tuple[Sequence[Any], Any]]

log = structlog.get_logger()


class FileBrokeOff(Exception):
    """Some of a table could not be read when a part of it had been sent: the connection has to be cut."""


def every(turn: Turn, *, rows_max: int = ROWS_MAX) -> list[Any]:
    """The rows of all pages, up to `rows_max`; `turn` takes where a page begins, and gives it and where the next one does.

    Blocking.
    """
    rows: list[Any] = []
    at: Any = None
    while True:
        items, at = turn(at)
        rows += items
        if at is None or len(rows) >= rows_max:
            return rows[:rows_max]


async def stream_of(turn: Turn, *, name: str, form: str) -> Response[Any]:
    """An answer that browsers save: the rows of all pages, as `turn` of `every` gives them, however many there are.

    `turn` is called in a thread, for the first page before there is an answer: what fails then is told as ever.
    """
    rows, at = await asyncio.to_thread(turn, None)
    body = _pages(turn, rows, at, _SHEETS[form](rows), name=name)
    return Stream(body, media_type=FORMS[form], headers=_headers(name, form))


def file_of(rows: Iterable[Any], *, name: str, form: str) -> Response[bytes]:
    """The same of what is there already; `rows` are structs or mappings."""
    whole = list(rows)
    sheet = _SHEETS[form](whole)
    body = sheet.head() + sheet.rows(whole) + sheet.end()
    return Response(body, media_type=FORMS[form], headers=_headers(name, form))


def _headers(name: str, form: str) -> dict[str, str]:
    return {**HEADERS, "content-disposition": f'attachment; filename="{name}.{form}"'}


async def _pages(
    turn: Turn, rows: Sequence[Any], at: Any, sheet: "_Csv | _Json", *, name: str
) -> AsyncIterator[bytes]:
    """Nobody asks for the next page before the one before has been taken; whoever leaves ends it."""
    yield sheet.head() + sheet.rows(rows)
    while at is not None:
        try:
            rows, at = await asyncio.to_thread(turn, at)
            piece = sheet.rows(rows)
        except Exception as error:  # noqa: BLE001  # whatever it was: the answer has begun
            kind = type(error).__name__
            log.error("console_file_broke_off", table=name, error=kind)  # noqa: TRY400  # a trace may quote rows
            yield sheet.broken()
            raise FileBrokeOff(name) from None
        yield piece
    yield sheet.end()


class _Json:
    """A list."""

    def __init__(self, _first: Sequence[Any]) -> None:
        self._is_begun = False

    def head(self) -> bytes:
        return b"["

    def rows(self, rows: Iterable[Any]) -> bytes:
        piece = b",".join(msgspec.json.encode(one) for one in rows)
        comma = b"," if self._is_begun and piece else b""
        self._is_begun = self._is_begun or bool(piece)
        return comma + piece

    def end(self) -> bytes:
        return b"]"

    def broken(self) -> bytes:
        return b""


class _Csv:
    """Values inside values get columns of their own, lists are JSON. Columns are those of the rows' type; of mappings, those
    of the first page.
    """

    def __init__(self, first: Sequence[Any]) -> None:
        self._columns = list(dict.fromkeys(name for kind in _kinds(first) for name in kind))

    def head(self) -> bytes:
        return _lines([self._columns])

    def rows(self, rows: Iterable[Any]) -> bytes:
        flat = (_flat(msgspec.json.decode(msgspec.json.encode(one)), self._columns) for one in rows)
        return _lines([one.get(name, "") for name in self._columns] for one in flat)

    def end(self) -> bytes:
        return b""

    def broken(self) -> bytes:
        return _lines([[INCOMPLETE]])


_SHEETS: Final[dict[str, type[_Csv] | type[_Json]]] = {"csv": _Csv, "json": _Json}


def _lines(rows: Iterable[Sequence[str | int]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode()


def _kinds(rows: Sequence[Any]) -> Iterable[Iterable[str]]:
    """The columns of each kind of row; a mapping is a kind by itself."""
    for kind in dict.fromkeys(type(one) for one in rows):
        if issubclass(kind, msgspec.Struct):
            yield _fields(inspect.type_info(kind))
    for one in rows:
        if not isinstance(one, msgspec.Struct):
            yield _flat(msgspec.json.decode(msgspec.json.encode(one)))


def _fields(kind: Any, *, before: str = "", depth: int = 0) -> list[str]:
    """Of a struct, and of what is a struct in it or may be one."""
    names: list[str] = []
    for field in kind.fields:
        name, inner = f"{before}{field.encode_name}", _struct_in(field.type)
        if inner is None or depth == _DEPTH_MAX:
            names.append(name)
        else:
            names += _fields(inner, before=f"{name}.", depth=depth + 1)
    return names


def _struct_in(kind: Any) -> Any:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    inner = [one for one in kinds if not isinstance(one, inspect.NoneType)]
    return inner[0] if len(inner) == 1 and isinstance(inner[0], inspect.StructType) else None


def _flat(row: dict[str, Any], whole: Iterable[str] = (), *, before: str = "") -> dict[str, str | int]:
    """By columns. What is a column as a `whole` stays one; so does what is empty."""
    cells: dict[str, str | int] = {}
    for key, value in row.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and value and name not in whole:
            cells |= _flat(value, whole, before=f"{name}.")
        elif value is None:
            cells[name] = ""
        elif isinstance(value, str | int) and not isinstance(value, bool):
            cells[name] = value
        else:
            cells[name] = msgspec.json.encode(value).decode()
    return cells
