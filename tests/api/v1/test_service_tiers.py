"""Service tiers through a running gateway: what the provider says that it used decides the factor."""

import msgspec
import pytest

from application.catalogue import publish_prices, set_route
from demo_seed import PRICE
from domain.fact import SYSTEM
from tests.api.v1.gateway_world import World, ask, deployment_id_of, price_nano
from tests.api.v1.test_refusals import refused
from tests.waiting import until

ALIAS = "with-tiers"


@pytest.fixture(scope="module")
def tiers(world: World) -> str:
    """An alias of the fast sandbox model at half and at twice its price."""
    target = set_route.Target(deployment_id=deployment_id_of("sandbox-echo"))
    route = set_route.SetRoute(alias=ALIAS, targets=(target,))
    set_route.handle(route, actor=SYSTEM, ports=world.ports)
    price = msgspec.structs.replace(PRICE, service_tiers={"flex": "0.5", "priority": "2"})
    prices = publish_prices.PublishPrices(entries={ALIAS: price}, note="test")
    publish_prices.handle(prices, actor=SYSTEM, ports=world.ports)
    headers = {"authorization": f"Bearer {world.seed.api_key}"}
    until(lambda: world.client.get(f"/v1/models/{ALIAS}", headers=headers).status_code == 200)
    return ALIAS


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("tier", "halves"), [("flex", 1), ("priority", 4), ("auto", 2), (None, 2)])
def test_the_tier_that_was_used_is_charged(
    world: World, tiers: str, tier: str | None, halves: int, *, stream: bool
) -> None:
    """The sandbox serves what it is asked for, and says so."""
    fields = {} if tier is None else {"service_tier": tier}
    answer = world.chat(ask(tiers, stream=stream, **fields))
    charge = world.charge(answer.headers["x-request-id"])
    usage = {"prompt_tokens": charge.units.input, "completion_tokens": charge.units.output}
    assert charge.charge_nano == round(price_nano(usage) * halves / 2)
    assert (charge.factor_ppm or 1_000_000) == halves * 500_000


def test_a_tier_without_a_price_is_refused(world: World, tiers: str) -> None:
    """400, before anything is held."""
    refused(world.chat(ask(tiers, service_tier="scale")), 400, "unsupported_parameter")
