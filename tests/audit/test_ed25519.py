"""The auditor's own Ed25519: RFC 8032's vectors, and another implementation."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenok_audit import ed25519_verifies

ORDER = 2**252 + 27742317777372353535851937790883648493
#: RFC 8032, 7.1: public key, message, signature.
VECTORS = {
    "1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_the_standard(name: str) -> None:
    """RFC 8032, 7.1; and with another message none of them verifies."""
    key, message, signature = map(bytes.fromhex, VECTORS[name])
    assert ed25519_verifies(key, message, signature)
    assert not ed25519_verifies(key, message + b"\x00", signature)


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_another_implementation_signs_verifies(seed: bytes, message: bytes) -> None:
    """Any key, any message."""
    signer = Ed25519PrivateKey.from_private_bytes(seed)
    assert ed25519_verifies(signer.public_key().public_bytes_raw(), message, signer.sign(message))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 64 * 8 - 1))
def test_no_bit_of_a_signature_can_be_changed(bit: int) -> None:
    """Neither in the point nor in the number."""
    key, message, signature = map(bytes.fromhex, VECTORS["3"])
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert not ed25519_verifies(key, message, bytes(changed))


def test_a_signature_has_one_form_only() -> None:
    """RFC 8032, 5.1.7: the same number plus the order of the group is refused."""
    key, message, signature = map(bytes.fromhex, VECTORS["3"])
    number = int.from_bytes(signature[32:], "little") + ORDER
    assert not ed25519_verifies(key, message, signature[:32] + number.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "key",
    [
        (2**255 - 19 + 3).to_bytes(32, "little"),  # y is not below the prime
        (2).to_bytes(32, "little"),  # no x for this y
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 with a sign
        bytes(31),
    ],
)
def test_what_is_no_point_is_no_key(key: bytes) -> None:
    """RFC 8032, 5.1.3: each point has one form, and not each form is a point."""
    _, message, signature = map(bytes.fromhex, VECTORS["3"])
    assert not ed25519_verifies(key, message, signature)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_none(length: int) -> None:
    """It is refused, not cut."""
    key, message, signature = map(bytes.fromhex, VECTORS["3"])
    assert not ed25519_verifies(key, message, (signature + b"\x00")[:length])
