"""Operators: the staff, their roles and their bearer tokens.

All of them share one stream, so that "never without an admin" holds under its version, in parallel too.
Names and addresses of people are kept outside the log.
"""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Actor, Fact, Stamp
from domain.keys.secret import SecretRecord
from domain.refusal import AlreadyExists, NotFound, NotPermitted, Refusal, WrongState
from domain.text import REASON_CHARS_MAX, printable

Role = Literal["admin", "support", "finance", "auditor"]
Permission = Literal["read", "accounts", "keys", "credit", "catalogue", "prices", "operators", "bodies"]

OPERATORS_STREAM: Final = UUID("0d0a6d0e-52f5-5c52-8a52-3a2f7b5a6f10")
PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    "admin": frozenset({"read", "accounts", "keys", "credit", "catalogue", "prices", "operators", "bodies"}),
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


OperatorEvent = OperatorRegistered | OperatorTokenRotated | OperatorDisabled
OPERATOR_EVENTS: tuple[type[Fact], ...] = (OperatorRegistered, OperatorTokenRotated, OperatorDisabled)


class LastAdmin(Refusal):
    """Nobody would be left who can register operators; nothing changed."""

    code: ClassVar[str] = "last_admin"


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """One member of staff."""

    operator_id: UUID
    role: Role
    secret_hash: str
    disabled: bool = False


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
            changed = msgspec.structs.replace(staff.operators[event.operator_id], disabled=True)
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
    operator = staff.operators.get(operator_id)
    if operator is None:
        raise NotFound("operator", operator_id)
    if operator.disabled:
        raise WrongState("operator", "disabled")
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


def _admins(staff: Staff) -> int:
    return sum(1 for one in staff.operators.values() if one.role == "admin" and not one.disabled)


def _require_admin(staff: Staff, by: Actor) -> None:
    if by.operator_id is None:
        return
    actor = staff.operators.get(by.operator_id)
    if actor is None or actor.disabled or actor.role != "admin":
        raise NotPermitted("the role admin")
