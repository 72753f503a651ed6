"""Look no more into a customer's workspace."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain import support
from domain.fact import Actor
from domain.operators import Permission
from domain.support import NO_SUPPORT, support_stream


class EndAccess(Command, frozen=True, kw_only=True):
    """Before the hour is over."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID


def handle(command: EndAccess, *, actor: Actor, ports: Ports) -> Done:
    """Record it; nothing happens to whoever does not look."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        support_stream(command.account_id),
        NO_SUPPORT,
        support.evolve,
        lambda state: support.end(state, account_id=command.account_id, by=actor, stamp=at),
    )
