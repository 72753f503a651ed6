"""What may serve a request, and what it may cost at most."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.directory_views import DeploymentView, RouteView
from application.routing import offers as rules
from application.routing.controls import Controls, MaxPrice
from application.routing.health import Health
from application.routing.offers import Offer, Unpriced
from application.routing.plan import Needs, Planned, Planner, Wishes
from application.routing.speed import Speeds
from application.wire.bounds import Bound
from application.wire.head import ChatHead, parse_chat
from domain.pricing import NO_MARKUP_PPM, Price, PriceInForce
from tests.application.routing.views import cost, deployment
from tests.fakes import ManualClock

BOUND = Bound(prompt_tokens=1_000, answer_tokens=100, output_tokens=200)
MILLION = 10**6


def route(alias: str, *deployments: DeploymentView) -> RouteView:
    return RouteView(
        alias=alias, route=alias, deployments=deployments, prices=(), route_prices=(), created_s=1
    )


def offer(alias: str, *deployments: DeploymentView, price: Price | None = None) -> Offer:
    in_force = PriceInForce(
        version=1, effective_from_us=0, markup_ppm=NO_MARKUP_PPM, price=price or cost(MILLION, MILLION)
    )
    return Offer(route=route(alias, *deployments), price=in_force, factor_ppm=NO_MARKUP_PPM)


def plan(*offers: Offer, controls: Controls = Controls()) -> Planned:  # noqa: B008  it is frozen
    clock = ManualClock()
    health = Health(instance_id=UUID(int=1), clock=clock)
    return rules.plan(
        offers,
        Planner(health=health, speeds=Speeds()),
        controls=controls,
        policy=None,
        needs=Needs(serving=frozenset({"chat"}), expected_prompt_tokens=1, output_tokens=1),
        draw=0.0,
        now_us=clock.now_us(),
        now_s=clock.monotonic_s(),
    )


def head(**members: object) -> ChatHead:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    return parse_chat(msgspec.json.encode(body | members))


def test_aliases_are_tried_in_turn_each_under_its_own_name() -> None:
    """All of the first's deployments before the second's; the same deployment may come twice."""
    planned = plan(offer("a", deployment(1), deployment(2)), offer("b", deployment(2)))
    tried = [(one.alias, one.deployment.deployment_id.int) for one in planned.candidates]
    assert tried == [("a", 1), ("a", 2), ("b", 2)]


def test_a_wish_for_one_provider_counts_for_every_alias() -> None:
    """What it leaves nothing of needs no hold."""
    offers = [offer("a", deployment(1, "one")), offer("b", deployment(2, "two"))]
    planned = plan(*offers, controls=Controls(wishes=Wishes(only=frozenset({"two"}))))
    assert [one.alias for one in rules.planned_offers(offers, planned)] == ["b"]


def test_the_dearest_of_all_is_what_a_hold_covers() -> None:
    """Each by its own price for the same bound."""
    assert offer("a").worst_nano(BOUND) == 1_200
    assert offer("b", price=cost(MILLION, 3 * MILLION)).worst_nano(BOUND) == 1_600


BOUNDS = st.builds(
    Bound,
    prompt_tokens=st.integers(0, 100),
    answer_tokens=st.integers(0, 100),
    output_tokens=st.integers(0, 100),
    images=st.integers(0, 5),
    audio_ms=st.integers(0, 5),
    characters=st.integers(0, 5),
    searches=st.integers(0, 5),
)


@given(st.lists(BOUNDS, min_size=1, max_size=4))
def test_the_widest_bound_covers_each(bounds: list[Bound]) -> None:
    """In every unit."""
    widest = rules.widest(bounds)
    priced = msgspec.structs.replace(
        cost(1, 2, request_nano=3),
        image_nano_per_million=4,
        audio_ms_nano_per_million=5,
        character_nano_per_million=6,
        search_nano_per_million=7,
    )
    one = offer("a", price=priced)
    assert all(one.worst_nano(widest) >= one.worst_nano(bound) for bound in bounds)


def test_a_ceiling_leaves_what_is_within_it() -> None:
    """In the order of the request."""
    offers = [offer("a", price=cost(5, 5)), offer("b", price=cost(1, 1)), offer("c", price=cost(2, 2))]
    most = Controls(max_price=MaxPrice(prompt_nano=2))
    assert [one.alias for one in rules.affordable(offers, most, BOUND)] == ["b", "c"]
    assert rules.affordable(offers, Controls(), BOUND) is offers


def test_routing_members_are_no_spending() -> None:
    """They are taken out; what else spends is refused unless a deployment passes it on."""
    asked = head(models=["b"], provider={"order": ["one"]})
    a = route("a", deployment(1))
    assert rules.factor_ppm(asked, a, cost(1), now_us=0) == NO_MARKUP_PPM
    with pytest.raises(Unpriced) as refused:
        rules.factor_ppm(head(provider={}, plugins=[{"id": "web"}]), a, cost(1), now_us=0)
    assert (refused.value.name, refused.value.alias) == ("plugins", "a")
