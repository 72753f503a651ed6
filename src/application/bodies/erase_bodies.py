"""Delete all that is kept of an account's requests."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.bodies.stream import decide_bodies
from application.command import Command, Done, Ports, stamp
from domain import bodies
from domain.fact import Actor
from domain.operators import Permission


class EraseBodies(Command, frozen=True, kw_only=True):
    """Delete what is kept. Logging stays as it is: switch it off before, if nothing more shall be kept."""

    permission: ClassVar[Permission] = "bodies"

    account_id: UUID
    reason: str


def handle(command: EraseBodies, *, actor: Actor, ports: Ports) -> Done:
    """Delete, then note it.

    Raises:
        NotFound: there is no such account; nothing was deleted.
        BadField: the reason is empty or cannot be shown; nothing was deleted.
        VaultUnavailable, LogUnavailable: it may be deleted already and is not noted: command it again.
    """
    at, account = stamp(ports, actor), load_account(ports.store, command.account_id)
    facts = bodies.note_erasure(account, reason=command.reason, stamp=at)
    ports.bodies.delete(command.account_id)
    return decide_bodies(ports.store, command.account_id, lambda _: facts)
