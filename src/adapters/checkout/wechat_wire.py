"""WeChat Pay's wire format (API v3): what is sent and received is signed with RSA over its lines, what messages tell is sealed.

Our key signs requests, WeChat Pay's keys sign answers and messages; which one, the header `Wechatpay-Serial` tells: the number of a
platform certificate, or the id of a public key. The contents of messages are sealed with AES-256-GCM under the APIv3 key.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.checkout.rsa_keys import certificate_serial, is_signature, public_key, sign
from application.checkout.ports import BadNotice, Headers

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
AGE_S_MAX: Final = 300
SEAL_KEY_BYTES: Final = 32
_SEAL: Final = "AEAD_AES_256_GCM"
_NONCE_BYTES: Final = 16
_SEAL_NONCE_BYTES: Final = 12
_TIME: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_NONCE: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)
_KEY_ID: Final = re.compile(r"PUB_KEY_ID_[0-9A-Za-z]+", re.ASCII)


class Sealed(msgspec.Struct, frozen=True):
    """The contents of a message."""

    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""


def platform_keys(text: str) -> dict[str, RSAPublicKey]:
    """WeChat Pay's keys by their ids: certificates, and public keys with the id (`PUB_KEY_ID_...`) on a line before each.

    Raises:
        ValueError: there is none, or one cannot be used.
    """
    found: dict[str, RSAPublicKey] = {}
    end = 0
    for block in _BLOCK.finditer(text):
        if block[1] == "CERTIFICATE":
            found[certificate_serial(block[0])] = public_key(block[0])
        else:
            ids = _KEY_ID.findall(text[end : block.start()])
            if not ids:
                raise ValueError("a public key has no id before it")
            found[ids[-1]] = public_key(block[0])
        end = block.end()
    if not found:
        raise ValueError("there is no certificate and no public key")
    return found


def authorization(
    method: str, path: str, body: bytes, *, merchant_id: str, serial: str, key: RSAPrivateKey, now_s: int
) -> str:
    """The header that a request is sent with."""
    nonce = secrets.token_hex(_NONCE_BYTES)
    signature = sign(key, f"{method}\n{path}\n{now_s}\n{nonce}\n".encode() + body + b"\n")
    parts = {
        "mchid": merchant_id,
        "nonce_str": nonce,
        "signature": signature,
        "timestamp": str(now_s),
        "serial_no": serial,
    }
    return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in parts.items())


def is_answer_signed(headers: Mapping[str, str], body: bytes, *, keys: Mapping[str, RSAPublicKey]) -> bool:
    """Whether an answer is WeChat Pay's."""
    key = keys.get(headers.get("wechatpay-serial", ""))
    signed = _signed(headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", ""), body)
    return key is not None and is_signature(key, signed, headers.get("wechatpay-signature", ""))


def check_notice(raw: bytes, headers: Headers, *, keys: Mapping[str, RSAPublicKey], now_s: int) -> None:
    """Refuse whatever WeChat Pay has not signed, at most five minutes ago or ahead.

    Raises:
        BadNotice: see there; never anything else.
    """
    at, nonce, serial = (_one(headers, f"wechatpay-{name}") for name in ("timestamp", "nonce", "serial"))
    signature = _one(headers, "wechatpay-signature")
    schemes = [value for name, value in headers if name == "wechatpay-signature-type"]
    if any(one != SCHEME for one in schemes):
        raise BadNotice("the message is signed in another way")
    if not _TIME.fullmatch(at) or not _NONCE.fullmatch(nonce):
        raise BadNotice("the signature has no time or no nonce")
    if abs(now_s - int(at)) > AGE_S_MAX:
        raise BadNotice("the message is not of now")
    key = keys.get(serial)
    if key is None or not is_signature(key, _signed(at, nonce, raw), signature):
        raise BadNotice("the signature is wrong")


def opened(sealed: Sealed, *, key: bytes) -> bytes:
    """What a message tells.

    Raises:
        BadNotice: it was not sealed with this key.
    """
    nonce = sealed.nonce.encode()
    if sealed.algorithm != _SEAL or len(nonce) != _SEAL_NONCE_BYTES:
        raise BadNotice("the message is sealed in another way")
    try:
        ciphertext = base64.b64decode(sealed.ciphertext, validate=True)
        return AESGCM(key).decrypt(nonce, ciphertext, sealed.associated_data.encode())
    except (InvalidTag, binascii.Error, ValueError):
        raise BadNotice("the message cannot be opened") from None


def _one(headers: Headers, name: str) -> str:
    found = [value for known, value in headers if known == name]
    if len(found) != 1:
        raise BadNotice(f"one header {name} is needed")
    return found[0]


def _signed(at: str, nonce: str, body: bytes) -> bytes:
    return f"{at}\n{nonce}\n".encode() + body + b"\n"
