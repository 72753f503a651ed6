"""Model aliases: what clients write in `model`. An alias has a route of its own, or points to one that has.

Pointing is one step deep: a target without a route leads nowhere, so there are no cycles to find.
"""

from typing import ClassVar, Final, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.refusal import BadField, NotFound
from domain.text import alias_name

WEIGHT_MAX: Final = 1_000
DEPLOYMENTS_MAX: Final = 20
_ALIASES: Final = UUID("c1b0a9f8-2e3d-5c4b-9a68-7d6e5f4c3b21")


class RouteTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One candidate of a route. With all weights 0 the listed order is the order of tries."""

    deployment_id: UUID
    weight: int = 0  #: share of requests that try this one first; the others follow in the listed order


class RouteSet(Fact, frozen=True, kw_only=True):
    """Requests for this alias go to these deployments; it replaces an earlier route or pointer."""

    TOPIC: ClassVar[str] = "route.set.v1"

    alias: str
    targets: tuple[RouteTarget, ...]


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
            return Alias(targets=event.targets, created_us=created_us)
        case AliasPointed():
            return Alias(points_to=event.target, created_us=created_us)
        case AliasRemoved():
            return NO_ALIAS
        case _:
            assert_never(event)


def set_route(
    alias: Alias, *, name: str, targets: tuple[RouteTarget, ...], known: frozenset[UUID], stamp: Stamp
) -> list[AliasEvent]:
    """Send an alias to deployments, in order. `known` are those of them that exist.

    Raises:
        BadField: the name cannot be used, there are no targets or too many, one is twice, or a weight is off.
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
    if alias.targets == targets:
        return []
    return [RouteSet(alias=name, targets=targets, occurred_us=stamp.now_us, actor=stamp.actor)]


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
