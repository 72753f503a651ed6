"""Open an account."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import decide_account
from application.command import Command, Created, Ports, stamp
from domain import accounts
from domain.fact import Actor
from domain.operators import Permission
from domain.text import printable


class OpenAccount(Command, frozen=True, kw_only=True):
    """A customer. With an `account_id` of the caller's choice the command may be repeated."""

    permission: ClassVar[Permission] = "accounts"

    name: str
    account_id: UUID | None = None


def handle(command: OpenAccount, *, actor: Actor, ports: Ports) -> Created:
    """Open it and note its name.

    Raises:
        BadField: the name cannot be used.
    """
    name = printable(command.name, field="name")
    account_id = command.account_id or ports.ids.new()
    at = stamp(ports, actor)
    done = decide_account(
        ports.store,
        account_id,
        lambda account: accounts.open_account(account, account_id=account_id, stamp=at),
    )
    ports.names.put(account_id, name)
    return Created(id=account_id, done=done)
