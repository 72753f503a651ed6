"""Model aliases: what clients write in `model`. An alias has a route of its own, or points to one that has.

Pointing is one step deep: a target without a route leads nowhere, so there are no cycles to find.
"""

from typing import ClassVar, Final, Literal, assert_never, get_args
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.refusal import BadField, NotFound
from domain.text import alias_name

WEIGHT_MAX: Final = 1_000
DEPLOYMENTS_MAX: Final = 20
Strategy = Literal["ordered", "weighted", "cheapest", "fastest", "throughput"]
"""How a route puts its deployments in order; the fastest begins its answer first."""
FallOverCause = Literal["context_length", "content_filter"]
"""What another deployment is tried for only where the route says so: most often it is the request's own doing."""
_ALIASES: Final = UUID("c1b0a9f8-2e3d-5c4b-9a68-7d6e5f4c3b21")


class RouteTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One candidate of a route."""

    deployment_id: UUID
    weight: int = 0  #: when weighted, the share of requests that try this one first; those without come last


class RouteSet(Fact, frozen=True, kw_only=True):
    """Requests for this alias go to these deployments; it replaces an earlier route or pointer."""

    TOPIC: ClassVar[str] = "route.set.v1"

    alias: str
    targets: tuple[RouteTarget, ...]
    strategy: Strategy | msgspec.UnsetType = (
        msgspec.UNSET
    )  #: unset: weighted if anything has a weight, else ordered
    fall_over_on: tuple[FallOverCause, ...] | msgspec.UnsetType = msgspec.UNSET  #: unset: on neither


class AliasPointed(Fact, frozen=True, kw_only=True):
    """Requests for this alias take another alias' route, and its price unless they have one of their own."""

    TOPIC: ClassVar[str] = "alias.pointed.v1"

    alias: str
    target: str


class AliasRemoved(Fact, frozen=True, kw_only=True):
    """The alias leads nowhere."""

    TOPIC: ClassVar[str] = "alias.removed.v1"

    alias: str


AliasEvent = RouteSet | AliasPointed | AliasRemoved
ALIAS_EVENTS: tuple[type[Fact], ...] = (RouteSet, AliasPointed, AliasRemoved)


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of an alias stream: a route, a pointer, or neither."""

    targets: tuple[RouteTarget, ...] = ()
    points_to: str | None = None
    created_us: int = 0
    strategy: Strategy = "ordered"
    fall_over_on: tuple[FallOverCause, ...] = ()

    @property
    def exists(self) -> bool:
        return bool(self.targets) or self.points_to is not None


NO_ALIAS: Final = Alias()


def alias_stream(alias: str) -> UUID:
    """One name, one stream."""
    return stream_of(_ALIASES, alias)


def evolve(alias: Alias, event: AliasEvent) -> Alias:
    """The alias after one more fact."""
    created_us = alias.created_us or event.occurred_us
    match event:
        case RouteSet():
            return Alias(
                targets=event.targets,
                created_us=created_us,
                strategy=event.strategy or _usual(event.targets),
                fall_over_on=event.fall_over_on or (),
            )
        case AliasPointed():
            return Alias(points_to=event.target, created_us=created_us)
        case AliasRemoved():
            return NO_ALIAS
        case _:
            assert_never(event)


def set_route(
    alias: Alias,
    *,
    name: str,
    targets: tuple[RouteTarget, ...],
    known: frozenset[UUID],
    stamp: Stamp,
    strategy: Strategy | None = None,
    fall_over_on: tuple[FallOverCause, ...] = (),
) -> list[AliasEvent]:
    """Send an alias to deployments. `known` are those of them that exist. No strategy: as the weights have it.

    Raises:
        BadField: the name cannot be used, there are no targets or too many, one is twice, a weight is off, or a
            strategy or cause is none.
        NotFound: a deployment does not exist.
    """
    name = alias_name(name)
    if not 1 <= len(targets) <= DEPLOYMENTS_MAX:
        raise BadField("targets", f"must have 1 to {DEPLOYMENTS_MAX} deployments")
    if len({target.deployment_id for target in targets}) < len(targets):
        raise BadField("targets", "has a deployment twice")
    for target in targets:
        if not 0 <= target.weight <= WEIGHT_MAX:
            raise BadField("weight", f"must be between 0 and {WEIGHT_MAX}")
        if target.deployment_id not in known:
            raise NotFound("deployment", target.deployment_id)
    if strategy is not None and strategy not in get_args(Strategy):
        raise BadField("strategy", f"must be one of {', '.join(get_args(Strategy))}")
    if not set(fall_over_on) <= set(get_args(FallOverCause)):
        raise BadField("fall_over_on", f"may have {' and '.join(get_args(FallOverCause))}")
    causes = tuple(sorted(set(fall_over_on)))
    wanted = (targets, strategy or _usual(targets), causes)
    if (alias.targets, alias.strategy, alias.fall_over_on) == wanted:
        return []
    return [
        RouteSet(
            alias=name,
            targets=targets,
            strategy=strategy or msgspec.UNSET,
            fall_over_on=causes or msgspec.UNSET,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _usual(targets: tuple[RouteTarget, ...]) -> Strategy:
    """The strategy of a route that names none."""
    return "weighted" if any(target.weight for target in targets) else "ordered"


def point(alias: Alias, *, name: str, target_name: str, target: Alias, stamp: Stamp) -> list[AliasEvent]:
    """Let an alias take another one's route.

    Raises:
        BadField: a name cannot be used, or both are the same.
        NotFound: the target has no route of its own.
    """
    name = alias_name(name)
    alias_name(target_name, field="target")
    if name == target_name:
        raise BadField("target", "is the alias itself")
    if not target.targets:
        raise NotFound("route", target_name)
    if alias.points_to == target_name:
        return []
    return [AliasPointed(alias=name, target=target_name, occurred_us=stamp.now_us, actor=stamp.actor)]


def remove(alias: Alias, *, name: str, stamp: Stamp) -> list[AliasEvent]:
    """Let an alias lead nowhere; those that point to it lead nowhere too.

    Raises:
        NotFound: it leads nowhere already.
    """
    if not alias.exists:
        raise NotFound("alias", name)
    return [AliasRemoved(alias=name, occurred_us=stamp.now_us, actor=stamp.actor)]
