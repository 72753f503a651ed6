"""End an account for good."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import decide_account
from application.command import Command, Done, Ports, stamp
from domain import accounts
from domain.fact import Actor
from domain.operators import Permission


class CloseAccount(Command, frozen=True, kw_only=True):
    """End an account for good."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    reason: str


def handle(command: CloseAccount, *, actor: Actor, ports: Ports) -> Done:
    """Close it; raises as `accounts.close`."""
    at = stamp(ports, actor)
    return decide_account(
        ports.store,
        command.account_id,
        lambda account: accounts.close(account, reason=command.reason, stamp=at),
    )
