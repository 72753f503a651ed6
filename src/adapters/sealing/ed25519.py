"""Ed25519 by `cryptography`: keys that sign notes, and the check of a signature."""

import secrets
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.sealing.notes import BadKey, PublicKey, key_name, private_key_text, read_private_key

_SEED_BYTES: Final = 32


class Ed25519Signer:
    """Implements `domain.sealing.notes.Signer`. Shows its name only, so that a log cannot tell the key."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def read(cls, text: str) -> "Ed25519Signer":
        """The key of a text as `new_key` makes it.

        Raises:
            BadKey: it is none. What was read is not in the message.
        """
        name, key_id, seed = read_private_key(text)
        found = cls(name, seed)
        if found.public.key_id != key_id:
            raise BadKey("the key's id is not that of the key")
        return found

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def new_key(name: str) -> str:
    """A private key, as text, for a file that only its owner reads.

    Raises:
        BadKey: the name cannot be a key's.
    """
    seed = secrets.token_bytes(_SEED_BYTES)
    return private_key_text(Ed25519Signer(key_name(name), seed).public, seed)


def verify(key: bytes, signature: bytes, message: bytes) -> bool:
    """Implements `domain.sealing.notes.Verify`."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
