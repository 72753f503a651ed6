"""Aliases and routes."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.catalogue import alias as rules
from domain.catalogue.alias import (
    NO_ALIAS,
    Alias,
    AliasEvent,
    AliasPointed,
    AliasRemoved,
    RouteSet,
    RouteTarget,
)
from domain.catalogue.provider import ProviderEnabled
from domain.fact import Stamp
from domain.refusal import BadField, NotFound
from tests.spec import Spec

AT = Stamp(now_us=5, actor="system")
ONE, TWO = UUID(int=1), UUID(int=2)
TARGETS = (RouteTarget(deployment_id=ONE), RouteTarget(deployment_id=TWO))
SPEC: Spec[Alias] = Spec(rules.evolve, initial=NO_ALIAS)
ROUTED = RouteSet(alias="acme/big", targets=TARGETS, occurred_us=5, actor="system")
POINTED = AliasPointed(alias="acme/big", target="other", occurred_us=9, actor="system")
REMOVED = AliasRemoved(alias="acme/big", occurred_us=5, actor="system")
OTHER = Alias(targets=TARGETS)


def set_route(
    alias: Alias, targets: tuple[RouteTarget, ...] = TARGETS, name: str = "acme/big"
) -> list[AliasEvent]:
    return rules.set_route(alias, name=name, targets=targets, known=frozenset({ONE, TWO}), stamp=AT)


def point(
    alias: Alias, *, target_name: str = "other", target: Alias = OTHER, name: str = "acme/big"
) -> list[AliasEvent]:
    return rules.point(alias, name=name, target_name=target_name, target=target, stamp=AT)


def test_a_route_is_set_and_replaced() -> None:
    """The same route again does nothing; a pointer gives way to a route."""
    SPEC.given().when(set_route).then(ROUTED)
    SPEC.given(ROUTED).when(set_route).then_nothing()
    SPEC.given(POINTED).when(set_route).then(ROUTED)
    assert SPEC.fold(POINTED, ROUTED).points_to is None


def test_a_route_may_name_its_strategy_and_more_causes_to_fall_over() -> None:
    """What is left out is not stored, so that older facts mean what they meant; each cause is stored once."""

    def choose(alias: Alias) -> list[AliasEvent]:
        return rules.set_route(
            alias,
            name="acme/big",
            targets=TARGETS,
            known=frozenset({ONE, TWO}),
            stamp=AT,
            strategy="cheapest",
            fall_over_on=("content_filter", "context_length", "content_filter"),
        )

    chosen = msgspec.structs.replace(
        ROUTED, strategy="cheapest", fall_over_on=("content_filter", "context_length")
    )
    SPEC.given(ROUTED).when(choose).then(chosen)
    SPEC.given(chosen).when(choose).then_nothing()
    SPEC.given(chosen).when(set_route).then(ROUTED)
    assert b"strategy" not in msgspec.json.encode(ROUTED)
    assert b"fall_over_on" not in msgspec.json.encode(ROUTED)


def test_weights_alone_make_a_route_weighted() -> None:
    """As routes without a strategy were always meant; a strategy that is named wins."""
    weighed = msgspec.structs.replace(ROUTED, targets=(RouteTarget(deployment_id=ONE, weight=1),))
    assert SPEC.fold(ROUTED).strategy == "ordered"
    assert SPEC.fold(weighed).strategy == "weighted"
    assert SPEC.fold(msgspec.structs.replace(weighed, strategy="ordered")).strategy == "ordered"


@pytest.mark.parametrize(
    ("field", "value"), [("strategy", "alphabetical"), ("fall_over_on", ("bad_request",))]
)
def test_only_strategies_and_causes_that_exist_are_taken(field: str, value: Any) -> None:
    """Nothing is stored that no planner knows."""

    def choose(alias: Alias) -> list[AliasEvent]:
        chosen: Any = {field: value}
        return rules.set_route(
            alias, name="a", targets=TARGETS, known=frozenset({ONE, TWO}), stamp=AT, **chosen
        )

    SPEC.given().when(choose).then_refused(BadField, field=field)


@pytest.mark.parametrize(
    "targets",
    [
        (),
        (TARGETS[0], TARGETS[0]),
        (RouteTarget(deployment_id=ONE, weight=-1),),
        (RouteTarget(deployment_id=ONE, weight=1001),),
        tuple(RouteTarget(deployment_id=UUID(int=number)) for number in range(21)),
    ],
)
def test_a_route_has_a_few_different_targets(targets: tuple[RouteTarget, ...]) -> None:
    """None, too many, twice the same, and odd weights are refused."""
    SPEC.given().when(lambda alias: set_route(alias, targets)).then_refused(BadField)


def test_a_route_leads_to_what_exists() -> None:
    """An unknown deployment is refused, and so is a name that is no alias."""
    unknown = (RouteTarget(deployment_id=UUID(int=3)),)
    SPEC.given().when(lambda alias: set_route(alias, unknown)).then_refused(NotFound, kind="deployment")
    SPEC.given().when(lambda alias: set_route(alias, name="a b")).then_refused(BadField, field="alias")


def test_an_alias_points_to_a_route() -> None:
    """Not to itself, not to nothing, not to another pointer: there are no chains, so no cycles."""
    pointed = AliasPointed(alias="acme/big", target="other", occurred_us=5, actor="system")
    SPEC.given(ROUTED).when(point).then(pointed)
    SPEC.given(POINTED).when(point).then_nothing()
    assert SPEC.fold(ROUTED, POINTED).targets == ()
    SPEC.given().when(lambda alias: point(alias, target_name="acme/big")).then_refused(BadField)
    SPEC.given().when(lambda alias: point(alias, target=NO_ALIAS)).then_refused(NotFound, kind="route")
    SPEC.given().when(lambda alias: point(alias, target=Alias(points_to="x"))).then_refused(NotFound)
    SPEC.given().when(lambda alias: point(alias, name="a b")).then_refused(BadField, field="alias")
    SPEC.given().when(lambda alias: point(alias, target_name="a b")).then_refused(BadField, field="target")


def test_a_removed_alias_leads_nowhere() -> None:
    """Removing what leads nowhere is refused; set again it is a new one."""

    def remove(alias: Alias) -> list[AliasEvent]:
        return rules.remove(alias, name="acme/big", stamp=AT)

    SPEC.given(ROUTED).when(remove).then(REMOVED)
    SPEC.given(POINTED).when(remove).then(REMOVED)
    SPEC.given(ROUTED, REMOVED).when(remove).then_refused(NotFound)
    assert SPEC.fold(ROUTED, REMOVED, POINTED).created_us == 9
    assert SPEC.fold(ROUTED, POINTED).created_us == 5


def test_only_its_own_facts_fold() -> None:
    """A foreign fact in the stream is a defect, loud at once."""
    with pytest.raises(AssertionError):
        SPEC.fold(ProviderEnabled(provider_id=ONE, occurred_us=1, actor="system"))
