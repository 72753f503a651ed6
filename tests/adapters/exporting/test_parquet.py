"""Parquet holds what the rows hold, in the same bytes each time."""

from pathlib import Path

from pyarrow import parquet

from adapters.exporting.parquet import write_parquet
from application.exporting.charges import COLUMNS, TEXTS, ChargeFilter, Row, charge_rows
from domain.topics import REGISTRY
from tests.histories import ListLog, history


def _rows() -> list[Row]:
    return list(charge_rows(iter(ListLog(history(1, steps=200)).events), REGISTRY, ChargeFilter()))


def test_every_row_comes_back(tmp_path: Path) -> None:
    """Texts as texts, amounts as 64-bit integers: nothing is rounded on the way."""
    rows = _rows()
    assert write_parquet(tmp_path / "table", COLUMNS, TEXTS, iter(rows)) == len(rows)
    table = parquet.read_table(tmp_path / "table")
    assert table.column_names == list(COLUMNS)
    assert [tuple(row.values()) for row in table.to_pylist()] == rows
    assert str(table.schema.field("charge_nano").type) == "int64"


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    """Nothing in the file says when it was made."""
    for name in ("first", "second"):
        write_parquet(tmp_path / name, COLUMNS, TEXTS, iter(_rows()))
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
