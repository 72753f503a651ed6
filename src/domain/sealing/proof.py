"""A proof that an event is in the sealed log, in one file, as C2SP tlog-proof has it."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from domain.sealing.checking import root_by_inclusion
from domain.sealing.checkpoint import Checkpoint, hash_text, open_checkpoint, read_hash
from domain.sealing.notes import BadNote, PublicKey, Verify

_HEAD: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")
PATH_HASHES_MAX: Final = 64


class Proof(msgspec.Struct, frozen=True):
    """The place of a leaf, the hashes that lead to the root, and the checkpoint with that root."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def text(self) -> bytes:
        lines = [_HEAD, f"index {self.index}", *map(hash_text, self.path), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    def check(self, leaf: bytes, keys: Iterable[PublicKey], verify: Verify) -> Checkpoint:
        """The checkpoint, if the leaf with this hash is in the tree of it.

        Raises:
            BadNote: the checkpoint cannot be believed, or the leaf is not in its tree.
            BadProof: the path does not fit the leaf's place.
        """
        found = open_checkpoint(self.checkpoint, keys, verify)
        if root_by_inclusion(leaf, index=self.index, size=found.size, path=self.path) != found.root:
            raise BadNote("the event is not in the tree of this checkpoint")
        return found


def read_proof(text: bytes) -> Proof:
    """Read one. Nothing is proved before `Proof.check`.

    Raises:
        BadNote: it is malformed.
    """
    head, separator, checkpoint = text.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if not separator or lines[0] != _HEAD:
        raise BadNote("it is no proof of a transparency log")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if index is None or len(lines) > 2 + PATH_HASHES_MAX:
        raise BadNote("the proof is malformed")
    return Proof(int(index.group(1)), tuple(map(read_hash, lines[2:])), checkpoint)
