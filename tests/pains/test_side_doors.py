"""Pain 25: an endpoint that no budget covers."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.v1.endpoints import endpoints
from application.catalogue import add_deployment, publish_prices, set_route
from demo_seed import PRICE, PROVIDER
from domain.catalogue.provider import provider_id_of
from domain.fact import SYSTEM
from tests.api.v1.gateway_world import World, ask
from tests.api.v1.unit_routes import EMBED, LISTEN, MODERATE, PICTURE, RANK, VOICE

Asked = dict[str, Any]
SOUND = ("a.mp3", b"sound" * 100)
HELLO = {"role": "user", "content": "Hello"}
COMPLETE = "pains/complete"
DOORS: dict[str, Asked] = {
    "/audio/speech": {"json": {"model": VOICE, "input": "Hello", "voice": "alloy"}},
    "/audio/transcriptions": {"data": {"model": LISTEN}, "files": {"file": SOUND}},
    "/audio/translations": {"data": {"model": LISTEN}, "files": {"file": SOUND}},
    "/chat/completions": {"json": ask()},
    "/completions": {"json": {"model": COMPLETE, "prompt": "Hello"}},
    "/embeddings": {"json": {"model": EMBED, "input": "Hello"}},
    "/images/edits": {"data": {"model": PICTURE, "prompt": "x"}, "files": {"image": ("a.png", b"x")}},
    "/images/generations": {"json": {"model": PICTURE, "prompt": "x"}},
    "/messages": {"json": {"model": "demo-fast", "max_tokens": 9, "messages": [HELLO]}},
    "/moderations": {"json": {"model": MODERATE, "input": "Hello"}},
    "/rerank": {"json": {"model": RANK, "query": "x", "documents": ["y"]}},
    "/responses": {"json": {"model": "demo-fast", "input": "Hello"}},
}


def test_every_door_is_tried() -> None:
    """A new endpoint must show here that it asks for credit."""
    assert {path.encode() for path in DOORS} == set(endpoints())


@pytest.fixture(scope="module")
def poor(world: World) -> str:
    """The secret of an account with a single nano-credit; there is a model for each door."""
    deployment = add_deployment.AddDeployment(
        provider_id=provider_id_of(PROVIDER),
        upstream_model="sandbox-echo",
        context_tokens=128_000,
        output_tokens_max=4_096,
        serves=("completions",),
    )
    target = set_route.Target(
        deployment_id=add_deployment.handle(deployment, actor=SYSTEM, ports=world.ports).id
    )
    set_route.handle(set_route.SetRoute(alias=COMPLETE, targets=(target,)), actor=SYSTEM, ports=world.ports)
    price = publish_prices.PublishPrices(entries={COMPLETE: PRICE}, note="test")
    publish_prices.handle(price, actor=SYSTEM, ports=world.ports)
    return world.new_key("Side doors", amount_nano=1)


@pytest.mark.parametrize("path", DOORS)
def test_no_endpoint_calls_a_provider_without_credit(
    world: World, poor: str, provider_calls: Callable[[], int], path: str
) -> None:
    """Elsewhere: "Our budgets hold for chat; pictures go around them." Here each is 402, and the provider is asked only with credit."""
    before = provider_calls()
    refused = knock(world, path, poor)
    assert refused.status_code == 402, refused.text
    assert "credits are required, 0.000000001 are available" in refused.json()["error"]["message"]
    assert world.events(refused.headers["x-request-id"]) == []
    assert provider_calls() == before
    knock(world, path, world.seed.api_key)
    assert provider_calls() == before + 1


def knock(world: World, path: str, key: str) -> httpx.Response:
    """The same request, by whoever has the key."""
    return world.client.post(f"/v1{path}", headers={"authorization": f"Bearer {key}"}, **DOORS[path])
