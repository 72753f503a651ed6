"""The secret of an API key or an operator: its shape, and the keyed hash that is all that is kept of it.

`tk_live_` + 43 base-62 digits (256 random bits) + 6 base-62 digits of CRC-32, so that scanners recognise a
leaked one without asking us. The checksum is a convenience; only the hash decides.
"""

import hashlib
import zlib
from typing import Final

import msgspec

from domain.refusal import BadField
from domain.secret import Secret

KEY_PREFIX: Final = "tk_live_"
OPERATOR_PREFIX: Final = "tk_op_"
MANAGEMENT_PREFIX: Final = "tk_mgmt_"
ENTROPY_BYTES: Final = 32
IMPORT_CHARS_MIN: Final = 20
SECRET_CHARS_MAX: Final = 256

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY_DIGITS = 43
_CHECK_DIGITS = 6
_SHOWN_CHARS = 4
_BLOCK_BYTES = 64


class SecretRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What may be stored and shown of a secret."""

    secret_hash: str  #: hex of the keyed hash
    prefix: str  #: the secret's recognisable start


class SecretHasher:
    """HMAC-SHA256 with a fixed key. The key schedule is prepared once: a look-up costs about half a microsecond."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, pepper: bytes) -> None:
        block = pepper.ljust(_BLOCK_BYTES, b"\0")
        assert len(block) == _BLOCK_BYTES, "a pepper has at most 64 bytes"
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, secret: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(secret)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def record(self, secret: Secret, *, prefix_chars: int) -> SecretRecord:
        text = secret.reveal()
        return SecretRecord(secret_hash=self.digest(text.encode()).hex(), prefix=text[:prefix_chars])


def new_secret(entropy: bytes, *, prefix: str = KEY_PREFIX) -> Secret:
    """A secret made of 32 random bytes."""
    assert len(entropy) == ENTROPY_BYTES, "a secret is made of 256 bits"
    text = prefix + _base62(int.from_bytes(entropy, "big"), _BODY_DIGITS)
    return Secret(text + _checksum(text))


def has_our_shape(text: str, *, prefix: str = KEY_PREFIX) -> bool:
    """Whether a text is a secret of ours by its checksum; says nothing about whether it was ever issued."""
    body, check = text[:-_CHECK_DIGITS], text[-_CHECK_DIGITS:]
    return body.startswith(prefix) and len(body) == len(prefix) + _BODY_DIGITS and check == _checksum(body)


def importable(secret: Secret) -> Secret:
    """A secret that was made elsewhere.

    Raises:
        BadField: it is too short to be unguessable, too long, or not printable ASCII without blanks.
    """
    text = secret.reveal()
    if not IMPORT_CHARS_MIN <= len(text) <= SECRET_CHARS_MAX:
        raise BadField("secret", f"must have {IMPORT_CHARS_MIN} to {SECRET_CHARS_MAX} characters")
    if not all("!" <= character <= "~" for character in text):
        raise BadField("secret", "must be printable ASCII without blanks")
    return secret


def prefix_chars(secret: Secret) -> int:
    """How much of a secret may be shown: our prefix and four characters, or the first four of an imported one."""
    for prefix in (KEY_PREFIX, OPERATOR_PREFIX, MANAGEMENT_PREFIX):
        if has_our_shape(secret.reveal(), prefix=prefix):
            return len(prefix) + _SHOWN_CHARS
    return _SHOWN_CHARS


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    out = []
    for _ in range(digits):
        number, digit = divmod(number, 62)
        out.append(_ALPHABET[digit])
    return "".join(reversed(out))
