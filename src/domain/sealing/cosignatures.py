"""Cosignatures of witnesses over checkpoints: C2SP tlog-cosignature, the Ed25519 kind (`cosignature/v1`).

A cosignature says that by some second the checkpoint was the largest that the witness had seen of the log, and
consistent with all that it saw before.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from domain.sealing.notes import BadKey, BadNote, Signer, Verify, key_text, line_of, parse_note, read_key

_KIND: Final = b"\x04"
_TIME_BYTES: Final = 8
_TIME_S_MAX: Final = 2**63 - 1


class WitnessKey(msgspec.Struct, frozen=True):
    """The public key of a witness. Its id is another than that of the same key for notes."""

    name: str
    key: bytes

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + _KIND + self.key).digest()[:4]

    @property
    def text(self) -> str:
        return key_text(self.name, self.key_id, _KIND, self.key)


class Cosignature(msgspec.Struct, frozen=True):
    """Who saw a checkpoint, when (Unix seconds, by the witness's clock), and the line that says so."""

    name: str
    time_s: int
    line: bytes


def witness_key(text: str) -> WitnessKey:
    """Read `name+id+key`.

    Raises:
        BadKey: it is no key for cosignatures, or its id is not the key's.
    """
    name, key_id, key = read_key(text, kind=_KIND)
    found = WitnessKey(name, key)
    if found.key_id != key_id:
        raise BadKey(f"the id in the key of {name} is not that of the key")
    return found


def cosign(text: bytes, *, time_s: int, signer: Signer) -> bytes:
    """The line by which a witness stands for the text of a checkpoint."""
    key = WitnessKey(signer.public.name, signer.public.key)
    signature = time_s.to_bytes(_TIME_BYTES, "big") + signer.sign(_message(text, time_s))
    return line_of(key.name, key.key_id, signature)


def cosignatures_of(note: bytes, keys: Iterable[WitnessKey], verify: Verify) -> tuple[Cosignature, ...]:
    """The cosignatures of a checkpoint by these witnesses, one of each at most; those of others are passed over.

    Raises:
        BadNote: the note is malformed, or a cosignature of one of `keys` is not right.
    """
    text, signatures = parse_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    found = []
    for name, key_id, signature in signatures:
        key = known.pop((name, key_id), None)
        if key is None:
            continue
        time_s = int.from_bytes(signature[:_TIME_BYTES], "big")
        if time_s > _TIME_S_MAX or not verify(key.key, signature[_TIME_BYTES:], _message(text, time_s)):
            raise BadNote(f"the cosignature of {name} is not right")
        found.append(Cosignature(name, time_s, line_of(name, key_id, signature)))
    return tuple(found)


def _message(text: bytes, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n".encode() + text
