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
from domain.pricing import NO_MARKUP_PPM, Price, PriceInForce, Window
from tests.application.routing.views import cost, deployment, route
from tests.fakes import ManualClock

BOUND = Bound(prompt_tokens=1_000, answer_tokens=100, output_tokens=200)
MILLION = 10**6


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
    most = MaxPrice(prompt_nano=2)
    assert [one.alias for one in rules.affordable(offers, most, BOUND)] == ["b", "c"]


def test_routing_members_are_no_spending() -> None:
    """They are taken out; what else spends is refused unless a deployment passes it on."""
    a = priced(cost(1))
    asked = rules.offer_of(head(models=["b"], provider={"order": ["one"]}), a, now_us=0)
    assert asked is not None
    assert asked.factor_ppm == NO_MARKUP_PPM
    with pytest.raises(Unpriced) as refused:
        rules.offer_of(head(provider={}, plugins=[{"id": "web"}]), a, now_us=0)
    assert (refused.value.name, refused.value.alias) == ("plugins", "a")


def test_an_offer_has_the_factors_of_the_hour_and_of_the_tier_that_was_asked_for() -> None:
    """Of the hour alone too, since the provider says which tier it was; a cheaper tier than the ordinary lowers nothing."""
    half = Window(weekdays=tuple(range(7)), from_minute=0, to_minute=1440, factor_ppm=500_000)
    a = priced(
        msgspec.structs.replace(cost(1), windows=(half,), service_tiers={"priority": 3_000_000, "flex": 1})
    )
    factors = {}
    for tier in ("priority", "flex"):
        offered = rules.offer_of(head(service_tier=tier), a, now_us=0)
        assert offered is not None
        assert offered.window_ppm == 500_000
        factors[tier] = offered.factor_ppm
    assert factors == {"priority": 1_500_000, "flex": 500_000}


def test_what_has_no_price_yet_is_not_offered() -> None:
    """A price that starts later is none."""
    a = priced(cost(1), from_us=5)
    assert rules.offer_of(head(), a, now_us=4) is None
    assert rules.offer_of(head(), a, now_us=5) is not None


def priced(price: Price, *, from_us: int = 0) -> RouteView:
    in_force = PriceInForce(version=1, effective_from_us=from_us, markup_ppm=NO_MARKUP_PPM, price=price)
    return route("a", deployment(1), prices=(in_force,))
