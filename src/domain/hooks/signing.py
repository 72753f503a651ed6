"""How a message is signed, so that its receiver knows that it is ours: Standard Webhooks, symmetric, version 1.

A secret is `whsec_` and 32 random bytes in base64. Signed are id, time and body; one signature for each secret.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from domain.secret import Secret

SECRET_BYTES: Final = 32
_PREFIX: Final = "whsec_"


def new_secret(entropy: bytes) -> Secret:
    """A secret made of 32 random bytes."""
    assert len(entropy) == SECRET_BYTES
    return Secret(_PREFIX + base64.b64encode(entropy).decode())


def headers_of(
    message_id: str, body: bytes, *, secrets: Sequence[Secret], at_s: int
) -> list[tuple[bytes, bytes]]:
    """The three headers with which a message goes out at a time."""
    signed = f"{message_id}.{at_s}.".encode() + body
    signatures = " ".join(_signature(signed, secret) for secret in secrets)
    return [
        (b"webhook-id", message_id.encode()),
        (b"webhook-timestamp", str(at_s).encode()),
        (b"webhook-signature", signatures.encode()),
    ]


def _signature(signed: bytes, secret: Secret) -> str:
    key = base64.b64decode(secret.reveal().removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
