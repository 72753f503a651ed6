"""Operators, their roles, and who may make them."""

from typing import get_args
from uuid import UUID

import msgspec
import pytest

from domain import operators
from domain.accounts import AccountOpened
from domain.event import encode
from domain.fact import SYSTEM, Actor, Stamp
from domain.invitations import INVITATION_VALID_US, BadInvitation
from domain.keys.secret import SecretRecord
from domain.operators import (
    PERMISSIONS,
    LastAdmin,
    OperatorAddressChanged,
    OperatorDisabled,
    OperatorEvent,
    OperatorJoined,
    OperatorRegistered,
    OperatorRoleChanged,
    OperatorTokenRotated,
    Permission,
    Role,
    Staff,
    WayIn,
)
from domain.privacy import Sealed
from domain.refusal import AlreadyExists, BadField, NotFound, NotPermitted, WrongState
from tests.spec import Spec

ADMIN, OTHER, NOBODY = UUID(int=1), UUID(int=2), UUID(int=9)
AT = Stamp(now_us=5, actor="system")
SECRET = SecretRecord(secret_hash="aa", prefix="tk_op_1111")
SPEC: Spec[Staff] = Spec(operators.evolve, initial=Staff())
BY_ADMIN, BY_OTHER = Actor("operator", ADMIN), Actor("operator", OTHER)


def registered(operator_id: UUID, role: Role) -> OperatorRegistered:
    return OperatorRegistered(
        operator_id=operator_id,
        role=role,
        prefix=SECRET.prefix,
        secret_hash=SECRET.secret_hash,
        occurred_us=5,
        actor="system",
    )


def disabled(operator_id: UUID) -> OperatorDisabled:
    return OperatorDisabled(operator_id=operator_id, reason="left", occurred_us=5, actor="system")


def register(staff: Staff, *, by: Actor, role: Role = "support") -> list[OperatorEvent]:
    return operators.register(staff, operator_id=OTHER, role=role, secret=SECRET, by=by, stamp=AT)


def disable(staff: Staff, operator_id: UUID, *, by: Actor = SYSTEM) -> list[OperatorEvent]:
    return operators.disable(staff, operator_id=operator_id, reason="left", by=by, stamp=AT)


def rotate(staff: Staff, operator_id: UUID, *, by: Actor) -> list[OperatorEvent]:
    return operators.rotate_token(staff, operator_id=operator_id, secret=SECRET, by=by, stamp=AT)


def test_the_system_registers_the_first_and_admins_the_others() -> None:
    """An id is used once."""
    SPEC.given().when(lambda staff: register(staff, by=SYSTEM)).then(registered(OTHER, "support"))
    SPEC.given(registered(ADMIN, "admin")).when(lambda staff: register(staff, by=BY_ADMIN)).then(
        registered(OTHER, "support")
    )
    SPEC.given(registered(OTHER, "support")).when(lambda staff: register(staff, by=SYSTEM)).then_refused(
        AlreadyExists
    )


@pytest.mark.parametrize("role", ["support", "finance", "auditor"])
def test_nobody_but_an_admin_makes_operators(role: Role) -> None:
    """The rule asks the log, not what a surface believes: nor a disabled admin, nor someone unknown."""
    staff = SPEC.given(registered(ADMIN, role))
    staff.when(lambda one: register(one, by=BY_ADMIN, role="admin")).then_refused(NotPermitted)
    staff.when(lambda one: disable(one, ADMIN, by=BY_ADMIN)).then_refused(NotPermitted)
    SPEC.given(registered(ADMIN, "admin"), disabled(ADMIN)).when(
        lambda one: register(one, by=BY_ADMIN)
    ).then_refused(NotPermitted)
    SPEC.given().when(lambda one: register(one, by=BY_ADMIN)).then_refused(NotPermitted)


def test_everyone_rotates_their_own_token_and_admins_any() -> None:
    """And nobody rotates the token of a disabled operator, or of none."""
    rotated = OperatorTokenRotated(
        operator_id=OTHER,
        prefix=SECRET.prefix,
        secret_hash=SECRET.secret_hash,
        occurred_us=5,
        actor="system",
    )
    both = SPEC.given(registered(ADMIN, "admin"), registered(OTHER, "auditor"), rotated)
    both.when(lambda staff: rotate(staff, OTHER, by=BY_OTHER)).then(rotated)
    both.when(lambda staff: rotate(staff, OTHER, by=BY_ADMIN)).then(rotated)
    both.when(lambda staff: rotate(staff, ADMIN, by=BY_OTHER)).then_refused(NotPermitted)
    both.when(lambda staff: rotate(staff, NOBODY, by=SYSTEM)).then_refused(NotFound)
    SPEC.given(registered(OTHER, "auditor"), disabled(OTHER)).when(
        lambda staff: rotate(staff, OTHER, by=BY_OTHER)
    ).then_refused(WrongState, state="disabled")


def test_one_admin_always_stays() -> None:
    """The last admin cannot be disabled; one of two can, and then the other cannot."""
    two = (registered(ADMIN, "admin"), registered(OTHER, "admin"))
    SPEC.given(*two).when(lambda staff: disable(staff, ADMIN)).then(disabled(ADMIN))
    SPEC.given(*two, disabled(ADMIN)).when(lambda staff: disable(staff, OTHER)).then_refused(LastAdmin)
    SPEC.given(registered(ADMIN, "admin"), registered(OTHER, "support")).when(
        lambda staff: disable(staff, OTHER)
    ).then(disabled(OTHER))


def test_disabling_twice_does_nothing() -> None:
    """And of someone unknown, or without a reason, it is refused."""
    gone = SPEC.given(registered(OTHER, "support"), disabled(OTHER))
    gone.when(lambda staff: disable(staff, OTHER)).then_nothing()
    gone.when(lambda staff: disable(staff, NOBODY)).then_refused(NotFound)
    gone.when(
        lambda staff: operators.disable(staff, operator_id=OTHER, reason=" ", by=SYSTEM, stamp=AT)
    ).then_refused(BadField)


def test_every_role_reads_and_only_admins_do_everything() -> None:
    """No role but admin may touch operators or the catalogue."""
    assert set(PERMISSIONS) == set(get_args(Role))
    assert PERMISSIONS["admin"] == set(get_args(Permission))
    for role, permissions in PERMISSIONS.items():
        assert "read" in permissions
        assert role == "admin" or not permissions & {"operators", "bodies"}
        assert role in {"admin", "operator"} or "catalogue" not in permissions


def test_only_its_own_facts_fold() -> None:
    """A foreign fact in the stream is a defect, loud at once."""
    with pytest.raises(AssertionError):
        SPEC.fold(AccountOpened(account_id=ADMIN, occurred_us=1, actor="system"))


PII = Sealed(key_id=UUID(int=7), ciphertext=b"c" * 29)


def invited(staff: Staff, *, by: Actor = SYSTEM, operator_id: UUID = OTHER, secret: str = "cc") -> Staff:
    for event in operators.invite(staff, operator_id=operator_id, secret_hash=secret, by=by, stamp=AT):
        staff = operators.evolve(staff, event)
    return staff


def join(staff: Staff, *, secret: str = "cc", now_us: int = 6) -> Staff:
    stamp = Stamp(now_us=now_us, actor="operator")
    for event in operators.join(staff, secret_hash=secret, pii=PII, stamp=stamp):
        staff = operators.evolve(staff, event)
    return staff


def both() -> Staff:
    return operators.evolve(
        operators.evolve(Staff(), registered(ADMIN, "admin")), registered(OTHER, "support")
    )


def test_a_link_lets_an_operator_in_once() -> None:
    """It is used up by following it; a new one makes the earlier one dead, and none outlives its week."""
    staff = join(invited(both()))
    assert staff.operators[OTHER].pii == PII
    with pytest.raises(BadInvitation):
        join(staff)
    twice = invited(invited(both()), secret="dd")
    with pytest.raises(BadInvitation):
        join(twice)
    assert join(twice, secret="dd").operators[OTHER].invitation is None
    with pytest.raises(BadInvitation):
        join(invited(both()), now_us=AT.now_us + INVITATION_VALID_US)


def test_only_admins_make_links_and_only_for_who_may_act() -> None:
    """A member with an admin's id is no admin; the link of who is disabled meanwhile opens nothing."""
    for by in (BY_OTHER, Actor("member", ADMIN), Actor("operator", NOBODY), Actor("operator")):
        with pytest.raises(NotPermitted):
            invited(both(), by=by)
    with pytest.raises(NotFound):
        invited(both(), operator_id=NOBODY)
    with pytest.raises(WrongState):
        invited(operators.evolve(both(), disabled(OTHER)))
    with pytest.raises(BadInvitation):
        join(operators.evolve(invited(both(), by=BY_ADMIN), disabled(OTHER)))


def change(staff: Staff, operator_id: UUID, role: Role, *, by: Actor = BY_ADMIN) -> list[OperatorEvent]:
    return operators.change_role(staff, operator_id=operator_id, role=role, by=by, stamp=AT)


def changed(operator_id: UUID, role: Role) -> OperatorRoleChanged:
    return OperatorRoleChanged(operator_id=operator_id, role=role, occurred_us=5, actor="system")


def test_an_admin_gives_another_role_and_takes_it_back() -> None:
    """It counts at once, for what the operator decides too; the same role again changes nothing."""
    staff = [registered(ADMIN, "admin"), registered(OTHER, "support")]
    SPEC.given(*staff).when(lambda one: change(one, OTHER, "admin")).then(changed(OTHER, "admin"))
    SPEC.given(*staff).when(lambda one: change(one, OTHER, "support")).then()
    raised = [*staff, changed(OTHER, "admin"), changed(ADMIN, "auditor")]
    SPEC.given(*raised).when(lambda one: register_as(one, by=BY_ADMIN)).then_refused(NotPermitted)


def register_as(staff: Staff, *, by: Actor) -> list[OperatorEvent]:
    return operators.register(staff, operator_id=NOBODY, role="auditor", secret=SECRET, by=by, stamp=AT)


@pytest.mark.parametrize("role", [one for one in PERMISSIONS if one != "admin"])
def test_nobody_changes_roles_but_an_admin(role: Role) -> None:
    """Their own neither; nor one of somebody who is not there, or disabled."""
    staff = SPEC.given(registered(ADMIN, "admin"), registered(OTHER, role))
    staff.when(lambda one: change(one, OTHER, "admin", by=BY_OTHER)).then_refused(NotPermitted)
    staff.when(lambda one: change(one, NOBODY, "admin")).then_refused(NotFound)
    gone = SPEC.given(registered(ADMIN, "admin"), registered(OTHER, role), disabled(OTHER))
    gone.when(lambda one: change(one, OTHER, "admin")).then_refused(WrongState)


def test_the_last_admin_keeps_the_role() -> None:
    """Disabled ones do not count."""
    alone = SPEC.given(registered(ADMIN, "admin"), registered(OTHER, "admin"), disabled(OTHER))
    alone.when(lambda one: change(one, ADMIN, "auditor")).then_refused(LastAdmin)
    two = SPEC.given(registered(ADMIN, "admin"), registered(OTHER, "admin"))
    two.when(lambda one: change(one, ADMIN, "auditor")).then(changed(ADMIN, "auditor"))


def test_an_address_changes_nothing_but_itself() -> None:
    """Role, token and the way in stay; of who is no operator nothing is noted."""
    other = Sealed(key_id=PII.key_id, ciphertext=b"d" * 29)
    fact = OperatorAddressChanged(operator_id=OTHER, pii=other, occurred_us=5, actor="system")
    joined = OperatorJoined(operator_id=OTHER, pii=PII, occurred_us=4, actor="system")
    given = SPEC.given(registered(OTHER, "support"), joined)
    given.when(lambda staff: change_address(staff, OTHER, other)).then(fact)
    given.when(lambda staff: change_address(staff, NOBODY, other)).then_nothing()
    before, after = (SPEC.fold(registered(OTHER, "support"), joined, *more) for more in ((), (fact,)))
    assert after.operators[OTHER] == msgspec.structs.replace(before.operators[OTHER], pii=other)


def change_address(staff: Staff, operator_id: UUID, pii: Sealed) -> list[OperatorEvent]:
    return operators.change_address(staff, operator_id=operator_id, pii=pii, stamp=AT)


def test_a_link_can_end_a_second_factor_and_says_so_in_the_log() -> None:
    """Only the one that was made for it: the next does not, and neither does what was stored before there was such a thing."""

    def link(staff: Staff, *, ends: bool) -> list[OperatorEvent]:
        return operators.invite(
            staff, operator_id=OTHER, secret_hash="cc", by=SYSTEM, stamp=AT, ends_second_factor=ends
        )

    staff = both()
    for ends in (False, True, False):
        (event,) = link(staff, ends=ends)
        assert (b"ends_second_factor" in encode(event)) == ends
        staff = operators.evolve(staff, event)
        assert operators.invited_by_link(staff, "cc", now_us=6).invitation == WayIn(
            secret_hash="cc", expires_us=AT.now_us + INVITATION_VALID_US, ends_second_factor=ends
        )
