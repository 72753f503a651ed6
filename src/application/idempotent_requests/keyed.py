"""Which request a key stands for: the account's, to one endpoint, with one body, byte by byte."""

import re
from typing import Final
from uuid import UUID

import msgspec

from domain.ledger.idempotency import digest, key_stream

KEY_CHARS_MAX: Final = 255
_KEY: Final = re.compile(rb"[!-~]{1,%d}" % KEY_CHARS_MAX)


class KeyedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Key and body are kept as hashes only."""

    account_id: UUID
    key_sha256: str
    body_sha256: str

    @property
    def stream_id(self) -> UUID:
        """The key's stream."""
        return key_stream(self.account_id, self.key_sha256)


def is_usable(key: bytes) -> bool:
    """Whether a key has 1 to 255 printable ASCII characters and no blank."""
    return _KEY.fullmatch(key) is not None


def keyed_request(key: bytes, *, account_id: UUID, endpoint: str, body: bytes) -> KeyedRequest:
    """The same body for another endpoint is another request."""
    return KeyedRequest(
        account_id=account_id,
        key_sha256=digest(key),
        body_sha256=digest(endpoint.encode() + b"\0" + body),
    )
