"""Parquet with pyarrow, which the extra `parquet` installs. The same rows and the same pyarrow give the same bytes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
from pyarrow import parquet

from application.exporting.charges import Row

_GROUP_ROWS: Final = 50_000
"""So many rows are in memory at once, and in a row group of the file."""


def write_parquet(path: Path, columns: Sequence[str], texts: frozenset[str], rows: Iterable[Row]) -> int:
    """Write a table; columns of `texts` are strings, all others 64-bit integers. Returns how many rows there were."""
    schema = pa.schema([(name, pa.string() if name in texts else pa.int64()) for name in columns])
    count = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(iter(rows)):
            cells = dict(zip(columns, zip(*group, strict=True), strict=True))
            writer.write_table(pa.table(cells, schema=schema))
            count += len(group)
    return count


def _groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while group := list(islice(rows, _GROUP_ROWS)):
        yield group
