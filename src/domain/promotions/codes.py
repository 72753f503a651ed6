"""What a code looks like: a hundred random bits that people can read to each other.

`TOK-` and four groups of five symbols of Crockford's alphabet, which has none that are taken for one another. Blanks,
hyphens and case say nothing; O is read as 0, I and L as 1.
"""

from typing import ClassVar, Final

from domain.keys.secret import SecretHasher
from domain.refusal import Refusal
from domain.secret import Secret

CODE_BYTES: Final = 13  #: of randomness; the last hundred bits are used
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX: Final = "TOK"
_SYMBOLS: Final = 20
_GROUP: Final = 5
_BITS: Final = 5
_CHARS_MAX: Final = 64
_READ_AS: Final = str.maketrans("OIL", "011", " -")


class BadCode(Refusal):
    """There is no such code. Said of whatever somebody guesses."""

    code: ClassVar[str] = "invalid_code"


def new_code(entropy: bytes) -> Secret:
    """A code made of random bytes."""
    assert len(entropy) == CODE_BYTES
    number = int.from_bytes(entropy, "big")
    symbols = "".join(
        _ALPHABET[number >> (_BITS * place) & (len(_ALPHABET) - 1)] for place in reversed(range(_SYMBOLS))
    )
    groups = [symbols[at : at + _GROUP] for at in range(0, _SYMBOLS, _GROUP)]
    return Secret("-".join((_PREFIX, *groups)))


def hash_of(code: Secret, hasher: SecretHasher) -> str:
    """The keyed hash of a code as somebody typed it, in hex.

    Raises:
        BadCode: it has not the form of one.
    """
    typed = code.reveal()
    text = typed[:_CHARS_MAX].upper().translate(_READ_AS)
    prefix = _PREFIX.translate(_READ_AS)
    symbols = text.removeprefix(prefix) if len(text) > _SYMBOLS else text
    if len(typed) > _CHARS_MAX or len(symbols) != _SYMBOLS or not set(symbols) <= set(_ALPHABET):
        raise BadCode("there is no such code")
    return hasher.digest(b"redemption code\0" + symbols.encode()).hex()
