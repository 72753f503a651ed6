"""Sealing with AES-256-GCM: a random nonce for each seal, the key id in front, and the place bound in.

Layout: format byte (1), length of the key id, key id, nonce (12 bytes), ciphertext with tag. Everything before
the nonce is authenticated together with the place, so neither can be exchanged.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.vault.master_keys import MasterKeys
from application.vault import MasterKeyMissing, VaultDamaged
from domain.keys.secret import SecretHasher

_FORMAT: Final = 1
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class Sealer:
    """Seals with the first master key, opens with any of them."""

    __slots__ = ("_keys",)

    def __init__(self, keys: MasterKeys) -> None:
        self._keys = keys

    @property
    def key_id(self) -> str:
        """The id of the key that seals."""
        return self._keys.first_id

    @property
    def head(self) -> bytes:
        """What everything begins with that the first key has sealed, and nothing else."""
        return bytes((_FORMAT, len(self.key_id))) + self.key_id.encode()

    def seal(self, plaintext: bytes, *, place: bytes) -> bytes:
        key = self._keys.get(self.key_id)
        assert key is not None, "the first key is one of the keys"
        head = self.head
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + AESGCM(key).encrypt(nonce, plaintext, head + place)

    def open(self, sealed: bytes, *, place: bytes) -> bytes:
        """Read back what was sealed for the same place.

        Raises:
            VaultDamaged: it was changed, or sealed for another place, or with another key of this id.
            MasterKeyMissing: its key is not among ours.
        """
        nonce_at = 2 + sealed[1] if len(sealed) > 1 else 0
        if not nonce_at or sealed[0] != _FORMAT or len(sealed) < nonce_at + _NONCE_BYTES + _TAG_BYTES:
            raise VaultDamaged("a sealed value has no valid form")
        head = sealed[:nonce_at]
        key_id = head[2:].decode("ascii", "replace")
        key = self._keys.get(key_id)
        if key is None:
            raise MasterKeyMissing(key_id)
        nonce, ciphertext = sealed[nonce_at : nonce_at + _NONCE_BYTES], sealed[nonce_at + _NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, ciphertext, head + place)
        except InvalidTag:
            raise VaultDamaged("a sealed value does not open in its place") from None


def derive(root: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose, by HKDF-SHA256 from the installation's root secret."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"tokenok {purpose}".encode()).derive(root)


def secret_hasher(root: bytes) -> SecretHasher:
    """The keyed hash of API keys and operators' tokens."""
    return SecretHasher(derive(root, "secret hash v1"))
