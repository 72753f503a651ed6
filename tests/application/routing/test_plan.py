"""Who is tried, in which order, and why the others are not."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.directory_views import DeploymentView
from application.routing.health import CONSECUTIVE_MAX, Health
from application.routing.plan import Needs, Planned, Planner, Wishes
from application.routing.speed import SAMPLES_MIN, Speeds
from domain.catalogue.alias import Strategy
from domain.catalogue.deployment_spec import Operation
from domain.limits import ProviderPolicy
from tests.application.routing.views import cost, deployment, route
from tests.fakes import ManualClock

NEEDS = Needs(serving=frozenset({"chat"}), expected_prompt_tokens=100, output_tokens=50)
STRATEGIES: tuple[Strategy, ...] = ("ordered", "weighted", "cheapest", "fastest", "throughput")
ONE, TWO, THREE = deployment(1, "one"), deployment(2, "two"), deployment(3, "three")
ALL = (ONE, TWO, THREE)


class World:
    """A planner, and what it knows."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.health = Health(instance_id=UUID(int=9), clock=self.clock)
        self.speeds = Speeds()
        self.planner = Planner(health=self.health, speeds=self.speeds)

    def plan(
        self,
        deployments: Sequence[DeploymentView] = ALL,
        *,
        strategy: Strategy = "ordered",
        wishes: Wishes | None = None,
        policy: ProviderPolicy | None = None,
        needs: Needs = NEEDS,
        draw: float = 0.5,
    ) -> Planned:
        return self.planner.plan(
            route("a", *deployments, strategy=strategy),
            wishes=wishes,
            policy=policy,
            needs=needs,
            draw=draw,
            now_us=self.clock.now_us(),
            now_s=self.clock.monotonic_s(),
        )

    def order(self, deployments: Sequence[DeploymentView] = ALL, **how: object) -> list[int]:
        """The numbers of the deployments in the order to try them."""
        return numbers(self.plan(deployments, **how))  # type: ignore[arg-type]

    def open(self, one: DeploymentView) -> None:
        """Open its breaker."""
        for _ in range(CONSECUTIVE_MAX):
            self.health.failed(one.deployment_id, "timeout", was_trial=False)

    def answered(self, one: DeploymentView, *, first_byte_s: float, tokens_s: float) -> None:
        for _ in range(SAMPLES_MIN):
            self.speeds.add(
                one.deployment_id,
                first_byte_s=first_byte_s,
                tokens_s=tokens_s,
                now_s=self.clock.monotonic_s(),
            )


@pytest.fixture
def world() -> World:
    return World()


def numbers(planned: Planned) -> list[int]:
    return [one.deployment.deployment_id.int for one in planned.candidates]


def reasons(planned: Planned) -> dict[int, str]:
    return {one.deployment_id.int: one.reason for one in planned.passed_over}


def credentials(number: int, *ids: int, **changes: Any) -> list[DeploymentView]:
    """One deployment as the directory shows it: once for each credential."""
    return [
        deployment(number, credential_id=UUID(int=one), secret_version=1, shares=len(ids) > 1, **changes)
        for one in ids
    ]


def credentials_of(planned: Planned) -> list[int]:
    return [0 if one is None else one.int for one in (c.deployment.credential_id for c in planned.candidates)]


# --- strategies


def test_ordered_keeps_the_routes_order_whatever_the_draw(world: World) -> None:
    """Weights are of no account to it."""
    weighed = [deployment(1, weight=1), deployment(2, weight=1_000)]
    for draw in (0.0, 0.3, 0.999):
        assert world.order(weighed, draw=draw) == [1, 2]


def test_weights_are_honoured_over_many_draws(world: World) -> None:
    """Of 20,000 draws, shares of 1, 3 and 6 in 10 go first, give or take a fiftieth of all."""
    weighed = [deployment(1, weight=1), deployment(2, weight=3), deployment(3, weight=6)]
    draws = 20_000
    first = Counter(world.order(weighed, strategy="weighted", draw=one / draws)[0] for one in range(draws))
    for number, share in ((1, 0.1), (2, 0.3), (3, 0.6)):
        assert abs(first[number] / draws - share) < 0.02


def test_one_without_weight_comes_last(world: World) -> None:
    """It serves when the others do not."""
    weighed = [deployment(1), deployment(2, weight=1), deployment(3), deployment(4, weight=1)]
    for draw in (0.0, 0.25, 0.5, 0.75):
        order = world.order(weighed, strategy="weighted", draw=draw)
        assert set(order[:2]) == {2, 4}
        assert order[2:] == [1, 3]


@given(
    weights=st.lists(st.integers(1, 1_000), min_size=2, max_size=8),
    draw=st.floats(0, 1, exclude_max=True),
    data=st.data(),
)
def test_a_draw_moves_only_if_its_own_deployment_goes(
    weights: list[int], draw: float, data: st.DataObject
) -> None:
    """Taking any other out of the route leaves the order of the rest as it was."""
    world = World()
    weighed = [deployment(number, weight=weight) for number, weight in enumerate(weights, 1)]
    order = world.order(weighed, strategy="weighted", draw=draw)
    gone = data.draw(st.sampled_from(weighed))
    rest = [one for one in weighed if one is not gone]
    expected = [number for number in order if number != gone.deployment_id.int]
    assert world.order(rest, strategy="weighted", draw=draw) == expected


def test_cheapest_compares_what_this_request_would_cost(world: World) -> None:
    """Long prompts and long answers may have different winners; an unknown cost comes last."""
    routes = [
        deployment(1),
        deployment(2, cost=cost(10, 100)),
        deployment(3, cost=cost(100, 10)),
    ]
    answers = Needs(serving=NEEDS.serving, expected_prompt_tokens=1, output_tokens=100)
    prompts = Needs(serving=NEEDS.serving, expected_prompt_tokens=100, output_tokens=1)
    assert world.order(routes, strategy="cheapest", needs=answers) == [3, 2, 1]
    assert world.order(routes, strategy="cheapest", needs=prompts) == [2, 3, 1]


def test_cheapest_counts_the_flat_fee(world: World) -> None:
    """A low price per token with a high fee is no bargain for a short request."""
    routes = [deployment(1, cost=cost(1, 1, request_nano=10**6)), deployment(2, cost=cost(50, 50))]
    assert world.order(routes, strategy="cheapest") == [2, 1]


def test_fastest_goes_by_the_time_to_the_first_byte(world: World) -> None:
    """The throughput does not matter to it."""
    world.answered(ONE, first_byte_s=0.9, tokens_s=900)
    world.answered(TWO, first_byte_s=0.1, tokens_s=1)
    world.answered(THREE, first_byte_s=0.5, tokens_s=500)
    assert world.order(strategy="fastest") == [2, 3, 1]


def test_throughput_goes_by_tokens_a_second(world: World) -> None:
    """The time to the first byte does not matter to it."""
    world.answered(ONE, first_byte_s=0.1, tokens_s=1)
    world.answered(TWO, first_byte_s=0.9, tokens_s=900)
    world.answered(THREE, first_byte_s=0.5, tokens_s=500)
    assert world.order(strategy="throughput") == [2, 3, 1]


@pytest.mark.parametrize("strategy", ["fastest", "throughput"])
def test_one_of_unknown_speed_is_tried_first(world: World, strategy: Strategy) -> None:
    """Otherwise it would never be known."""
    world.answered(ONE, first_byte_s=0.001, tokens_s=10_000)
    assert world.order((ONE, TWO), strategy=strategy) == [2, 1]


@given(
    strategy=st.sampled_from(STRATEGIES),
    count=st.integers(0, 8),
    weights=st.lists(st.integers(0, 5), min_size=8, max_size=8),
    draw=st.floats(0, 1, exclude_max=True),
    opened=st.sets(st.integers(1, 8)),
)
def test_whatever_happens_each_deployment_is_tried_once_or_passed_over_once(
    strategy: Strategy, count: int, weights: list[int], draw: float, opened: set[int]
) -> None:
    """Nothing is lost, nothing doubled, and the same draw gives the same order."""
    world = World()
    some = [deployment(number, weight=weights[number - 1]) for number in range(1, count + 1)]
    for one in some:
        if one.deployment_id.int in opened:
            world.open(one)
    planned = world.plan(some, strategy=strategy, draw=draw)
    accounted = numbers(planned) + [one.deployment_id.int for one in planned.passed_over]
    assert sorted(accounted) == list(range(1, count + 1))
    assert numbers(world.plan(some, strategy=strategy, draw=draw)) == numbers(planned)
    assert bool(planned.candidates) == bool(some)


# --- what cannot serve


def test_one_that_cannot_serve_is_passed_over_with_its_reason(world: World) -> None:
    """Too short a context, or another kind of work."""
    planned = world.plan(
        [deployment(1, context_tokens=99), deployment(2, serves=frozenset({"embeddings"})), deployment(3)]
    )
    assert numbers(planned) == [3]
    assert reasons(planned) == {1: "too_small", 2: "cannot"}


# --- policy and wishes


def test_a_policy_rules_before_everything_else(world: World) -> None:
    """Denied, or not among the allowed: it is the first reason that is told."""
    planned = world.plan(policy=ProviderPolicy(denied=frozenset({"one"})))
    assert (numbers(planned), reasons(planned)) == ([2, 3], {1: "not_allowed"})
    planned = world.plan(policy=ProviderPolicy(allowed=frozenset({"one", "two"}), denied=frozenset({"two"})))
    assert (numbers(planned), reasons(planned)) == ([1], {2: "not_allowed", 3: "not_allowed"})
    wishes = Wishes(only=frozenset({"two"}))
    planned = world.plan(policy=ProviderPolicy(allowed=frozenset({"one"})), wishes=wishes)
    assert numbers(planned) == []
    assert reasons(planned) == {1: "not_wanted", 2: "not_allowed", 3: "not_allowed"}


def test_a_policy_that_allows_nobody_leaves_nothing(world: World) -> None:
    """Health does not bypass it."""
    assert numbers(world.plan(policy=ProviderPolicy(allowed=frozenset()))) == []


def test_a_client_may_choose_and_leave_out_providers(world: World) -> None:
    """`only` and `ignore` together."""
    planned = world.plan(wishes=Wishes(only=frozenset({"one", "two"}), ignore=frozenset({"one"})))
    assert (numbers(planned), reasons(planned)) == ([2], {1: "not_wanted", 3: "not_wanted"})


def test_a_clients_order_goes_first_and_the_rest_follows(world: World) -> None:
    """An unknown name changes nothing."""
    assert world.order(wishes=Wishes(order=("three", "nobody", "two"))) == [3, 2, 1]
    assert world.order(wishes=Wishes(order=("two",))) == [2, 1, 3]


def test_a_clients_sort_replaces_the_routes_strategy(world: World) -> None:
    """And its order comes before its sort."""
    priced = [
        deployment(1, "one", cost=cost(9)),
        deployment(2, "two", cost=cost(5)),
        deployment(3, "three", cost=cost(1)),
    ]
    assert world.order(priced, wishes=Wishes(sort="cheapest")) == [3, 2, 1]
    assert world.order(priced, wishes=Wishes(sort="cheapest", order=("two",))) == [2, 3, 1]


def test_without_fallbacks_there_is_one_candidate(world: World) -> None:
    """The best of those that are well, and a reason for each of the others."""
    world.open(ONE)
    planned = world.plan(wishes=Wishes(allow_fallbacks=False))
    assert numbers(planned) == [2]
    assert reasons(planned) == {1: "breaker_open", 3: "no_fallback"}


# --- credentials of one deployment


def test_credentials_of_a_deployment_take_turns(world: World) -> None:
    """Each goes first for its share of the draws, the others follow; the next deployment comes after all of them."""
    views = [*credentials(1, 11, 12, 13), *credentials(2, 21)]
    assert credentials_of(world.plan(views, draw=0.0)) == [11, 12, 13, 21]
    assert credentials_of(world.plan(views, draw=0.4)) == [12, 13, 11, 21]
    assert credentials_of(world.plan(views, draw=0.99)) == [13, 11, 12, 21]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_credentials_stay_together_in_every_order(world: World, strategy: Strategy) -> None:
    """So that a fault of the deployment skips all of them."""
    views = [*credentials(1, 11, 12, weight=1, cost=cost(1)), *credentials(2, 21, 22, weight=1, cost=cost(1))]
    for draw in (0.0, 0.2, 0.4, 0.6, 0.8):
        order = numbers(world.plan(views, strategy=strategy, draw=draw))
        assert order in ([1, 1, 2, 2], [2, 2, 1, 1])


def test_a_dead_credential_is_skipped_and_its_neighbour_serves(world: World) -> None:
    """Only the secret that failed is dead."""
    world.health.credential_failed(UUID(int=11), secret_version=1, cause="auth", status=401)
    planned = world.plan(credentials(1, 11, 12), draw=0.0)
    assert credentials_of(planned) == [12]
    assert reasons(planned) == {1: "credential_dead"}
    fresh = [deployment(1, credential_id=UUID(int=11), secret_version=2)]
    assert credentials_of(world.plan(fresh)) == [11]


def test_a_resting_credential_gives_way_and_comes_back(world: World) -> None:
    """After the time that the provider asked for."""
    world.health.rest(UUID(int=11), 5)
    assert credentials_of(world.plan(credentials(1, 11, 12), draw=0.0)) == [12]
    world.clock.move(5)
    assert credentials_of(world.plan(credentials(1, 11, 12), draw=0.0)) == [11, 12]


# --- health


def test_an_open_deployment_is_passed_over_until_its_trial(world: World) -> None:
    """Then one request tries it where it stands in the order."""
    world.open(ONE)
    planned = world.plan()
    assert (numbers(planned), reasons(planned)) == ([2, 3], {1: "breaker_open"})
    world.clock.move(11)
    planned = world.plan()
    assert [(one.deployment.deployment_id.int, one.is_trial) for one in planned.candidates] == [
        (1, True),
        (2, False),
        (3, False),
    ]
    world.health.take_trial(ONE.deployment_id)
    planned = world.plan()
    assert (numbers(planned), reasons(planned)) == ([2, 3], {1: "trial_under_way"})


def test_if_health_leaves_nothing_the_open_are_tried_all_the_same(world: World) -> None:
    """In the order of the strategy, each as a trial: its success closes the breaker."""
    for one in ALL:
        world.open(one)
    planned = world.plan()
    assert numbers(planned) == [1, 2, 3]
    assert all(one.is_trial for one in planned.candidates)
    assert planned.passed_over == ()


def test_a_bypass_never_uses_a_dead_credential(world: World) -> None:
    """Not even that of a deployment whose other credential is only resting."""
    world.health.credential_failed(UUID(int=11), secret_version=1, cause="funds", status=402)
    world.health.rest(UUID(int=12), 60)
    planned = world.plan(credentials(1, 11, 12), draw=0.0)
    assert credentials_of(planned) == [12]
    world.health.credential_failed(UUID(int=12), secret_version=1, cause="funds", status=402)
    assert credentials_of(world.plan(credentials(1, 11, 12), draw=0.0)) == []


def test_a_bypass_of_a_resting_credential_is_no_trial_of_a_closed_breaker(world: World) -> None:
    """One failure must not open what is closed."""
    (only,) = credentials(1, 11)
    world.health.rest(UUID(int=11), 60)
    (candidate,) = world.plan([only]).candidates
    assert not candidate.is_trial


@given(
    count=st.integers(0, 4),
    shares=st.booleans(),
    strategy=st.sampled_from(STRATEGIES),
    prompt_tokens=st.sampled_from((0, 1_000, 1_001)),
    serving=st.sampled_from(
        (frozenset({"chat"}), frozenset({"embeddings"}), frozenset({"chat", "messages"}))
    ),
    is_ill=st.booleans(),
    draw=st.floats(0, 1, exclude_max=True),
)
def test_the_plan_that_a_route_keeps_ready_is_the_one_that_would_be_made(
    *,
    count: int,
    shares: bool,
    strategy: Strategy,
    prompt_tokens: int,
    serving: frozenset[Operation],
    is_ill: bool,
    draw: float,
) -> None:
    """A policy that allows everything and a client that wishes nothing change no plan, but have it worked out."""
    world = World()
    some = [deployment(number, shares=shares and number > 1, weight=number) for number in range(1, count + 1)]
    needs = Needs(serving=serving, expected_prompt_tokens=prompt_tokens, output_tokens=50)
    if is_ill and some:
        world.open(some[0])
    ready = world.plan(some, strategy=strategy, needs=needs, draw=draw)
    for made in (
        world.plan(some, strategy=strategy, needs=needs, draw=draw, policy=ProviderPolicy()),
        world.plan(some, strategy=strategy, needs=needs, draw=draw, wishes=Wishes()),
    ):
        assert ready == made
