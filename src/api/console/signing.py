"""What a browser keeps for us between two requests: nobody else can have written it, and it is for one purpose."""

import base64
import hmac
from typing import Final, TypeVar

import msgspec

from domain.keys.secret import SecretHasher

CHARS_MAX: Final = 2_000
"""Longer ones are none of ours."""
_MAC_BYTES: Final = 32
_Kept = TypeVar("_Kept", bound=msgspec.Struct)


def signed(hasher: SecretHasher, purpose: bytes, value: msgspec.Struct) -> str:
    """As the text of a cookie. It can be read by whoever has it."""
    body = msgspec.json.encode(value)
    return base64.urlsafe_b64encode(_mac(hasher, purpose, body) + body).decode()


def opened(hasher: SecretHasher, purpose: bytes, text: str, kind: type[_Kept]) -> _Kept | None:
    """What was signed for this purpose; none for anything else."""
    try:
        packed = base64.urlsafe_b64decode(text[:CHARS_MAX])
        mac, body = packed[:_MAC_BYTES], packed[_MAC_BYTES:]
        if hmac.compare_digest(mac, _mac(hasher, purpose, body)):
            return msgspec.json.decode(body, type=kind)
    except (ValueError, msgspec.DecodeError):
        pass
    return None


def _mac(hasher: SecretHasher, purpose: bytes, body: bytes) -> bytes:
    return hasher.digest(purpose + b"\0" + body)
