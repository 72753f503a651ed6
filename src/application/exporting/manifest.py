"""`manifest.json`: what an export holds. Nothing in it says when, where or by whom it was made, so it repeats."""

from typing import Final

import msgspec

FORMAT: Final = "tokenok-ledger-export/1"
MANIFEST: Final = "manifest.json"


class LinesFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of lines. `bytes` and `sha256` are those of the lines, before any compression."""

    name: str
    events: int
    first_position: int
    last_position: int
    bytes: int
    sha256: str


class RulesFile(msgspec.Struct, frozen=True, kw_only=True):
    """The posting rules that the whole log is replayed with. `sha256` is that of the file."""

    name: str
    version: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`until_position` is what was asked for: the last line is the last event that is not behind it."""

    format: str = FORMAT
    until_position: int
    events: int
    first_position: int
    last_position: int
    lines_per_file: int
    files: tuple[LinesFile, ...]
    posting_rules: RulesFile
    topics: tuple[str, ...]  #: that this code knows, whether they occur or not

    def encoded(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"
