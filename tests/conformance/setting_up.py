"""Models to ask for, by the operators' commands, and the ledger's facts about the requests for them."""

from collections.abc import Mapping
from uuid import UUID

from adapters.eventstore.store import PostgresEventStore
from application.catalogue import add_deployment, publish_prices, register_provider, set_route
from domain.catalogue.deployment_spec import Operation
from domain.catalogue.prices import PriceText
from domain.catalogue.provider import Dialect, UsageDialect, provider_id_of
from domain.event import Event
from domain.fact import SYSTEM
from tests.api.v1.gateway_world import TOPICS, World
from tests.waiting import until

BATCH_EVENTS = 5_000
PASSES = (
    "file_id",
    "container",
    "audio.id",
    "modalities",
    "preset",
    "prompt_cache_options",
    "service_tier",
    "transforms",
    "web_search_options",
)
"""What recorded requests have of the members that cost extra: the operator of these models has priced them in."""


def add_provider(
    world: World,
    name: str,
    *,
    base_url: str,
    usage_dialect: UsageDialect = "openai",
    dialect: Dialect = "openai",
) -> UUID:
    """A provider without a credential."""
    command = register_provider.RegisterProvider(
        name=name,
        base_url=base_url,
        dialect=dialect,
        usage_dialect=usage_dialect,
        trains_on_data=False,
        retention_days=0,
    )
    return register_provider.handle(command, actor=SYSTEM, ports=world.ports).id


def add_model(
    world: World,
    alias: str,
    *,
    provider: str,
    upstream_model: str,
    context_tokens: int = 1_000_000,
    output_tokens_max: int = 32_768,
    passes: tuple[str, ...] = PASSES,
    serves: tuple[Operation, ...] = ("chat",),
) -> None:
    """An alias with one deployment; it is served once `publish` has priced it."""
    command = add_deployment.AddDeployment(
        provider_id=provider_id_of(provider),
        upstream_model=upstream_model,
        context_tokens=context_tokens,
        output_tokens_max=output_tokens_max,
        passes=passes,
        serves=serves,
    )
    deployment_id = add_deployment.handle(command, actor=SYSTEM, ports=world.ports).id
    target = set_route.Target(deployment_id=deployment_id)
    set_route.handle(set_route.SetRoute(alias=alias, targets=(target,)), actor=SYSTEM, ports=world.ports)


def publish(world: World, prices: Mapping[str, PriceText], *, key: str) -> None:
    """Price the aliases, and wait until the gateway lists them for this key."""
    command = publish_prices.PublishPrices(entries=dict(prices), note="conformance")
    publish_prices.handle(command, actor=SYSTEM, ports=world.ports)
    until(lambda: set(prices) <= _listed(world, key))


def _listed(world: World, key: str) -> set[str]:
    answer = world.client.get("/v1/models", headers={"authorization": f"Bearer {key}"})
    return {model["id"] for model in answer.json()["data"]}


def lease_facts(world: World) -> list[Event]:
    """Everything that all leases say, in the order of the log."""
    facts: list[Event] = []
    store = PostgresEventStore(world.settings.database_url)
    try:
        position = 0
        while batch := store.read_log(after_position=position, limit=BATCH_EVENTS):
            facts += [TOPICS.decode(one.topic, one.state) for one in batch if one.topic.startswith("lease.")]
            position = batch[-1].position
    finally:
        store.close()
    return facts
