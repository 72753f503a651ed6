"""Let a model alias take another one's route."""

from typing import ClassVar

from application.command import Command, Done, Ports, execute, load, stamp
from domain.catalogue import alias as rules
from domain.catalogue.alias import NO_ALIAS, alias_stream
from domain.fact import Actor
from domain.operators import Permission


class PointAlias(Command, frozen=True, kw_only=True):
    """`alias` becomes another name for `target`, which has a route."""

    permission: ClassVar[Permission] = "catalogue"

    alias: str
    target: str


def handle(command: PointAlias, *, actor: Actor, ports: Ports) -> Done:
    """Point it; raises as `alias.point`."""
    target = load(ports.store, alias_stream(command.target), NO_ALIAS, rules.evolve)
    at = stamp(ports, actor)
    return execute(
        ports.store,
        alias_stream(command.alias),
        NO_ALIAS,
        rules.evolve,
        lambda alias: rules.point(
            alias, name=command.alias, target_name=command.target, target=target, stamp=at
        ),
    )
