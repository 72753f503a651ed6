"""Columns of rows as Postgres array literals, for bulk writes through `unnest`, and rows as lines for `COPY`.

JSON and these differ only in brackets and in the escapes of control characters, so one encoder call makes a column,
or all lines: about a tenth of the cost of adapting the values one by one.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from application.queries import clean

#: How `copy_lines` writes rows; to be put behind `COPY ... FROM STDIN`.
COPY_FORMAT: Final = "(FORMAT csv, NULL 'null', ESCAPE '\\')"

_encoder = msgspec.json.Encoder()
_encode = _encoder.encode


def array_literal(values: Sequence[object]) -> str:
    """Integers, booleans, UUIDs, texts and `None` as one literal; texts are cleaned."""
    encoded = _encode(values)
    if b"\\" in encoded:
        encoded = _encode(_cleaned(values))
    return f"{{{encoded[1:-1].decode()}}}"


def column_literals(rows: Iterable[Sequence[object]]) -> list[str]:
    """One literal a column; `rows` must not be empty."""
    return [array_literal(column) for column in zip(*rows, strict=True)]


def copy_lines(rows: Sequence[Sequence[object]]) -> bytes:
    """The same values row by row, in `COPY_FORMAT`; `rows` must not be empty."""
    lines = _encoder.encode_lines(rows)
    if b"\\" in lines:
        lines = _encoder.encode_lines([_cleaned(row) for row in rows])
    # Within a value a line's end is escaped, so that this one stands between rows.
    return lines[1:-2].replace(b"]\n[", b"\n") + b"\n"


def _cleaned(values: Sequence[object]) -> list[object]:
    return [clean(value) if isinstance(value, str) else value for value in values]
