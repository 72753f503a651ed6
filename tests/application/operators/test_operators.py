"""Commands about operators."""

from uuid import UUID

import pytest

from application.command import Ports, load, stamp
from application.operators import disable_operator, first_way_in, register_operator, rotate_operator_token
from application.operators.stream import OperatorToken, decide_staff
from application.people.email import seal_email
from application.people.join import invited_operator
from application.people.links import Link, hash_of
from domain import operators
from domain.fact import SYSTEM, Actor
from domain.invitations import BadInvitation
from domain.keys.secret import OPERATOR_PREFIX, has_our_shape
from domain.operators import OPERATORS_STREAM, LastAdmin, Role, Staff
from domain.refusal import NotPermitted
from tests.fakes import MemoryEventStore, memory_ports


def registered(ports: Ports, role: Role = "admin", *, by: Actor = SYSTEM) -> OperatorToken:
    command = register_operator.RegisterOperator(name="Ada Canary", role=role)
    return register_operator.handle(command, actor=by, ports=ports)


def disable(ports: Ports, operator_id: UUID) -> None:
    command = disable_operator.DisableOperator(operator_id=operator_id, reason="left")
    disable_operator.handle(command, actor=SYSTEM, ports=ports)


def test_a_token_is_shown_once_and_the_name_is_not_logged() -> None:
    """As with API keys."""
    ports = memory_ports()
    made = registered(ports)
    text = made.token.reveal()
    assert has_our_shape(text, prefix=OPERATOR_PREFIX)
    assert ports.names.get([made.operator_id]) == {made.operator_id: "Ada Canary"}
    assert isinstance(ports.store, MemoryEventStore)
    assert all(text.encode() not in one.state and b"Canary" not in one.state for one in ports.store.log)


def test_nobody_raises_a_role_but_an_admin() -> None:
    """Whatever the surface let through."""
    ports = memory_ports()
    support = registered(ports, "support")
    with pytest.raises(NotPermitted):
        registered(ports, "admin", by=Actor("operator", support.operator_id))


def test_a_rotated_token_replaces_the_old_one() -> None:
    """By the operator's own hand."""
    ports = memory_ports()
    made = registered(ports, "auditor")
    again = rotate_operator_token.handle(
        rotate_operator_token.RotateOperatorToken(operator_id=made.operator_id),
        actor=Actor("operator", made.operator_id),
        ports=ports,
    )
    staff = load(ports.store, OPERATORS_STREAM, Staff(), operators.evolve)
    digest = ports.hasher.digest(again.token.reveal().encode()).hex()
    assert staff.operators[made.operator_id].secret_hash == digest


def test_two_admins_cannot_disable_each_other_at_the_same_moment() -> None:
    """The second decision is made on what the first one left."""
    ports = memory_ports()
    one, two = registered(ports).operator_id, registered(ports).operator_id
    assert isinstance(ports.store, MemoryEventStore)
    ports.store.before_append = lambda: disable(ports, two)
    with pytest.raises(LastAdmin):
        disable(ports, one)


def test_the_first_way_in_is_open_until_somebody_came_in() -> None:
    """Started anew before that, the same superadmin gets a new link, and the old one opens nothing."""
    ports = memory_ports()
    first, second = first_way_in.handle(ports=ports), first_way_in.handle(ports=ports)
    assert first is not None
    assert second is not None
    assert first.invitation_id == second.invitation_id
    with pytest.raises(BadInvitation):
        came_in(ports, first)
    assert came_in(ports, second) == "admin"
    assert first_way_in.handle(ports=ports) is None


def test_a_superadmin_of_the_command_line_is_who_comes_in_first() -> None:
    """Nobody is registered a second time."""
    ports = memory_ports()
    admin = registered(ports)
    registered(ports, "support")
    link = first_way_in.handle(ports=ports)
    assert link is not None
    assert link.invitation_id == admin.operator_id


def came_in(ports: Ports, link: Link) -> Role:
    """By the link; the role that they have then."""
    secret = link.link.reveal().removeprefix("/join/")
    operator_id = invited_operator(secret, ports=ports)
    pii = seal_email(ports.personal, operator_id, "ada@example.com")
    at = stamp(ports, Actor("operator", operator_id))
    decide_staff(
        ports.store,
        lambda staff: operators.join(staff, secret_hash=hash_of(ports, secret), pii=pii, stamp=at),
    )
    return load(ports.store, OPERATORS_STREAM, Staff(), operators.evolve).operators[operator_id].role
