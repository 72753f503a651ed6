"""Send a model alias to deployments, in order."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.catalogue.streams import load_deployment
from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import alias as rules
from domain.catalogue.alias import NO_ALIAS, FallOverCause, RouteTarget, Strategy, alias_stream
from domain.fact import Actor
from domain.operators import Permission


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One candidate; see `RouteTarget` for what weights do."""

    deployment_id: UUID
    weight: int = 0


class SetRoute(Command, frozen=True, kw_only=True):
    """The whole route of an alias; it replaces an earlier one, or a pointer."""

    permission: ClassVar[Permission] = "catalogue"

    alias: str
    targets: tuple[Target, ...]
    strategy: Strategy | None = None
    fall_over_on: tuple[FallOverCause, ...] = ()


def handle(command: SetRoute, *, actor: Actor, ports: Ports) -> Done:
    """Set it; raises as `alias.set_route`."""
    targets = tuple(
        RouteTarget(deployment_id=target.deployment_id, weight=target.weight)
        for target in command.targets[: rules.DEPLOYMENTS_MAX + 1]
    )
    known = frozenset(
        target.deployment_id
        for target in targets
        if load_deployment(ports.store, target.deployment_id) is not None
    )
    at = stamp(ports, actor)
    return execute(
        ports.store,
        alias_stream(command.alias),
        NO_ALIAS,
        rules.evolve,
        lambda alias: rules.set_route(
            alias,
            name=command.alias,
            targets=targets,
            known=known,
            stamp=at,
            strategy=command.strategy,
            fall_over_on=command.fall_over_on,
        ),
    )
