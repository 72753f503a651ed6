"""Keys of those who take part: ours, the provider's, and somebody's who would like to be one of them. Made once in a process."""

import base64
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID


@cache
def key_of(party: str) -> rsa.RSAPrivateKey:
    """The same whenever one asks for the same party."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(party: str) -> str:
    key = key_of(party)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def private_bare(party: str) -> str:
    """As Alipay's tool writes it."""
    der = key_of(party).private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return base64.b64encode(der).decode()


def public_pem(party: str) -> str:
    key = key_of(party).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_bare(party: str) -> str:
    der = key_of(party).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def signature(party: str, signed: bytes) -> str:
    return base64.b64encode(key_of(party).sign(signed, padding.PKCS1v15(), SHA256())).decode()


@cache
def certificate(party: str, serial: int) -> str:
    """One that the party has signed itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key_of(party).public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key_of(party), SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()
