"""Refuse an account's keys for a while."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import decide_account
from application.command import Command, Done, Ports, stamp
from domain import accounts
from domain.fact import Actor
from domain.operators import Permission


class SuspendAccount(Command, frozen=True, kw_only=True):
    """Refuse an account's keys for a while."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    reason: str


def handle(command: SuspendAccount, *, actor: Actor, ports: Ports) -> Done:
    """Suspend it; raises as `accounts.suspend`."""
    at = stamp(ports, actor)
    return decide_account(
        ports.store,
        command.account_id,
        lambda account: accounts.suspend(account, reason=command.reason, stamp=at),
    )
