"""What a customer writes on a bank transfer, so that it finds its order: short, without letters that are easily confused."""

from typing import Final
from uuid import UUID

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_CHARS: Final = 10  # 50 bits, of the random end of an id
_CHECK_BASE: Final = 31  # a prime: one wrong character, or two that are swapped, change the sum
_LIKE: Final = str.maketrans("ILO", "110")


def reference_of(order_id: UUID) -> str:
    """Such as `TK-7Q2M4-XK9TD-3`; the last character checks the others."""
    bits = order_id.int
    text = "".join(_ALPHABET[bits >> shift & 31] for shift in range(5 * (_CHARS - 1), -1, -5))
    return f"TK-{text[:5]}-{text[5:]}-{_check(text)}"


def read_reference(text: str) -> str | None:
    """The reference that somebody typed, in its one spelling; none if it is not one."""
    plain = "".join(one for one in text.upper() if one.isalnum()).removeprefix("TK").translate(_LIKE)
    body, check = plain[:_CHARS], plain[_CHARS:]
    if len(body) != _CHARS or any(one not in _ALPHABET for one in body) or check != _check(body):
        return None
    return f"TK-{body[:5]}-{body[5:]}-{check}"


def _check(text: str) -> str:
    total = sum(place * _ALPHABET.index(one) for place, one in enumerate(text, 1))
    return _ALPHABET[total % _CHECK_BASE]
