"""CSV by RFC 4180 in UTF-8 that no spreadsheet takes for formulas.

A text that begins with what starts a formula gets an apostrophe before it, which spreadsheets show as text; such texts
are model names and references that customers choose. Numbers are numbers.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_PIECE_CHARS: Final = 256 * 1024


class Sink(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes) -> None: ...


def write_csv(file: Sink, columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> int:
    """Write a head and the rows; returns how many rows there were. Memory is bounded."""
    text, count = io.StringIO(), 0
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in row])
        count += 1
        if text.tell() > _PIECE_CHARS:
            file.write(text.getvalue().encode())
            text.seek(0)
            text.truncate()
    file.write(text.getvalue().encode())
    return count


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """The same as one piece, for what is small."""
    pieces = _Pieces()
    write_csv(pieces, columns, rows)
    return b"".join(pieces.written)


class _Pieces:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


def safe(text: str) -> str:
    """`text` as no formula; also of what has blanks before it, which some spreadsheets pass over."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
