"""The shape and the hash of API keys."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.keys.secret import (
    KEY_PREFIX,
    OPERATOR_PREFIX,
    SecretHasher,
    has_our_shape,
    importable,
    new_secret,
    prefix_chars,
)
from domain.refusal import BadField
from domain.secret import Secret

entropies = st.binary(min_size=32, max_size=32)


@given(entropies)
def test_a_key_is_recognisable_and_plain(entropy: bytes) -> None:
    """A fixed prefix and length, letters and digits, and a checksum that scanners can verify."""
    text = new_secret(entropy).reveal()
    assert text.startswith("tk_live_")
    assert len(text) == 57
    assert text[8:].isalnum()
    assert has_our_shape(text)
    assert not has_our_shape(text, prefix=OPERATOR_PREFIX)


@given(entropies, st.integers(8, 56))
def test_a_mistyped_key_is_not_of_our_shape(entropy: bytes, position: int) -> None:
    """One wrong character breaks the checksum."""
    text = new_secret(entropy).reveal()
    other = "1" if text[position] == "0" else "0"
    assert not has_our_shape(text[:position] + other + text[position + 1 :])


@given(entropies, entropies)
def test_all_256_bits_are_in_the_key(one: bytes, other: bytes) -> None:
    """Different randomness is a different key."""
    assert (new_secret(one).reveal() == new_secret(other).reveal()) == (one == other)


@given(pepper=st.binary(min_size=1, max_size=64), secret=st.binary(max_size=300))
def test_the_hash_is_hmac_sha256(pepper: bytes, secret: bytes) -> None:
    """The prepared key schedule gives what the standard library gives."""
    assert SecretHasher(pepper).digest(secret) == hmac.digest(pepper, secret, "sha256")


def test_a_record_shows_the_prefix_and_four_more() -> None:
    """Enough to recognise a key, and nothing to guess it by; of an imported key four characters."""
    hasher = SecretHasher(b"pepper")
    for secret, shown in (
        (new_secret(b"\x07" * 32), len(KEY_PREFIX) + 4),
        (new_secret(b"\x07" * 32, prefix=OPERATOR_PREFIX), len(OPERATOR_PREFIX) + 4),
        (Secret("sk-made-elsewhere-0123456789"), 4),
    ):
        record = hasher.record(secret, prefix_chars=prefix_chars(secret))
        assert record.prefix == secret.reveal()[:shown]
        assert record.secret_hash == hasher.digest(secret.reveal().encode()).hex()


@pytest.mark.parametrize(
    "text", ["", "short", "x" * 257, "with blank 0123456789012", "ünicode-0123456789-0123"]
)
def test_a_weak_or_odd_secret_is_not_imported(text: str) -> None:
    """At least 20 printable ASCII characters; the refusal does not repeat them."""
    with pytest.raises(BadField) as caught:
        importable(Secret(text))
    assert not text or text not in str(caught.value)


def test_a_good_secret_is_imported_unchanged() -> None:
    """Clients need not change their keys."""
    secret = Secret("sk-made-elsewhere-0123456789")
    assert importable(secret) is secret
