"""Sealing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.vault import Sealer, derive, secret_hasher
from adapters.vault.master_keys import MasterKeys
from application.vault import MasterKeyMissing, VaultDamaged

OLD, NEW = MasterKeys({"old": b"o" * 31 + b"1"}), MasterKeys({"new": b"n" * 31 + b"1"})
BOTH = MasterKeys({"new": b"n" * 31 + b"1", "old": b"o" * 31 + b"1"})


@given(plaintext=st.binary(max_size=100), place=st.binary(max_size=40))
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, place: bytes) -> None:
    """With any of the keys, and never looks the same twice."""
    sealed = Sealer(OLD).seal(plaintext, place=place)
    assert sealed.startswith(b"\x01\x03old")
    assert Sealer(BOTH).open(sealed, place=place) == plaintext
    assert Sealer(OLD).seal(plaintext, place=place) != sealed


@given(plaintext=st.binary(min_size=1, max_size=40), position=st.integers(0, 200), bit=st.integers(0, 7))
def test_any_changed_bit_is_noticed(plaintext: bytes, position: int, bit: int) -> None:
    """In the head, the nonce, the ciphertext and the tag."""
    sealed = bytearray(Sealer(BOTH).seal(plaintext, place=b"here"))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises((VaultDamaged, MasterKeyMissing)):
        Sealer(BOTH).open(bytes(sealed), place=b"here")


@given(st.binary(max_size=60))
def test_no_bytes_crash_it(junk: bytes) -> None:
    """Whatever stands in the row, it is one of two errors."""
    with pytest.raises((VaultDamaged, MasterKeyMissing)):
        Sealer(BOTH).open(junk, place=b"")


def test_another_place_or_key_does_not_open_it() -> None:
    """A missing key is told by its id; a wrong key under the right id is damage."""
    sealed = Sealer(OLD).seal(b"canary", place=b"here")
    with pytest.raises(VaultDamaged) as damaged:
        Sealer(OLD).open(sealed, place=b"there")
    assert "canary" not in str(damaged.value)
    with pytest.raises(MasterKeyMissing) as missing:
        Sealer(NEW).open(sealed, place=b"here")
    assert missing.value.key_id == "old"
    with pytest.raises(VaultDamaged):
        Sealer(MasterKeys({"old": b"x" * 32})).open(sealed, place=b"here")


def test_keys_for_different_purposes_are_different() -> None:
    """And the same for the same root: a restart hashes as before."""
    assert derive(b"r" * 32, "a") == derive(b"r" * 32, "a") != derive(b"r" * 32, "b")
    assert secret_hasher(b"r" * 32).digest(b"k") == secret_hasher(b"r" * 32).digest(b"k")
    assert secret_hasher(b"r" * 32).digest(b"k") != secret_hasher(b"s" * 32).digest(b"k")
