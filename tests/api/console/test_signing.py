"""What a browser keeps for us is ours, whole, and for the purpose that it was signed for."""

import msgspec
import pytest

from api.console.signing import CHARS_MAX, opened, signed
from domain.keys.secret import SecretHasher

HASHER = SecretHasher(bytes(range(32)))


class Note(msgspec.Struct, frozen=True):
    text: str


def test_what_was_signed_comes_back() -> None:
    assert opened(HASHER, b"note", signed(HASHER, b"note", Note("x")), Note) == Note("x")


@pytest.mark.parametrize("text", ["", "x", "\0", "é", "AAAA" * 20, "x" * (CHARS_MAX + 4)])
def test_anything_else_does_not(text: str) -> None:
    assert opened(HASHER, b"note", text, Note) is None


def test_one_purpose_is_not_another() -> None:
    """Nor is another installation's, or a changed one."""
    text = signed(HASHER, b"note", Note("x"))
    assert opened(HASHER, b"flash", text, Note) is None
    assert opened(SecretHasher(bytes(32)), b"note", text, Note) is None
    assert opened(HASHER, b"note", text[:-4] + "AAA=", Note) is None
