"""Files of bills, which may be anything: opened within limits of size, and read as tables whose columns are known by name.

Every function raises `ProviderRefused` with one of these reasons, and nothing else: `bill_too_large`, `bill_unreadable`, `bill_incomplete`.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from application.checkout.ports import ProviderRefused

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of one file as it is read. At some hundred bytes a row, several hundred thousand rows: a day of more wants another way."""
_FILES_MAX: Final = 8
_CHUNK: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"
_GZIP_BITS: Final = 31
_ENCRYPTED: Final = 0x1

Row = Mapping[str, str]
"""Cells by the names of their columns, without what surrounds them."""


def unzipped(raw: bytes) -> list[bytes]:
    """The files of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            listed = [one for one in archive.infolist() if not one.is_dir()]
            if len(listed) > _FILES_MAX:
                raise ProviderRefused("bill_too_large")
            if any(one.flag_bits & _ENCRYPTED for one in listed):
                raise ProviderRefused("bill_unreadable")
            return [_member(archive, one) for one in listed]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError, RuntimeError):
        raise ProviderRefused("bill_unreadable") from None


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """What the archive says of its size is not believed."""
    found = bytearray()
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            found += chunk
            if len(found) > FILE_BYTES_MAX:
                raise ProviderRefused("bill_too_large")
    return bytes(found)


def gunzipped(raw: bytes) -> bytes:
    """The file within; one that is not compressed is that file."""
    if not raw.startswith(_GZIP):
        return raw
    reader = zlib.decompressobj(_GZIP_BITS)
    try:
        found = reader.decompress(raw, FILE_BYTES_MAX + 1)
    except zlib.error:
        raise ProviderRefused("bill_unreadable") from None
    if len(found) > FILE_BYTES_MAX:
        raise ProviderRefused("bill_too_large")
    if not reader.eof or reader.unused_data:
        raise ProviderRefused("bill_unreadable")
    return found


def decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        raise ProviderRefused("bill_unreadable") from None


def lines_of(text: str) -> Iterator[str]:
    """By line feeds only: what else ends a line somewhere may stand in a text."""
    return (one.removesuffix("\r") for one in text.split("\n"))


def columns(cells: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    """Where the wanted columns are. A name is known by its beginning: units follow it, in brackets of either width."""
    named = [one.strip().lstrip("\ufeff") for one in cells]
    found: dict[str, int] = {}
    for name in wanted:
        places = [
            place
            for place, one in enumerate(named)
            if one == name or one.startswith((f"{name}(", f"{name}\uff08"))
        ]
        if len(places) != 1:
            raise ProviderRefused("bill_unreadable")
        found[name] = places[0]
    return found


def ticked(line: str) -> list[str]:
    """The cells of a row in which each begins with a backtick, so that commas within them do no harm."""
    if not line.startswith("`"):
        raise ProviderRefused("bill_unreadable")
    return [one.strip() for one in line[1:].split(",`")]


def separated(line: str) -> list[str]:
    """The cells of a plain row, some perhaps in quotes."""
    try:
        rows = list(csv.reader([line]))
    except csv.Error:
        raise ProviderRefused("bill_unreadable") from None
    return [one.strip() for one in rows[0]] if rows else []


def rows_of(
    lines: Iterator[str],
    wanted: Sequence[str],
    *,
    cells_of: Callable[[str], list[str]],
    is_end: Callable[[str], bool],
    is_row: Callable[[Row], bool] = lambda _: True,
) -> Iterator[Row]:
    """The rows of a table whose first line names the columns, up to the line that ends it. One that is cut off is refused.

    `is_row`: whether cells can be a row's. Texts of others may have commas in them, so a row with cells too many is tried without each.
    """
    names = separated(next(lines, ""))
    where: dict[str, int] = {}
    for line in lines:
        if is_end(line):
            return
        if not line.strip():
            continue
        where = where or columns(names, wanted)
        yield _row(cells_of(line), names, where, is_row)
    raise ProviderRefused("bill_incomplete")


def _row(
    cells: list[str], names: Sequence[str], where: Mapping[str, int], is_row: Callable[[Row], bool]
) -> Row:
    surplus = len(cells) - len(names)
    if surplus < 0:
        raise ProviderRefused("bill_unreadable")
    # The cell of each column that nobody reads might be the one that was cut into several.
    texts = [place for place in range(len(names)) if place not in where.values()] if surplus else [len(names)]
    found = []
    for text in texts:
        whole = [*cells[:text], "", *cells[text + surplus + 1 :]] if surplus else cells
        row = {name: whole[place] for name, place in where.items()}
        if is_row(row) and row not in found:
            found.append(row)
    if len(found) != 1:
        raise ProviderRefused("bill_unreadable")
    return found[0]
