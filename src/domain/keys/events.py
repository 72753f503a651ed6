"""Facts about API keys. The stream's id is the key's id; of a secret only its keyed hash and prefix are kept."""

from typing import ClassVar
from uuid import UUID

from domain.event import Event
from domain.fact import Fact
from domain.limits import Limits


class KeySecretClaimed(Fact, frozen=True, kw_only=True):
    """A secret belongs to this key; first and only event of a stream named after the hash, so no other key gets it."""

    TOPIC: ClassVar[str] = "key.secret-claimed.v1"

    key_id: UUID


class ApiKeyIssued(Fact, frozen=True, kw_only=True):
    """An account got a key."""

    TOPIC: ClassVar[str] = "key.issued.v1"

    key_id: UUID
    account_id: UUID
    prefix: str
    secret_hash: str  #: hex of the HMAC-SHA256
    limits: Limits
    expires_us: int | None = None
    imported: bool = False  #: the secret was made elsewhere and brought along


class ApiKeyRotated(Fact, frozen=True, kw_only=True):
    """The key has a new secret; the one before works until `overlap_until_us`, older ones no more."""

    TOPIC: ClassVar[str] = "key.rotated.v1"

    key_id: UUID
    prefix: str
    secret_hash: str
    overlap_until_us: int


class ApiKeyLimitsSet(Fact, frozen=True, kw_only=True):
    """The key's limits; they replace the earlier ones."""

    TOPIC: ClassVar[str] = "key.limits-set.v1"

    key_id: UUID
    limits: Limits


class ApiKeyExpirySet(Fact, frozen=True, kw_only=True):
    """When the key stops working by itself; none means never."""

    TOPIC: ClassVar[str] = "key.expiry-set.v1"

    key_id: UUID
    expires_us: int | None


class ApiKeyRevoked(Fact, frozen=True, kw_only=True):
    """The key is dead for good, with all its secrets."""

    TOPIC: ClassVar[str] = "key.revoked.v1"

    key_id: UUID
    reason: str


KeyEvent = ApiKeyIssued | ApiKeyRotated | ApiKeyLimitsSet | ApiKeyExpirySet | ApiKeyRevoked
KEY_EVENTS: tuple[type[Event], ...] = (
    KeySecretClaimed,
    ApiKeyIssued,
    ApiKeyRotated,
    ApiKeyLimitsSet,
    ApiKeyExpirySet,
    ApiKeyRevoked,
)
