"""Let a suspended account's keys work again."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import decide_account
from application.command import Command, Done, Ports, stamp
from domain import accounts
from domain.fact import Actor
from domain.operators import Permission


class ReinstateAccount(Command, frozen=True, kw_only=True):
    """Let a suspended account's keys work again."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID


def handle(command: ReinstateAccount, *, actor: Actor, ports: Ports) -> Done:
    """Reinstate it; raises as `accounts.reinstate`."""
    at = stamp(ports, actor)
    return decide_account(
        ports.store,
        command.account_id,
        lambda account: accounts.reinstate(account, stamp=at),
    )
