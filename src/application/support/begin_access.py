"""Look into a customer's workspace, as one of its viewers would."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Created, Ports, execute, stamp
from domain import support
from domain.fact import Actor
from domain.operators import Permission
from domain.support import NO_SUPPORT, support_stream


class BeginAccess(Command, frozen=True, kw_only=True):
    """For an hour; nothing can be changed meanwhile. The customer sees who looked when, and why."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    reason: str
    access_id: UUID | None = None


def handle(command: BeginAccess, *, actor: Actor, ports: Ports) -> Created:
    """Record it, by which it is allowed.

    Raises:
        NotFound: there is no such account.
        Others as `support.begin`.
    """
    load_account(ports.store, command.account_id)
    access_id, at = command.access_id or ports.ids.new(), stamp(ports, actor)
    done = execute(
        ports.store,
        support_stream(command.account_id),
        NO_SUPPORT,
        support.evolve,
        lambda state: support.begin(
            state,
            account_id=command.account_id,
            access_id=access_id,
            reason=command.reason,
            by=actor,
            stamp=at,
        ),
    )
    return Created(id=access_id, done=done)
