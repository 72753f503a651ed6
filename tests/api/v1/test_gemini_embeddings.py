"""Embeddings of a provider that speaks Gemini's dialect: translated, counted here where nothing is told, charged."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import msgspec
import openai
import pytest

from application.catalogue import add_deployment, publish_prices, register_provider, set_route
from domain.catalogue.addresses import Allowlist
from domain.fact import SYSTEM
from tests.api.v1.gateway_world import World
from tests.api.v1.test_refusals import refused
from tests.api.v1.unit_routes import price
from tests.waiting import until

ALIAS = "gemini-embed"


class Upstream(ThreadingHTTPServer):
    """Answers every batch with a vector for each text, and says nothing of usage, as Google's does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, Any]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Upstream
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, body))
        vectors = [{"values": [0.5, float(place)]} for place in range(len(body["requests"]))]
        answer = json.dumps({"embeddings": vectors}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its own name
        pass


@pytest.fixture(scope="module")
def gemini(world: World) -> Iterator[Upstream]:
    with Upstream() as upstream:
        thread = threading.Thread(target=upstream.serve_forever)
        thread.start()
        ports = msgspec.structs.replace(world.ports, allowlist=Allowlist.parse("127.0.0.1"))
        provider = register_provider.handle(
            register_provider.RegisterProvider(
                name="gemini-like",
                base_url=f"http://127.0.0.1:{upstream.server_port}/v1beta",
                dialect="gemini",
                usage_dialect="gemini-compat",
            ),
            actor=SYSTEM,
            ports=ports,
        )
        added = add_deployment.handle(
            add_deployment.AddDeployment(
                provider_id=provider.id,
                upstream_model="gemini-embedding-001",
                context_tokens=2_048,
                output_tokens_max=1,
                serves=("embeddings",),
            ),
            actor=SYSTEM,
            ports=ports,
        )
        target = set_route.Target(deployment_id=added.id)
        set_route.handle(set_route.SetRoute(alias=ALIAS, targets=(target,)), actor=SYSTEM, ports=ports)
        prices = publish_prices.PublishPrices(entries={ALIAS: price(tokens=("0.15", "0"))}, note="test")
        publish_prices.handle(prices, actor=SYSTEM, ports=ports)
        headers = {"authorization": f"Bearer {world.seed.api_key}"}
        until(lambda: world.client.get(f"/v1/models/{ALIAS}", headers=headers).status_code == 200)
        yield upstream
        upstream.shutdown()
        thread.join()


def ask(world: World, **body: object) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.seed.api_key}"}
    return world.client.post("/v1/embeddings", json={"model": ALIAS, **body}, headers=headers)


def test_what_is_not_told_is_counted_here_and_shown(world: World, gemini: Upstream) -> None:
    """The client's usage, the charge and the count are one figure, marked as an estimate."""
    with openai.OpenAI(
        base_url=f"{world.url}/v1",
        api_key=world.seed.api_key,
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        raw = sdk.embeddings.with_raw_response.create(
            model=ALIAS, input=["a short text", "another one"], encoding_format="float", user="somebody"
        )
    answer = raw.parse()
    assert [one.embedding for one in answer.data] == [[0.5, 0.0], [0.5, 1.0]]
    charge = world.charge(raw.headers["x-request-id"])
    assert charge.usage_source == "estimated"
    assert answer.usage.prompt_tokens == charge.units.input == 5
    assert charge.charge_nano == 5 * 150
    assert raw.headers["x-tokenok-dropped"] == "user"
    path, body = gemini.asked[-1]
    assert path == "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    assert [one["content"]["parts"][0]["text"] for one in body["requests"]] == ["a short text", "another one"]


def test_what_this_dialect_cannot_say_is_refused_before_anything_is_sent(
    world: World, gemini: Upstream
) -> None:
    """Token ids: 400, and the hold came back without an attempt."""
    asked = len(gemini.asked)
    answer = ask(world, input=[1, 2, 3])
    refused(answer, 400, "unsupported_parameter")
    assert len(gemini.asked) == asked
    assert world.ending(answer.headers["x-request-id"]).attempts == ()
