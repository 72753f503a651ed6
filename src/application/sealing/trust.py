"""Whose signatures count for the log of this installation."""

import msgspec

from domain.sealing.checkpoint import Checkpoint, open_checkpoint
from domain.sealing.notes import BadNote, PublicKey, Verify


class Trust(msgspec.Struct, frozen=True):
    """Whose signatures count. The first key's name is the log's."""

    keys: tuple[PublicKey, ...]
    verify: Verify

    def open(self, note: bytes) -> Checkpoint:
        """Raises `BadNote`: it cannot be believed, or is another log's."""
        found = open_checkpoint(note, self.keys, self.verify)
        if found.origin != self.keys[0].name:
            raise BadNote(f"it is of the log {found.origin}")
        return found
