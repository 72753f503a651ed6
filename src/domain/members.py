"""Members: the people of a customer who may use its workspace, with their roles.

One stream for each account, so that "never without an owner" holds under its version, in parallel too.
Who somebody is stands here by id; their address only sealed.
"""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Actor, Fact, Stamp
from domain.ids import stream_of
from domain.invitations import INVITATION_VALID_US, BadInvitation, Invitation
from domain.privacy import Sealed
from domain.refusal import NotFound, NotPermitted, Refusal, WrongState

MemberRole = Literal["owner", "admin", "developer", "billing", "viewer"]
MemberPermission = Literal["read", "keys", "billing", "members"]

MEMBER_PERMISSIONS: Final[dict[MemberRole, frozenset[MemberPermission]]] = {
    "owner": frozenset({"read", "keys", "billing", "members"}),
    "admin": frozenset({"read", "keys", "billing", "members"}),
    "developer": frozenset({"read", "keys"}),
    "billing": frozenset({"read", "billing"}),
    "viewer": frozenset({"read"}),
}
INVITATIONS_MAX: Final = 100
MEMBERS_MAX: Final = 500


class MemberInvited(Fact, frozen=True, kw_only=True):
    """Whoever follows the link by then becomes a member."""

    TOPIC: ClassVar[str] = "member.invited.v1"

    account_id: UUID
    invitation_id: UUID
    role: MemberRole
    secret_hash: str
    expires_us: int


class MemberInvitationWithdrawn(Fact, frozen=True, kw_only=True):
    """The link lets nobody in any more."""

    TOPIC: ClassVar[str] = "member.invitation-withdrawn.v1"

    account_id: UUID
    invitation_id: UUID


class MemberJoined(Fact, frozen=True, kw_only=True):
    """Somebody followed the link, and is a member now."""

    TOPIC: ClassVar[str] = "member.joined.v1"

    account_id: UUID
    invitation_id: UUID
    person_id: UUID
    role: MemberRole
    pii: Sealed  #: the person's mail address, sealed with a key of their own


class MemberRoleChanged(Fact, frozen=True, kw_only=True):
    """The member may do more or less from now on."""

    TOPIC: ClassVar[str] = "member.role-changed.v1"

    account_id: UUID
    person_id: UUID
    role: MemberRole


class MemberRemoved(Fact, frozen=True, kw_only=True):
    """The person is no member any more."""

    TOPIC: ClassVar[str] = "member.removed.v1"

    account_id: UUID
    person_id: UUID


class MemberAddressChanged(Fact, frozen=True, kw_only=True):
    """The person has another mail address, here and wherever else they are a member."""

    TOPIC: ClassVar[str] = "member.address-changed.v1"

    account_id: UUID
    person_id: UUID
    pii: Sealed  #: the address, sealed with the person's own key


MemberEvent = (
    MemberInvited
    | MemberInvitationWithdrawn
    | MemberJoined
    | MemberRoleChanged
    | MemberRemoved
    | MemberAddressChanged
)
MEMBER_EVENTS: tuple[type[Fact], ...] = (
    MemberInvited,
    MemberInvitationWithdrawn,
    MemberJoined,
    MemberRoleChanged,
    MemberRemoved,
    MemberAddressChanged,
)


class LastOwner(Refusal):
    """The account would be left without an owner; nothing changed."""

    code: ClassVar[str] = "last_owner"


class OpenInvitation(Invitation, frozen=True, kw_only=True):
    """A link to become a member."""

    invitation_id: UUID
    role: MemberRole


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One member."""

    person_id: UUID
    role: MemberRole
    pii: Sealed
    since_us: int


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of an account's members."""

    members: dict[UUID, Member] = {}
    invitations: dict[UUID, OpenInvitation] = {}


NO_MEMBERS: Final = Members()


def members_stream(account_id: UUID) -> UUID:
    """The stream of an account's members."""
    return stream_of(account_id, "members")


def evolve(state: Members, event: MemberEvent) -> Members:
    """The members after one more fact."""
    members, invitations = dict(state.members), dict(state.invitations)
    match event:
        case MemberInvited():
            invitations[event.invitation_id] = OpenInvitation(
                invitation_id=event.invitation_id,
                role=event.role,
                secret_hash=event.secret_hash,
                expires_us=event.expires_us,
            )
        case MemberInvitationWithdrawn():
            invitations.pop(event.invitation_id, None)
        case MemberJoined():
            invitations.pop(event.invitation_id, None)
            members[event.person_id] = Member(
                person_id=event.person_id, role=event.role, pii=event.pii, since_us=event.occurred_us
            )
        case MemberRoleChanged():
            members[event.person_id] = msgspec.structs.replace(members[event.person_id], role=event.role)
        case MemberRemoved():
            members.pop(event.person_id, None)
        case MemberAddressChanged():
            members[event.person_id] = msgspec.structs.replace(members[event.person_id], pii=event.pii)
        case _:
            assert_never(event)
    return Members(members=members, invitations=invitations)


def invite(
    state: Members,
    *,
    account_id: UUID,
    invitation_id: UUID,
    role: MemberRole,
    secret_hash: str,
    by: Actor,
    stamp: Stamp,
) -> list[MemberEvent]:
    """Make a link for a new member.

    Raises:
        NotPermitted: the actor may not give this role: only owners make owners.
        WrongState: too many links or members already.
    """
    _require_to_give(state, role, by)
    open_now = [one for one in state.invitations.values() if one.expires_us > stamp.now_us]
    if len(open_now) >= INVITATIONS_MAX or len(state.members) >= MEMBERS_MAX:
        raise WrongState("account", "full of members and invitations")
    return [
        MemberInvited(
            account_id=account_id,
            invitation_id=invitation_id,
            role=role,
            secret_hash=secret_hash,
            expires_us=stamp.now_us + INVITATION_VALID_US,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def withdraw(
    state: Members, *, account_id: UUID, invitation_id: UUID, by: Actor, stamp: Stamp
) -> list[MemberEvent]:
    """Let a link open nothing; one that is gone already stays so.

    Raises:
        NotPermitted: the actor may not invite.
    """
    _require_manager(state, by)
    if invitation_id not in state.invitations:
        return []
    return [
        MemberInvitationWithdrawn(
            account_id=account_id,
            invitation_id=invitation_id,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def join(
    state: Members, *, account_id: UUID, secret_hash: str, person_id: UUID, pii: Sealed, stamp: Stamp
) -> list[MemberEvent]:
    """Become a member by a link, which is used up by it.

    Raises:
        BadInvitation: the link opens nothing.
        WrongState: the person is a member already.
    """
    found = invitation_of(state, secret_hash, now_us=stamp.now_us)
    if person_id in state.members:
        raise WrongState("person", "a member already")
    return [
        MemberJoined(
            account_id=account_id,
            invitation_id=found.invitation_id,
            person_id=person_id,
            role=found.role,
            pii=pii,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def invitation_of(state: Members, secret_hash: str, *, now_us: int) -> OpenInvitation:
    """The invitation that a link holds, or `BadInvitation`."""
    for one in state.invitations.values():
        if one.secret_hash == secret_hash:
            one.require(secret_hash, now_us=now_us)
            return one
    raise BadInvitation("this link opens nothing any more")


def change_role(
    state: Members, *, account_id: UUID, person_id: UUID, role: MemberRole, by: Actor, stamp: Stamp
) -> list[MemberEvent]:
    """Give a member another role.

    Raises:
        NotPermitted: the actor may not give this role, or not take the present one.
        NotFound: there is no such member.
        LastOwner: no owner would be left.
    """
    member = _existing(state, person_id)
    _require_to_give(state, role, by)
    _require_to_give(state, member.role, by)
    if member.role == role:
        return []
    _require_another_owner(state, member)
    return [
        MemberRoleChanged(
            account_id=account_id,
            person_id=person_id,
            role=role,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def remove(
    state: Members, *, account_id: UUID, person_id: UUID, by: Actor, stamp: Stamp
) -> list[MemberEvent]:
    """End a membership; everyone may end their own.

    Raises:
        NotPermitted: the actor may not take this role.
        NotFound: there is no such member.
        LastOwner: no owner would be left.
    """
    member = _existing(state, person_id)
    if by.person_id != person_id:
        _require_to_give(state, member.role, by)
    _require_another_owner(state, member)
    return [
        MemberRemoved(account_id=account_id, person_id=person_id, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def change_address(
    state: Members, *, account_id: UUID, person_id: UUID, pii: Sealed, stamp: Stamp
) -> list[MemberEvent]:
    """Note the address that a member has proved to be theirs; of somebody who has left meanwhile nothing is noted."""
    if person_id not in state.members:
        return []
    return [
        MemberAddressChanged(
            account_id=account_id,
            person_id=person_id,
            pii=pii,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _existing(state: Members, person_id: UUID) -> Member:
    member = state.members.get(person_id)
    if member is None:
        raise NotFound("member", person_id)
    return member


def _require_another_owner(state: Members, member: Member) -> None:
    owners = sum(1 for one in state.members.values() if one.role == "owner")
    if member.role == "owner" and owners == 1:
        raise LastOwner("the last owner stays")


def _require_manager(state: Members, by: Actor) -> MemberRole | None:
    """The actor's own role; none for operators and the system, who look after every account."""
    if by.kind in {"operator", "system"}:
        return None
    actor = state.members.get(by.person_id) if by.kind == "member" and by.person_id is not None else None
    if actor is None or "members" not in MEMBER_PERMISSIONS[actor.role]:
        raise NotPermitted("the permission members")
    return actor.role


def _require_to_give(state: Members, role: MemberRole, by: Actor) -> None:
    """Nobody gives, or takes, more than they have."""
    own = _require_manager(state, by)
    if own is not None and role == "owner" and own != "owner":
        raise NotPermitted("the role owner")
