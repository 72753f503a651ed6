"""Limit all keys of an account together."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import decide_account
from application.command import Command, Done, Ports, stamp
from domain import accounts
from domain.fact import Actor
from domain.limits import Limits
from domain.operators import Permission


class SetAccountLimits(Command, frozen=True, kw_only=True):
    """All limits of the account; one that is left out is lifted."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    models: tuple[str, ...] | None = None
    allowed_providers: tuple[str, ...] | None = None
    denied_providers: tuple[str, ...] = ()


def handle(command: SetAccountLimits, *, actor: Actor, ports: Ports) -> Done:
    """Replace the limits; raises as `accounts.set_limits`."""
    at = stamp(ports, actor)
    limits = Limits(
        rpm=command.rpm,
        tpm=command.tpm,
        concurrency=command.concurrency,
        models=command.models,
        allowed_providers=command.allowed_providers,
        denied_providers=command.denied_providers,
    )
    return decide_account(
        ports.store,
        command.account_id,
        lambda account: accounts.set_limits(account, limits=limits, stamp=at),
    )
