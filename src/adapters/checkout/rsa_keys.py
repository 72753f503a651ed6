"""RSA keys as payment providers hand them out, and their signatures: SHA-256 with PKCS #1 v1.5, in Base64."""

import base64
import binascii
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

_BITS_MIN: Final = 2048
_SIGNATURE_CHARS_MAX: Final = 2048
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"


def private_key(text: str) -> RSAPrivateKey:
    """A key as PEM, or as the bare Base64 that Alipay's tools write.

    Raises:
        ValueError: it is none, or too short; the message does not repeat it.
    """
    try:
        if "-----BEGIN" in text:
            found = load_pem_private_key(text.encode(), password=None)
        else:
            found = load_der_private_key(_bare(text), password=None)
    except (ValueError, TypeError):
        raise ValueError("no private key") from None
    if not isinstance(found, RSAPrivateKey) or found.key_size < _BITS_MIN:
        raise ValueError(f"no RSA key of {_BITS_MIN} bits or more")
    return found


def public_key(text: str) -> RSAPublicKey:
    """A key as PEM, within a certificate, or as bare Base64.

    Raises:
        ValueError: it is none, or too short.
    """
    found: object
    try:
        if _CERTIFICATE in text:
            found = x509.load_pem_x509_certificate(text.encode()).public_key()
        elif "-----BEGIN" in text:
            found = load_pem_public_key(text.encode())
        else:
            found = load_der_public_key(_bare(text))
    except ValueError:
        raise ValueError("no public key") from None
    if not isinstance(found, RSAPublicKey) or found.key_size < _BITS_MIN:
        raise ValueError(f"no RSA key of {_BITS_MIN} bits or more")
    return found


def certificate_serial(text: str) -> str:
    """A certificate's number, as providers write it; raises ValueError if it is none."""
    return f"{x509.load_pem_x509_certificate(text.encode()).serial_number:X}"


def sign(key: RSAPrivateKey, signed: bytes) -> str:
    return base64.b64encode(key.sign(signed, PKCS1v15(), SHA256())).decode()


def is_signature(key: RSAPublicKey, signed: bytes, signature: str) -> bool:
    """Whether it is the key's signature of these bytes; false for whatever is no signature at all."""
    if len(signature) > _SIGNATURE_CHARS_MAX:
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), signed, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _bare(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)
