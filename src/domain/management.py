"""Management keys: what a customer's own programs use `/api` with. They manage one account, and call no model.

Each has a stream; of a secret only its keyed hash and prefix are kept. A key that a member made is never
worth more than that member is at the moment of its use.
"""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.accounts import Account, not_closed
from domain.event import Event
from domain.fact import Actor, Fact, Stamp
from domain.ids import stream_of
from domain.keys.secret import SecretRecord
from domain.members import MEMBER_PERMISSIONS, MemberPermission, Members
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted, Refusal, WrongState
from domain.text import REASON_CHARS_MAX, printable

ManagementRole = Literal["admin", "developer", "billing", "viewer"]

OVERLAP_S_MAX: Final = 30 * 24 * 3600
_US: Final = 1_000_000
_NOT_FOR_PROGRAMS: Final[frozenset[MemberPermission]] = frozenset({"members"})
"""Who belongs to an account, and which management keys it has, is for people to say."""


class ManagementKeyIssued(Fact, frozen=True, kw_only=True):
    """An account got a key to `/api`."""

    TOPIC: ClassVar[str] = "management-key.issued.v1"

    key_id: UUID
    account_id: UUID
    role: ManagementRole
    prefix: str
    secret_hash: str  #: hex of the HMAC-SHA256
    expires_us: int | None = None
    person_id: UUID | None = None  #: the member who made it; none for operators


class ManagementKeyRotated(Fact, frozen=True, kw_only=True):
    """The key has a new secret; the one before works until `overlap_until_us`, older ones no more."""

    TOPIC: ClassVar[str] = "management-key.rotated.v1"

    key_id: UUID
    prefix: str
    secret_hash: str
    overlap_until_us: int


class ManagementKeyRevoked(Fact, frozen=True, kw_only=True):
    """The key is dead for good, with all its secrets."""

    TOPIC: ClassVar[str] = "management-key.revoked.v1"

    key_id: UUID
    reason: str


ManagementEvent = ManagementKeyIssued | ManagementKeyRotated | ManagementKeyRevoked
MANAGEMENT_EVENTS: tuple[type[Event], ...] = (ManagementKeyIssued, ManagementKeyRotated, ManagementKeyRevoked)


class InvalidManagementKey(Refusal):
    """Unknown, revoked, rotated away, expired, or of a member who is gone: the caller is not told which."""

    code: ClassVar[str] = "invalid_token"


class ManagementSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that opens the key, until its overlap ends."""

    secret_hash: str
    prefix: str
    valid_until_us: int | None = None


class ManagementKey(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a key's stream."""

    key_id: UUID
    account_id: UUID
    role: ManagementRole
    secrets: tuple[ManagementSecret, ...]  #: the current one first, then at most one in overlap
    expires_us: int | None
    person_id: UUID | None
    issued_us: int
    revoked: bool = False

    def permissions(self, members: Members) -> frozenset[MemberPermission]:
        """What it allows now.

        Raises:
            InvalidManagementKey: whoever made it is no member any more.
        """
        allowed = MEMBER_PERMISSIONS[self.role] - _NOT_FOR_PROGRAMS
        if self.person_id is None:
            return allowed
        maker = members.members.get(self.person_id)
        if maker is None:
            raise InvalidManagementKey
        return allowed & MEMBER_PERMISSIONS[maker.role]


def management_stream(key_id: UUID) -> UUID:
    """The stream of a management key."""
    return stream_of(key_id, "management-key")


def evolve(key: ManagementKey | None, event: ManagementEvent) -> ManagementKey:
    """The key after one more fact."""
    if isinstance(event, ManagementKeyIssued):
        return ManagementKey(
            key_id=event.key_id,
            account_id=event.account_id,
            role=event.role,
            secrets=(ManagementSecret(secret_hash=event.secret_hash, prefix=event.prefix),),
            expires_us=event.expires_us,
            person_id=event.person_id,
            issued_us=event.occurred_us,
        )
    assert key is not None, "a key's stream starts with ManagementKeyIssued"
    match event:
        case ManagementKeyRotated():
            current = ManagementSecret(secret_hash=event.secret_hash, prefix=event.prefix)
            former = msgspec.structs.replace(key.secrets[0], valid_until_us=event.overlap_until_us)
            return msgspec.structs.replace(key, secrets=(current, former))
        case ManagementKeyRevoked():
            return msgspec.structs.replace(key, revoked=True, secrets=())
        case _:
            assert_never(event)


def issue(
    key: ManagementKey | None,
    *,
    key_id: UUID,
    account: Account,
    members: Members,
    role: ManagementRole,
    secret: SecretRecord,
    expires_us: int | None,
    by: Actor,
    stamp: Stamp,
) -> list[ManagementEvent]:
    """Give an account a key.

    Raises:
        NotPermitted: the actor is a program, or no member who may manage members.
        AlreadyExists: the key id is in use.
        WrongState: the account is closed.
        BadField: the expiry has passed.
    """
    require_manager(members, by)
    if key is not None:
        raise AlreadyExists("management key", key_id)
    not_closed(account)
    if expires_us is not None and not stamp.now_us < expires_us < 2**63:
        raise BadField("expires_us", "has passed")
    return [
        ManagementKeyIssued(
            key_id=key_id,
            account_id=account.account_id,
            role=role,
            prefix=secret.prefix,
            secret_hash=secret.secret_hash,
            expires_us=expires_us,
            person_id=by.person_id if by.kind == "member" else None,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def rotate(
    key: ManagementKey | None,
    *,
    members: Members,
    secret: SecretRecord,
    overlap_s: int,
    by: Actor,
    stamp: Stamp,
) -> list[ManagementEvent]:
    """Give the key a new secret and let the present one work for `overlap_s` more; a still older one ends now.

    Raises:
        NotPermitted: as `issue`.
        NotFound, WrongState: there is no such key, or it is revoked.
        BadField: the overlap is negative or longer than 30 days.
    """
    require_manager(members, by)
    key = existing(key)
    if key.revoked:
        raise WrongState("management key", "revoked")
    if not 0 <= overlap_s <= OVERLAP_S_MAX:
        raise BadField("overlap_s", f"must be between 0 and {OVERLAP_S_MAX}")
    return [
        ManagementKeyRotated(
            key_id=key.key_id,
            prefix=secret.prefix,
            secret_hash=secret.secret_hash,
            overlap_until_us=stamp.now_us + overlap_s * _US,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def revoke(
    key: ManagementKey | None, *, members: Members, reason: str, by: Actor, stamp: Stamp
) -> list[ManagementEvent]:
    """Kill the key with all its secrets; revoking twice does nothing.

    Raises:
        NotPermitted: as `issue`.
        NotFound: there is no such key.
        BadField: the reason is empty or cannot be shown.
    """
    require_manager(members, by)
    key = existing(key)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if key.revoked:
        return []
    return [
        ManagementKeyRevoked(key_id=key.key_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def existing(key: ManagementKey | None) -> ManagementKey:
    """The key, or `NotFound`."""
    if key is None:
        raise NotFound("management key")
    return key


def require_manager(members: Members, by: Actor) -> None:
    """Operators look after every account; of its own people, those who manage members. Never a program.

    Raises:
        NotPermitted: the actor is neither.
    """
    if by.kind in {"operator", "system"}:
        return
    maker = members.members.get(by.person_id) if by.kind == "member" and by.person_id is not None else None
    if maker is None or "members" not in MEMBER_PERMISSIONS[maker.role]:
        raise NotPermitted("the permission members")
