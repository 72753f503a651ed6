"""Master keys: `KEYID:base64` of 32 bytes, several separated by commas. The first one seals, all of them open."""

import base64
import binascii
import re
import stat
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32
_KEY_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class BadMasterKey(Exception):
    """The master key setting cannot be used. The message names the entry by number, and never shows it."""


class MasterKeys:
    """The keys by id. Shows ids only."""

    __slots__ = ("_keys", "first_id")

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = dict(keys)
        self.first_id = next(iter(self._keys))

    def get(self, key_id: str) -> bytes | None:
        return self._keys.get(key_id)

    def __repr__(self) -> str:
        return f"MasterKeys({', '.join(self._keys)})"


def parse_master_keys(text: str) -> MasterKeys:
    """Read the setting.

    Raises:
        BadMasterKey: it is empty, an entry has another form, a key has not 32 bytes or is trivial, or an id is twice.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        key_id, colon, encoded = entry.partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise BadMasterKey(f"master key {number} must have the form KEYID:base64")
        if key_id in keys:
            raise BadMasterKey(f"master key {number} has the id of an earlier one")
        keys[key_id] = _decoded(encoded, number)
    if not keys:
        raise BadMasterKey("no master key is set: make one with `openssl rand -base64 32`, as KEYID:base64")
    return MasterKeys(keys)


def key_file_fault(path: Path) -> str | None:
    """What is wrong with a key file's permissions, and how to mend it; none when others cannot read or write it."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if not stat.S_ISREG(mode):
        return f"{path} is no regular file"
    if mode & _OTHERS:
        return f"{path} is open to other users (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}"
    return None


def _decoded(encoded: str, number: int) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise BadMasterKey(f"master key {number} is no base64") from None
    if len(key) != KEY_BYTES:
        raise BadMasterKey(f"master key {number} must have {KEY_BYTES} bytes")
    if len(set(key)) == 1:
        raise BadMasterKey(f"master key {number} is one byte repeated: make a random one")
    return key
