"""One gateway and one scripted upstream for all of this folder: tests share them, not what they ask for."""

import base64
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from application.catalogue import add_deployment, register_provider, set_route
from demo_seed import PRICE
from domain.fact import SYSTEM
from tests.api.v1.gateway_world import World, running_world
from tests.clients.aliases import ALIASES, Alias
from tests.clients.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.conformance.setting_up import publish


@pytest.fixture(scope="session")
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as server:
        yield server


@pytest.fixture(scope="session")
def world(
    upstream: ScriptedUpstream, postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    head, question, query = postgres_url.partition("?")
    environment = {
        "DATABASE_URL": f"{head[: head.rindex('/')]}/{name}{question}{query}",
        "REDIS_URL": redis_url,
        "TOKENOK_MASTER_KEY": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "ALLOW_PRIVATE_UPSTREAMS": "127.0.0.1",
        "DRAIN_S": "0.5",  # how long a client that left is read on for
    }
    with running_world(environment, tmp_path_factory.mktemp("clients")) as running:
        for one in ALIASES:
            _add(running, one, upstream.origin)
        publish(running, {one.name: PRICE for one in ALIASES}, key=running.seed.api_key)
        yield running
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _add(world: World, one: Alias, origin: str) -> None:
    provider = register_provider.RegisterProvider(
        name=one.provider,
        base_url=origin + one.path,
        dialect=one.dialect,
        usage_dialect="openai",
        trains_on_data=False,
        retention_days=0,
    )
    provider_id = register_provider.handle(provider, actor=SYSTEM, ports=world.ports).id
    deployment = add_deployment.AddDeployment(
        provider_id=provider_id,
        upstream_model="scripted-model",
        context_tokens=128_000,
        output_tokens_max=4_096,
        serves=(one.serves,),
        traits=one.traits,
    )
    deployment_id = add_deployment.handle(deployment, actor=SYSTEM, ports=world.ports).id
    target = set_route.Target(deployment_id=deployment_id)
    set_route.handle(set_route.SetRoute(alias=one.name, targets=(target,)), actor=SYSTEM, ports=world.ports)
