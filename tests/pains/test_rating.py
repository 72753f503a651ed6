"""Pain 12: what has no price is served for nothing."""

from collections.abc import Callable

import httpx

from application.catalogue import publish_prices, set_route
from demo_seed import PRICE
from domain.fact import SYSTEM
from tests.api.v1.gateway_world import World, ask, deployment_id_of
from tests.waiting import until

ALIAS = "pains/new-model"


def test_a_model_is_served_when_it_has_a_price(world: World, provider_calls: Callable[[], int]) -> None:
    """Elsewhere: "The new model was missing in the price file: 185 dollars used, one charged." Here it waits for its price."""
    target = set_route.Target(deployment_id=deployment_id_of("sandbox-echo"))
    before = provider_calls()
    set_route.handle(set_route.SetRoute(alias=ALIAS, targets=(target,)), actor=SYSTEM, ports=world.ports)
    refused = until(lambda: without_price(world.chat(ask(ALIAS))))
    assert refused.status_code == 404
    assert world.events(refused.headers["x-request-id"]) == []
    assert provider_calls() == before
    price = publish_prices.PublishPrices(entries={ALIAS: PRICE}, note="test")
    publish_prices.handle(price, actor=SYSTEM, ports=world.ports)
    served = until(lambda: one if (one := world.chat(ask(ALIAS))).status_code == 200 else None)
    assert served is not None
    assert world.charge(served.headers["x-request-id"]).charge_nano > 0


def without_price(answer: httpx.Response) -> httpx.Response | None:
    """The refusal, once the route is known to the gateway."""
    return answer if "has no price" in answer.text else None
