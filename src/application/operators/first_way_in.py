"""The way into the console for whoever has just started an installation."""

from uuid import UUID

from application.command import Ports, load
from application.operators import invite_operator, register_operator
from application.people.links import Link
from domain import operators
from domain.fact import SYSTEM
from domain.operators import OPERATORS_STREAM, Staff

_NAME = "Admin"


def handle(*, ports: Ports) -> Link | None:
    """A link for the first superadmin, who is registered if there is none; nothing once one has come in.

    Each call makes a new link, and the one before opens nothing any more.

    Raises:
        EventLogError, Contended: nothing was made, or a superadmin without a link.
    """
    staff = load(ports.store, OPERATORS_STREAM, Staff(), operators.evolve)
    admins = [one for one in staff.operators.values() if one.role == "admin" and not one.disabled]
    if any(one.pii is not None for one in admins):
        return None
    operator_id = admins[0].operator_id if admins else _register(ports)
    command = invite_operator.InviteOperator(operator_id=operator_id)
    return invite_operator.handle(command, actor=SYSTEM, ports=ports)


def _register(ports: Ports) -> UUID:
    """Their bearer token is told to nobody: they make one in the console when they need it."""
    command = register_operator.RegisterOperator(name=_NAME, role="admin")
    return register_operator.handle(command, actor=SYSTEM, ports=ports).operator_id
