"""The files that exports leave: how they are named, and for how long they are kept."""

from typing import Final

from application.work.queries import WorkRow

KEPT_DAYS: Final = 7
KEPT_S: Final = KEPT_DAYS * 86_400
_SUFFIXES: Final = {"ledger": "zip", "charges": "csv"}


def suffix_of(row: WorkRow) -> str:
    """`row` is an export."""
    return row.target if row.kind == "journal" else _SUFFIXES[row.kind]


def download_name(row: WorkRow) -> str:
    """What a browser calls it."""
    month = f"-{row.target}" if row.kind == "charges" and row.target else ""
    return f"{row.kind}{month}-until-{row.figures.get('position', 0)}.{suffix_of(row)}"
