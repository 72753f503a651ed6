"""What is sent to a witness: the body of C2SP tlog-witness `add-checkpoint`, written and read."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from domain.sealing.checkpoint import hash_text, read_hash
from domain.sealing.notes import BadNote

PATH: Final = "/add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
HASHES_MAX: Final = 63
BODY_BYTES_MAX: Final = 64 * 1024
_OLD: Final = re.compile(rb"old (0|[1-9][0-9]{0,18})")


class Submission(msgspec.Struct, frozen=True):
    """A checkpoint, and the proof that the tree of `old_size` leaves is its beginning."""

    old_size: int
    path: tuple[bytes, ...]
    note: bytes


def write_submission(old_size: int, path: Sequence[bytes], note: bytes) -> bytes:
    lines = [f"old {old_size}", *map(hash_text, path), "", ""]
    return "\n".join(lines).encode() + note


def read_submission(body: bytes) -> Submission:
    """Read a body.

    Raises:
        BadNote: it is none.
    """
    head, blank, note = body.partition(b"\n\n")
    old, *lines = head.split(b"\n")
    match = _OLD.fullmatch(old)
    if not match or not blank or len(lines) > HASHES_MAX or not all(line.isascii() for line in lines):
        raise BadNote("it is no submission")
    return Submission(int(match[1]), tuple(read_hash(line.decode()) for line in lines), note)
