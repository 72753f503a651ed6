"""Operators: the staff, their roles, their bearer tokens and their way into the console.

All of them share one stream, so that "never without an admin" holds under its version, in parallel too.
Names and addresses of people are kept outside the log.
"""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Actor, Fact, Stamp
from domain.invitations import INVITATION_VALID_US, BadInvitation, Invitation
from domain.keys.secret import SecretRecord
from domain.privacy import Sealed
from domain.refusal import AlreadyExists, NotFound, NotPermitted, Refusal, WrongState
from domain.text import REASON_CHARS_MAX, printable

Role = Literal["admin", "operator", "support", "finance", "auditor"]
Permission = Literal["read", "accounts", "keys", "credit", "catalogue", "prices", "operators", "bodies"]

OPERATORS_STREAM: Final = UUID("0d0a6d0e-52f5-5c52-8a52-3a2f7b5a6f10")
PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    "admin": frozenset({"read", "accounts", "keys", "credit", "catalogue", "prices", "operators", "bodies"}),
    "operator": frozenset({"read", "accounts", "keys", "catalogue", "prices"}),
    "support": frozenset({"read", "accounts", "keys"}),
    "finance": frozenset({"read", "credit", "prices"}),
    "auditor": frozenset({"read"}),
}


class OperatorRegistered(Fact, frozen=True, kw_only=True):
    """A member of staff got a role and a token."""

    TOPIC: ClassVar[str] = "operator.registered.v1"

    operator_id: UUID
    role: Role
    prefix: str
    secret_hash: str


class OperatorTokenRotated(Fact, frozen=True, kw_only=True):
    """The operator has a new token; the old one is dead at once."""

    TOPIC: ClassVar[str] = "operator.token-rotated.v1"

    operator_id: UUID
    prefix: str
    secret_hash: str


class OperatorDisabled(Fact, frozen=True, kw_only=True):
    """The operator may do nothing any more."""

    TOPIC: ClassVar[str] = "operator.disabled.v1"

    operator_id: UUID
    reason: str


class OperatorRoleChanged(Fact, frozen=True, kw_only=True):
    """The operator may do other things from now on, with the same token and password."""

    TOPIC: ClassVar[str] = "operator.role-changed.v1"

    operator_id: UUID
    role: Role


class OperatorInvited(Fact, frozen=True, kw_only=True):
    """Whoever follows the link by then signs in to the console as this operator. An earlier link opens nothing."""

    TOPIC: ClassVar[str] = "operator.invited.v1"

    operator_id: UUID
    secret_hash: str
    expires_us: int
    ends_second_factor: bool | msgspec.UnsetType = msgspec.UNSET  #: true: they have lost their authenticator


class OperatorJoined(Fact, frozen=True, kw_only=True):
    """The operator followed the link, and has a password for the console."""

    TOPIC: ClassVar[str] = "operator.joined.v1"

    operator_id: UUID
    pii: Sealed  #: their mail address, sealed with a key of their own


class OperatorAddressChanged(Fact, frozen=True, kw_only=True):
    """The operator has another mail address; role, token and password are the same."""

    TOPIC: ClassVar[str] = "operator.address-changed.v1"

    operator_id: UUID
    pii: Sealed  #: the address, sealed with a key of their own


OperatorEvent = (
    OperatorRegistered
    | OperatorTokenRotated
    | OperatorDisabled
    | OperatorRoleChanged
    | OperatorInvited
    | OperatorJoined
    | OperatorAddressChanged
)
OPERATOR_EVENTS: tuple[type[Fact], ...] = (
    OperatorRegistered,
    OperatorTokenRotated,
    OperatorDisabled,
    OperatorRoleChanged,
    OperatorInvited,
    OperatorJoined,
    OperatorAddressChanged,
)


class LastAdmin(Refusal):
    """Nobody would be left who can register operators; nothing changed."""

    code: ClassVar[str] = "last_admin"


class WayIn(Invitation, frozen=True, kw_only=True):
    """A link for an operator. `ends_second_factor`: no codes are asked for any more once it was followed."""

    ends_second_factor: bool = False


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """One member of staff."""

    operator_id: UUID
    role: Role
    secret_hash: str
    disabled: bool = False
    invitation: WayIn | None = None
    pii: Sealed | None = None  #: the mail address, once they have joined


class Staff(msgspec.Struct, frozen=True):
    """The fold of the operators' stream."""

    operators: dict[UUID, Operator] = {}


def evolve(staff: Staff, event: OperatorEvent) -> Staff:
    """The staff after one more fact."""
    match event:
        case OperatorRegistered():
            changed = Operator(operator_id=event.operator_id, role=event.role, secret_hash=event.secret_hash)
        case OperatorTokenRotated():
            changed = msgspec.structs.replace(
                staff.operators[event.operator_id], secret_hash=event.secret_hash
            )
        case OperatorDisabled():
            changed = msgspec.structs.replace(
                staff.operators[event.operator_id], disabled=True, invitation=None
            )
        case OperatorRoleChanged():
            changed = msgspec.structs.replace(staff.operators[event.operator_id], role=event.role)
        case OperatorInvited():
            changed = msgspec.structs.replace(
                staff.operators[event.operator_id],
                invitation=WayIn(
                    secret_hash=event.secret_hash,
                    expires_us=event.expires_us,
                    ends_second_factor=event.ends_second_factor is True,
                ),
            )
        case OperatorJoined():
            changed = msgspec.structs.replace(
                staff.operators[event.operator_id], invitation=None, pii=event.pii
            )
        case OperatorAddressChanged():
            changed = msgspec.structs.replace(staff.operators[event.operator_id], pii=event.pii)
        case _:
            assert_never(event)
    return Staff({**staff.operators, event.operator_id: changed})


def register(
    staff: Staff, *, operator_id: UUID, role: Role, secret: SecretRecord, by: Actor, stamp: Stamp
) -> list[OperatorEvent]:
    """Give a member of staff a role and a token.

    Raises:
        NotPermitted: the actor is no admin at this moment, whatever a surface checked before.
        AlreadyExists: the id is in use.
    """
    _require_admin(staff, by)
    if operator_id in staff.operators:
        raise AlreadyExists("operator", operator_id)
    return [
        OperatorRegistered(
            operator_id=operator_id,
            role=role,
            prefix=secret.prefix,
            secret_hash=secret.secret_hash,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def rotate_token(
    staff: Staff, *, operator_id: UUID, secret: SecretRecord, by: Actor, stamp: Stamp
) -> list[OperatorEvent]:
    """Give an operator a new token; everyone may rotate their own.

    Raises:
        NotPermitted: the actor is neither this operator nor an admin.
        NotFound, WrongState: there is no such operator, or they are disabled.
    """
    if by.operator_id != operator_id:
        _require_admin(staff, by)
    _require_active(staff, operator_id)
    return [
        OperatorTokenRotated(
            operator_id=operator_id,
            prefix=secret.prefix,
            secret_hash=secret.secret_hash,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def disable(staff: Staff, *, operator_id: UUID, reason: str, by: Actor, stamp: Stamp) -> list[OperatorEvent]:
    """Take everything from an operator; doing it twice does nothing.

    Raises:
        NotPermitted: the actor is no admin at this moment.
        NotFound: there is no such operator.
        LastAdmin: no admin would be left.
        BadField: the reason is empty or cannot be shown.
    """
    _require_admin(staff, by)
    operator = staff.operators.get(operator_id)
    if operator is None:
        raise NotFound("operator", operator_id)
    reason = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if operator.disabled:
        return []
    if operator.role == "admin" and _admins(staff) == 1:
        raise LastAdmin("the last admin cannot be disabled")
    return [
        OperatorDisabled(operator_id=operator_id, reason=reason, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def change_role(
    staff: Staff, *, operator_id: UUID, role: Role, by: Actor, stamp: Stamp
) -> list[OperatorEvent]:
    """Let an operator do what another role may; the role that they have already changes nothing.

    Raises:
        NotPermitted: the actor is no admin at this moment.
        NotFound, WrongState: there is no such operator, or they are disabled.
        LastAdmin: no admin would be left.
    """
    _require_admin(staff, by)
    operator = _require_active(staff, operator_id)
    if operator.role == role:
        return []
    if operator.role == "admin" and _admins(staff) == 1:
        raise LastAdmin("the last admin keeps the role")
    return [
        OperatorRoleChanged(operator_id=operator_id, role=role, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def invite(
    staff: Staff,
    *,
    operator_id: UUID,
    secret_hash: str,
    by: Actor,
    stamp: Stamp,
    ends_second_factor: bool = False,
) -> list[OperatorEvent]:
    """Make a link with which an operator sets a password for the console, for the first time or anew.

    `ends_second_factor`: whoever follows it is asked for no codes any more.

    Raises:
        NotPermitted: the actor is no admin at this moment.
        NotFound, WrongState: there is no such operator, or they are disabled.
    """
    _require_admin(staff, by)
    _require_active(staff, operator_id)
    return [
        OperatorInvited(
            operator_id=operator_id,
            secret_hash=secret_hash,
            expires_us=stamp.now_us + INVITATION_VALID_US,
            ends_second_factor=True if ends_second_factor else msgspec.UNSET,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def invited_by_link(staff: Staff, secret_hash: str, *, now_us: int) -> Operator:
    """Whose link this is.

    Raises:
        BadInvitation: nobody's, or not any more.
    """
    for one in staff.operators.values():
        if one.invitation is not None and one.invitation.secret_hash == secret_hash and not one.disabled:
            one.invitation.require(secret_hash, now_us=now_us)
            return one
    raise BadInvitation("this link opens nothing any more")


def join(staff: Staff, *, secret_hash: str, pii: Sealed, stamp: Stamp) -> list[OperatorEvent]:
    """Follow the link; it is used up by it. Raises as `invited_by_link`."""
    operator = invited_by_link(staff, secret_hash, now_us=stamp.now_us)
    return [
        OperatorJoined(operator_id=operator.operator_id, pii=pii, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def change_address(staff: Staff, *, operator_id: UUID, pii: Sealed, stamp: Stamp) -> list[OperatorEvent]:
    """Note the address that somebody has proved to be theirs; of who is no operator nothing is noted."""
    if operator_id not in staff.operators:
        return []
    return [
        OperatorAddressChanged(operator_id=operator_id, pii=pii, occurred_us=stamp.now_us, actor=stamp.actor)
    ]


def _require_active(staff: Staff, operator_id: UUID) -> Operator:
    operator = staff.operators.get(operator_id)
    if operator is None:
        raise NotFound("operator", operator_id)
    if operator.disabled:
        raise WrongState("operator", "disabled")
    return operator


def _admins(staff: Staff) -> int:
    return sum(1 for one in staff.operators.values() if one.role == "admin" and not one.disabled)


def _require_admin(staff: Staff, by: Actor) -> None:
    if by.kind == "system":
        return
    actor = None if by.operator_id is None else staff.operators.get(by.operator_id)
    if actor is None or actor.disabled or actor.role != "admin":
        raise NotPermitted("the role admin")
