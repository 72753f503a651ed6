"""The life of an API key: issued, rotated with an overlap, limited, expired, revoked."""

from typing import assert_never
from uuid import UUID

import msgspec

from domain.accounts import Account
from domain.fact import Stamp
from domain.ids import stream_of
from domain.keys.events import (
    ApiKeyExpirySet,
    ApiKeyIssued,
    ApiKeyLimitsSet,
    ApiKeyRevoked,
    ApiKeyRotated,
    KeyEvent,
    KeySecretClaimed,
)
from domain.keys.secret import SecretRecord
from domain.limits import Limits, checked_limits
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from domain.text import REASON_CHARS_MAX, printable

OVERLAP_S_MAX = 30 * 24 * 3600
_US = 1_000_000
_SECRETS = UUID("6f1a7a63-0d61-5b0e-9a53-8b7f2a2f0c11")


class KeySecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that opens the key, until its overlap ends."""

    secret_hash: str
    prefix: str
    valid_until_us: int | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a key stream."""

    key_id: UUID
    account_id: UUID
    secrets: tuple[KeySecret, ...]  #: the current one first, then at most one in overlap
    limits: Limits
    expires_us: int | None
    revoked: bool = False


def evolve(key: ApiKey | None, event: KeyEvent) -> ApiKey:
    """The key after one more fact."""
    if isinstance(event, ApiKeyIssued):
        return ApiKey(
            key_id=event.key_id,
            account_id=event.account_id,
            secrets=(KeySecret(secret_hash=event.secret_hash, prefix=event.prefix),),
            limits=event.limits,
            expires_us=event.expires_us,
        )
    assert key is not None, "a key stream starts with ApiKeyIssued"
    match event:
        case ApiKeyRotated():
            current = KeySecret(secret_hash=event.secret_hash, prefix=event.prefix)
            former = msgspec.structs.replace(key.secrets[0], valid_until_us=event.overlap_until_us)
            return msgspec.structs.replace(key, secrets=(current, former))
        case ApiKeyLimitsSet():
            return msgspec.structs.replace(key, limits=event.limits)
        case ApiKeyExpirySet():
            return msgspec.structs.replace(key, expires_us=event.expires_us)
        case ApiKeyRevoked():
            return msgspec.structs.replace(key, revoked=True, secrets=())
        case _:
            assert_never(event)


def secret_stream(secret_hash: str) -> UUID:
    """The stream whose only event is the claim of this secret."""
    return stream_of(_SECRETS, secret_hash)


def claim(*, key_id: UUID, stamp: Stamp) -> KeySecretClaimed:
    """Version 1 of `secret_stream`, stored in one append with the event that brings the secret."""
    return KeySecretClaimed(key_id=key_id, occurred_us=stamp.now_us, actor=stamp.actor)


def issue(
    key: ApiKey | None,
    *,
    key_id: UUID,
    account: Account,
    secret: SecretRecord,
    limits: Limits,
    expires_us: int | None,
    imported: bool,
    stamp: Stamp,
) -> list[KeyEvent]:
    """Give an open account a key.

    Raises:
        AlreadyExists: the key id is in use.
        WrongState: the account is suspended or closed.
        BadField: a limit cannot be used or reaches beyond the account's, or the expiry has passed.
    """
    if key is not None:
        raise AlreadyExists("API key", key_id)
    if account.status != "open":
        raise WrongState("account", account.status)
    return [
        ApiKeyIssued(
            key_id=key_id,
            account_id=account.account_id,
            prefix=secret.prefix,
            secret_hash=secret.secret_hash,
            limits=checked_limits(limits, within=account.limits),
            expires_us=_checked_expiry(expires_us, stamp.now_us),
            imported=imported,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def rotate(key: ApiKey | None, *, secret: SecretRecord, overlap_s: int, stamp: Stamp) -> list[KeyEvent]:
    """Give the key a new secret and let the present one work for `overlap_s` more; a still older one ends now.

    Raises:
        NotFound, WrongState: there is no such key, or it is revoked.
        BadField: the overlap is negative or longer than 30 days.
    """
    key = _alive(key)
    if not 0 <= overlap_s <= OVERLAP_S_MAX:
        raise BadField("overlap_s", f"must be between 0 and {OVERLAP_S_MAX}")
    return [
        ApiKeyRotated(
            key_id=key.key_id,
            prefix=secret.prefix,
            secret_hash=secret.secret_hash,
            overlap_until_us=stamp.now_us + overlap_s * _US,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def set_limits(key: ApiKey | None, *, account: Account, limits: Limits, stamp: Stamp) -> list[KeyEvent]:
    """Replace the key's limits.

    Raises:
        NotFound, WrongState: there is no such key, or it is revoked.
        BadField: a limit cannot be used or reaches beyond the account's.
    """
    key = _alive(key)
    limits = checked_limits(limits, within=account.limits)
    if limits == key.limits:
        return []
    return [ApiKeyLimitsSet(key_id=key.key_id, limits=limits, occurred_us=stamp.now_us, actor=stamp.actor)]


def set_expiry(key: ApiKey | None, *, expires_us: int | None, stamp: Stamp) -> list[KeyEvent]:
    """Set or lift the time at which the key stops working.

    Raises:
        NotFound, WrongState: there is no such key, or it is revoked.
        BadField: the time has passed; revoke the key instead.
    """
    key = _alive(key)
    if expires_us == key.expires_us:
        return []
    return [
        ApiKeyExpirySet(
            key_id=key.key_id,
            expires_us=_checked_expiry(expires_us, stamp.now_us),
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def revoke(key: ApiKey | None, *, reason: str, stamp: Stamp) -> list[KeyEvent]:
    """Kill the key with all its secrets; revoking twice does nothing.

    Raises:
        NotFound: there is no such key.
        BadField: the reason is empty or cannot be shown.
    """
    if key is None:
        raise NotFound("API key")
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if key.revoked:
        return []
    return [ApiKeyRevoked(key_id=key.key_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor)]


def _alive(key: ApiKey | None) -> ApiKey:
    if key is None:
        raise NotFound("API key")
    if key.revoked:
        raise WrongState("API key", "revoked")
    return key


def _checked_expiry(expires_us: int | None, now_us: int) -> int | None:
    if expires_us is not None and not now_us < expires_us < 2**63:
        raise BadField("expires_us", "has passed")
    return expires_us
