"""Why a request would go there: what the planner says of a request that nobody makes."""

from uuid import UUID

import pytest

from application.accounts import set_account_limits, suspend_account
from application.catalogue import disable_provider
from application.keys import revoke_key
from application.routing.health import Health, Policy
from application.routing.plan import Wishes
from application.routing.simulation import RouteQuestion, Simulation, Simulator
from domain.fact import SYSTEM
from tests.application.directory_world import World


class Place(World):
    """Two providers that serve one alias, and whoever asks."""

    def __init__(self, *, weights: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.health = Health(instance_id=UUID(int=1), clock=self.clock, policy=Policy(consecutive_max=1))
        self.acme, self.other = self.provider("acme"), self.provider("other", "http://127.0.0.2:9000/v1")
        self.first = self.deployment(self.acme, self.credential(self.acme))
        self.second = self.deployment(self.other, self.credential(self.other))
        self.route("big", self.first, self.second, weights=weights)
        self.price("big", "2")

    def ask(self, alias: str = "big", **fields: object) -> Simulation:
        simulator = Simulator(directory=self.follow(), health=self.health, clock=self.clock)
        return simulator.ask(RouteQuestion(alias=alias, **{"prompt_tokens": 500, **fields}))  # type: ignore[arg-type]  # fields of the question


def reasons(found: Simulation) -> list[tuple[str, str | None]]:
    return [(one.provider, one.reason) for one in found.passed_over]


def test_what_would_be_tried_is_told_in_its_order_with_the_most_that_it_costs() -> None:
    """As listed: the second only if the first fails; the hold is that of the gateways."""
    place = Place()
    found = place.ask(output_tokens=100)
    assert [(one.provider, one.share) for one in found.tried] == [("acme", 1.0), ("other", 0.0)]
    assert found.stops == ()
    assert found.hold_nano == 500 * 1_000 + 100 * 2_000


def test_shares_of_a_weighted_route_are_those_of_its_weights() -> None:
    """Over many conversations; both may be tried for each."""
    found = Place(weights=(3, 1)).ask()
    shares = {one.provider: one.share for one in found.tried}
    assert shares["acme"] == pytest.approx(0.75, abs=0.08)
    assert sum(shares.values()) == pytest.approx(1)


def test_each_deployment_that_is_passed_over_has_its_reason() -> None:
    """Of the request, the client, the policy, the catalogue and health, one after the other."""
    place = Place()
    assert reasons(place.ask(prompt_tokens=5_000)) == [("acme", "too_small"), ("other", "too_small")]
    assert reasons(place.ask(operation="embeddings")) == [("acme", "cannot"), ("other", "cannot")]
    assert reasons(place.ask(wishes=Wishes(ignore=frozenset({"acme"})))) == [("acme", "not_wanted")]
    assert reasons(place.ask(wishes=Wishes(allow_fallbacks=False))) == [("other", "no_fallback")]
    place.health.failed(place.first, "timeout", was_trial=False)
    assert reasons(place.ask()) == [("acme", "breaker_open")]
    command = disable_provider.DisableProvider(provider_id=place.other, reason="x")
    disable_provider.handle(command, actor=SYSTEM, ports=place.ports)
    found = place.ask()
    assert reasons(found)[-1] == ("other", "provider_disabled")
    assert [one.provider for one in found.tried] == ["acme"], "tried all the same: nothing else is left"


def test_rules_about_the_account_and_the_key_stop_it_before() -> None:
    """All of them are told, not the first alone."""
    place = Place()
    account_id = place.account()
    key = place.key(account_id, models=("small",))
    command = set_account_limits.SetAccountLimits(account_id=account_id, denied_providers=("acme",))
    set_account_limits.handle(command, actor=SYSTEM, ports=place.ports)
    found = place.ask(key_id=key.key_id)
    assert found.stops == ("model_not_allowed",)
    assert reasons(found) == [("acme", "not_allowed")]
    suspended = suspend_account.SuspendAccount(account_id=account_id, reason="x")
    suspend_account.handle(suspended, actor=SYSTEM, ports=place.ports)
    revoked = revoke_key.RevokeKey(key_id=key.key_id, reason="x")
    revoke_key.handle(revoked, actor=SYSTEM, ports=place.ports)
    assert place.ask(key_id=key.key_id).stops == ("account_not_open", "key_revoked", "model_not_allowed")


def test_a_model_without_a_route_or_a_price_goes_nowhere() -> None:
    """And both are said."""
    place = Place()
    assert place.ask("nothing").stops == ("no_model",)
    place.route("free", place.first)
    assert place.ask("free").stops == ("no_price",)
