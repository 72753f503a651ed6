"""Let a model alias lead nowhere."""

from typing import ClassVar

from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import alias as rules
from domain.catalogue.alias import NO_ALIAS, alias_stream
from domain.fact import Actor
from domain.operators import Permission


class RemoveAlias(Command, frozen=True, kw_only=True):
    """Clients that write this name in `model` get 404."""

    permission: ClassVar[Permission] = "catalogue"

    alias: str


def handle(command: RemoveAlias, *, actor: Actor, ports: Ports) -> Done:
    """Remove it; raises as `alias.remove`."""
    at = stamp(ports, actor)
    return execute(
        ports.store,
        alias_stream(command.alias),
        NO_ALIAS,
        rules.evolve,
        lambda alias: rules.remove(alias, name=command.alias, stamp=at),
    )
