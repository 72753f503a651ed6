"""Limit an API key."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, load, stamp
from application.keys.stream import decide_key
from domain.fact import Actor
from domain.keys import key as rules
from domain.limits import Limits
from domain.operators import Permission
from domain.refusal import NotFound


class SetKeyLimits(Command, frozen=True, kw_only=True):
    """All limits of the key; one that is left out is lifted."""

    permission: ClassVar[Permission] = "keys"

    key_id: UUID
    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    models: tuple[str, ...] | None = None
    allowed_providers: tuple[str, ...] | None = None
    denied_providers: tuple[str, ...] = ()


def handle(command: SetKeyLimits, *, actor: Actor, ports: Ports) -> Done:
    """Replace the limits; raises as `key.set_limits`."""
    known = load(ports.store, command.key_id, None, rules.evolve)
    if known is None:
        raise NotFound("API key", command.key_id)
    account = load_account(ports.store, known.account_id)
    at = stamp(ports, actor)
    limits = Limits(
        rpm=command.rpm,
        tpm=command.tpm,
        concurrency=command.concurrency,
        models=command.models,
        allowed_providers=command.allowed_providers,
        denied_providers=command.denied_providers,
    )
    return decide_key(
        ports,
        command.key_id,
        lambda key: rules.set_limits(key, account=account, limits=limits, stamp=at),
        at=at,
    )
