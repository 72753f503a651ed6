"""A whole statement as a file: CSV for spreadsheets, canonical JSON for programs. The same statement is the same bytes.

Nothing in it tells when, where or by whom it was made, nor how far the log was by then: once its period is over and
sealed, it never changes. Forms: docs/exports.md.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from application.exporting.csv_text import csv_bytes
from application.reports.statement import Statement, StatementLine, StatementUnits
from application.reports.statement_seal import StatementSeal

FORMAT: Final = "tokenok-statement/1"
LINES_MAX: Final = 100_000
StatementFormat = Literal["csv", "json"]

_UNITS: Final = StatementUnits.__struct_fields__
_TEXTS: Final = ("key_id", "alias", "price_version")
COLUMNS: Final = (
    "account_id",
    "day",
    "kind",
    "amount_nano",
    "balance_nano",
    "charges",
    *_TEXTS,
    *_UNITS,
    "counter_account",
    "lot_id",
    "reason",
    "first_position",
    "last_position",
    "occurred_us",
)

Cell = str | int


def statement_csv(statement: Statement, seal: StatementSeal | None = None) -> bytes:
    """A head, the opening, a row for each line and the closing, which tells the seal.

    Opening and closing have a balance and no amount, so the amounts of all rows add up to what changed.
    """
    return csv_bytes(COLUMNS, _rows(statement, seal))


def statement_json(statement: Statement, seal: StatementSeal | None = None) -> bytes:
    """One line of compact JSON and a line feed, members in the order of docs/exports.md."""
    return msgspec.json.encode(_document(statement, seal)) + b"\n"


def statement_file(statement: Statement, form: StatementFormat, seal: StatementSeal | None = None) -> bytes:
    """The statement in one of the two forms."""
    return statement_csv(statement, seal) if form == "csv" else statement_json(statement, seal)


def _document(statement: Statement, seal: StatementSeal | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "account_id": statement.account_id,
        "from_us": statement.period.from_us,
        "until_us": statement.period.until_us,
        "zone": statement.zone,
        "opening_nano": statement.opening_nano,
        "totals_nano": dict(sorted(statement.totals_nano.items())),
        "closing_nano": statement.closing_nano,
        "lines": statement.lines,
        "seal": seal,
    }


def _rows(statement: Statement, seal: StatementSeal | None) -> Iterator[list[Cell]]:
    account_id, balance_nano = str(statement.account_id), statement.opening_nano
    yield _edge(account_id, "opening", balance_nano)
    for line in statement.lines:
        balance_nano += line.amount_nano
        yield _row(account_id, line, balance_nano)
    yield _edge(account_id, "closing", statement.closing_nano, seal)


def _edge(account_id: str, kind: str, balance_nano: int, seal: StatementSeal | None = None) -> list[Cell]:
    cells: dict[str, Cell] = {"account_id": account_id, "kind": kind, "balance_nano": balance_nano}
    if seal is not None:
        cells |= {
            "reason": f"root of the first {seal.size} entries of the log: {seal.root}",
            "first_position": seal.first_position,
            "last_position": seal.last_position,
        }
    return [cells.get(name, "") for name in COLUMNS]


def _row(account_id: str, line: StatementLine, balance_nano: int) -> list[Cell]:
    values: dict[str, Any] = msgspec.structs.asdict(line)
    values |= {"account_id": account_id, "balance_nano": balance_nano}
    values |= msgspec.structs.asdict(line.units) if line.units else {}
    if not line.charges:
        del values["charges"]
    return [_cell(values.get(name)) for name in COLUMNS]


def _cell(value: object) -> Cell:
    if value is None:
        return ""
    return value if isinstance(value, int) else str(value)
