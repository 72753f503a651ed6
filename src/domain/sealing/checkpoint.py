"""A checkpoint: what a log says of itself at one size. The text of a signed note, as C2SP tlog-checkpoint has it."""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from domain.sealing.notes import BadNote, PublicKey, Signer, Verify, open_note, sign_note
from domain.sealing.tree import HASH_BYTES

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES: Final = 3


class Checkpoint(msgspec.Struct, frozen=True):
    """The root of the first `size` leaves of the log `origin`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> bytes:
        return f"{self.origin}\n{self.size}\n{hash_text(self.root)}\n".encode()


def sign_checkpoint(*, size: int, root: bytes, signer: Signer) -> bytes:
    """The note by which the log of `signer` stands for a tree."""
    return sign_note(Checkpoint(signer.public.name, size, root).text, signer)


def open_checkpoint(note: bytes, keys: Iterable[PublicKey], verify: Verify) -> Checkpoint:
    """Read a checkpoint that the log itself has signed with one of `keys`.

    Raises:
        BadNote: it is malformed or of another log, or a signature is missing or not right.
    """
    text, signers = open_note(note, keys, verify)
    found = _read(text)
    if not any(key.name == found.origin for key in signers):
        raise BadNote(f"it is not signed by {found.origin} itself")
    return found


def hash_text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def read_hash(text: str) -> bytes:
    """The hash that a line of base64 means.

    Raises:
        BadNote: it is none.
    """
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != HASH_BYTES or hash_text(digest) != text:
        raise BadNote("a hash is malformed")
    return digest


def _read(text: bytes) -> Checkpoint:
    """The first three lines; a log may add others, which mean nothing here."""
    lines = text.decode("utf-8", "replace").split("\n")
    if len(lines) <= _LINES or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise BadNote("it is no checkpoint")
    return Checkpoint(lines[0], int(lines[1]), read_hash(lines[2]))
