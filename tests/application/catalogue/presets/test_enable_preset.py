"""Enabling a preset: pick one, paste a key, done; again, and nothing happens."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from application.catalogue import (
    change_deployment,
    change_provider,
    point_alias,
    publish_prices,
    register_provider,
    remove_alias,
    revoke_credential,
    set_route,
)
from application.catalogue.enable_preset import EnablePreset, handle
from application.catalogue.presets.enabling import Enabled
from application.catalogue.presets.library import read_preset
from application.catalogue.streams import load_credential, load_deployment, load_provider
from application.command import Ports, load
from application.eventlog import LogUnavailable, NewEvent, RecordedEvent
from application.vault import SecretRef
from domain.catalogue import alias as alias_rules
from domain.catalogue.alias import NO_ALIAS, Alias, RouteTarget, alias_stream
from domain.catalogue.credential import SecretRefused
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished, PriceText
from domain.fact import SYSTEM
from domain.health.probe import ProbeOutcome
from domain.operators import PERMISSIONS
from domain.pricing import Price
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from domain.secret import Secret
from tests.fakes import FakeProbe, ManualClock, MemoryEventStore, MemoryVault, memory_ports

CANARY = "sk-canary-0123456789"
ONE = PriceText(input="1", cached_input="1", cache_write="1", output="1", request="0")
NOVEMBER_24_US = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()) * 1_000_000
DECEMBER_1_US = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture
def ports() -> Ports:
    made = memory_ports(allowlist="")
    assert isinstance(made.clock, ManualClock)
    made.clock.us = NOVEMBER_24_US
    return made


def enable(ports: Ports, preset: str = "openai", **changes: Any) -> Enabled:
    command = EnablePreset(preset=preset, secret=Secret(CANARY), **changes)
    return handle(command, actor=SYSTEM, ports=ports)


def log(ports: Ports) -> list[RecordedEvent]:
    assert isinstance(ports.store, MemoryEventStore)
    return ports.store.log


def published(ports: Ports) -> list[PriceListPublished]:
    return [
        msgspec.json.decode(one.state, type=PriceListPublished)
        for one in ports.store.read_stream(PRICE_LIST_STREAM)
    ]


def price_in_list(ports: Ports, alias: str) -> Price:
    """Of the first publication that has it."""
    return next(event.entries[alias] for event in published(ports) if alias in event.entries)


def route(ports: Ports, alias: str) -> Alias:
    return load(ports.store, alias_stream(alias), NO_ALIAS, alias_rules.evolve)


def test_a_key_is_all_it_takes(ports: Ports) -> None:
    """The models with roles are deployed, priced and routed, under their own names."""
    enabled = enable(ports)
    assert (enabled.provider, enabled.credential) == ("registered", "stored")
    assert {one.model for one in enabled.models} == set(read_preset("openai").roles.values())
    assert {(one.deployment, one.price, one.route) for one in enabled.models} == {
        ("added", "published", "set")
    }
    provider = load_provider(ports.store, enabled.provider_id)
    assert (provider.name, provider.base_url) == ("openai", "https://api.openai.com/v1")
    for one in enabled.models:
        deployment = load_deployment(ports.store, one.deployment_id)
        assert deployment is not None
        assert deployment.spec.credential_id == enabled.credential_id
        assert deployment.spec.upstream_model == one.model == one.alias
        assert deployment.spec.detail.cost == price_in_list(ports, one.alias)
        assert route(ports, one.alias).targets == (RouteTarget(deployment_id=one.deployment_id),)
    assert enabled.position == log(ports)[-1].position


def test_the_provider_is_asked_before_anything_is_written(ports: Ports) -> None:
    """With the key that was pasted, at the provider's own address."""
    enabled = enable(ports)
    assert probe_of(ports).asked == [("api.openai.com", f"Bearer {CANARY}".encode())]
    assert enabled.probe is not None
    assert (enabled.probe.works, enabled.probe.credential_id) == (True, enabled.credential_id)


def test_a_proxy_of_one_s_own_may_answer_in_the_provider_s_stead(ports: Ports) -> None:
    """It is what is asked and where the secret goes; models and prices are the preset's. Without it the provider is elsewhere."""
    proxied = enable(ports, base_url="https://proxy.example.com/openai/v1/")
    assert probe_of(ports).asked == [("proxy.example.com", f"Bearer {CANARY}".encode())]
    provider = load_provider(ports.store, proxied.provider_id)
    assert (provider.name, provider.base_url) == ("openai", "https://proxy.example.com/openai/v1")
    assert {one.model for one in proxied.models} == set(read_preset("openai").roles.values())
    with pytest.raises(AlreadyExists):
        enable(ports)


@pytest.mark.parametrize("status", [400, 401])
def test_a_key_that_the_provider_does_not_know_is_not_kept(ports: Ports, status: int) -> None:
    """Some say 400. The right key can be pasted right after, since nothing was stored."""
    probe_of(ports).says = "auth", status
    with pytest.raises(SecretRefused) as refusal:
        enable(ports)
    assert CANARY not in str(refusal.value)
    assert log(ports) == []


@pytest.mark.parametrize(
    ("outcome", "status"), [("unreachable", 0), ("auth", 403), ("funds", 402), ("unexpected", 404)]
)
def test_whatever_else_the_probe_says_is_told_and_keeps_nobody_from_going_on(
    ports: Ports, outcome: ProbeOutcome, status: int
) -> None:
    """A machine without a network, a key that may not list models, an empty account."""
    probe_of(ports).says = outcome, status
    enabled = enable(ports)
    assert enabled.credential == "stored"
    assert enabled.probe is not None
    assert (enabled.probe.works, enabled.probe.outcome, enabled.probe.status) == (False, outcome, status)


def test_a_second_run_asks_with_the_key_that_is_kept(ports: Ports) -> None:
    """The other one is not used, and what the provider says of the kept one is no reason to refuse."""
    enable(ports)
    probe_of(ports).says = "auth", 401
    again = handle(EnablePreset(preset="openai", secret=Secret("sk-other")), actor=SYSTEM, ports=ports)
    assert probe_of(ports).asked[-1] == ("api.openai.com", f"Bearer {CANARY}".encode())
    assert again.probe is not None
    assert "refuses" in again.probe.words


def test_nobody_is_asked_if_that_is_not_wanted(ports: Ports) -> None:
    """Where nothing may leave the machine."""
    assert enable(ports, probe=False).probe is None
    assert probe_of(ports).asked == []


def probe_of(ports: Ports) -> FakeProbe:
    assert isinstance(ports.probe, FakeProbe)
    return ports.probe


def test_the_second_time_there_is_nothing_to_do(ports: Ports) -> None:
    """Also with another key: a credential is rotated by its own command."""
    first = enable(ports)
    before = log(ports)
    second = handle(EnablePreset(preset="openai", secret=Secret("sk-other")), actor=SYSTEM, ports=ports)
    assert log(ports) == before
    assert (second.provider, second.credential, second.position) == ("kept", "kept", None)
    assert {(one.deployment, one.price, one.route) for one in second.models} == {("kept", "kept", "kept")}
    assert [one.deployment_id for one in second.models] == [one.deployment_id for one in first.models]


class BreakingStore(MemoryEventStore):
    """Goes away at the append with this number, counted from 0, before it is stored."""

    def __init__(self, breaks_at: int) -> None:
        super().__init__()
        self._appends_left = breaks_at

    def append(self, events: Sequence[NewEvent]) -> int:
        self._appends_left -= 1
        if self._appends_left == -1:
            raise LogUnavailable("the log is down")
        return super().append(events)


def test_whatever_a_crash_leaves_the_next_run_mends() -> None:
    """Wherever it happens, both runs together write what one would have; only the secret's version may be a later one."""

    def facts(ports: Ports) -> set[tuple[Any, ...]]:
        return {
            (one.stream_id, one.version, one.topic, b"" if one.topic == "credential.stored.v1" else one.state)
            for one in log(ports)
        }

    undisturbed = memory_ports()
    enable(undisturbed, "gemini")
    appends = len(log(undisturbed)) - 1  # two price lists are one append
    for breaks_at in range(appends):
        broken = msgspec.structs.replace(memory_ports(), store=BreakingStore(breaks_at))
        with pytest.raises(LogUnavailable):
            enable(broken, "gemini")
        assert len(log(broken)) < len(log(undisturbed))
        enable(broken, "gemini")
        assert facts(broken) == facts(undisturbed), breaks_at


def test_the_key_is_in_the_vault_and_nowhere_else(ports: Ports) -> None:
    """Not in an event, not in what the command or its result look like."""
    enabled = enable(ports)
    ref = SecretRef(provider_id=enabled.provider_id, credential_id=enabled.credential_id, secret_version=1)
    assert ports.vault.open(ref).reveal() == CANARY
    assert all(CANARY.encode() not in one.state for one in log(ports))
    assert CANARY not in repr(enabled) + repr(EnablePreset(preset="openai", secret=Secret(CANARY)))


def test_a_price_that_an_operator_set_stays(ports: Ports) -> None:
    """Whether it was there before, or was published over that of the preset."""
    operators = publish_prices.PublishPrices(entries={"gpt-6-luna": ONE}, note="ours")
    publish_prices.handle(operators, actor=SYSTEM, ports=ports)
    enabled = enable(ports)
    assert {one.alias: one.price for one in enabled.models}["gpt-6-luna"] == "kept"
    assert [("gpt-6-luna" in event.entries) for event in published(ports)] == [True, False]
    again = publish_prices.PublishPrices(entries={"gpt-6-astra": ONE}, note="ours")
    publish_prices.handle(again, actor=SYSTEM, ports=ports)
    enable(ports)
    assert len(published(ports)) == 3


def test_a_price_that_comes_in_between_stays(ports: Ports) -> None:
    """An operator publishes while the command is deciding: it decides again."""
    enabled = enable(ports, model_ids=("gpt-6-luna",))
    operators = publish_prices.PublishPrices(entries={"gpt-6-astra": ONE}, note="ours")
    store = ports.store
    assert isinstance(store, MemoryEventStore)

    class Racing(MemoryEventStore):
        raced = False

        def append(self, events: Sequence[NewEvent]) -> int:
            if events[0].stream_id == PRICE_LIST_STREAM and not self.raced:
                self.raced = True
                publish_prices.handle(operators, actor=SYSTEM, ports=ports)
            return store.append(events)

        read_stream = staticmethod(store.read_stream)  # the same log

    racing = Racing()
    enabled = enable(msgspec.structs.replace(ports, store=racing))
    assert racing.raced
    assert {one.alias: one.price for one in enabled.models}["gpt-6-astra"] == "kept"
    assert sum("gpt-6-astra" in event.entries for event in published(ports)) == 1


def test_a_route_or_pointer_that_an_operator_set_stays(ports: Ports) -> None:
    """And such an alias gets no price of ours: a pointer has that of its target."""
    first = enable(ports, alias_prefix="openai/", model_ids=("gpt-6-luna",)).models[0]
    elsewhere = set_route.SetRoute(
        alias="gpt-6-luna", targets=(set_route.Target(deployment_id=first.deployment_id),)
    )
    point = point_alias.PointAlias(alias="gpt-6-astra", target="openai/gpt-6-luna")
    other = set_route.SetRoute(
        alias="gpt-6.1-sol", targets=(set_route.Target(deployment_id=first.deployment_id),)
    )
    set_route.handle(elsewhere, actor=SYSTEM, ports=ports)
    set_route.handle(other, actor=SYSTEM, ports=ports)
    point_alias.handle(point, actor=SYSTEM, ports=ports)
    found = {one.alias: one for one in enable(ports).models}
    assert (found["gpt-6-astra"].route, found["gpt-6-astra"].price) == ("kept", "unpriced")
    assert (found["gpt-6.1-sol"].route, found["gpt-6.1-sol"].price) == ("kept", "unpriced")
    # This one leads to the preset's own deployment already, and may have its price.
    assert (found["gpt-6-luna"].route, found["gpt-6-luna"].price) == ("kept", "published")
    assert route(ports, "gpt-6-astra").points_to == "openai/gpt-6-luna"


def test_a_deployment_that_an_operator_changed_stays(ports: Ports) -> None:
    """Its settings are the operator's from then on; so is where an alias that was removed leads, until this is run."""
    one = enable(ports).models[0]
    command = change_deployment.ChangeDeployment(
        deployment_id=one.deployment_id, upstream_model="mine", context_tokens=9, output_tokens_max=9
    )
    change_deployment.handle(command, actor=SYSTEM, ports=ports)
    remove_alias.handle(remove_alias.RemoveAlias(alias=one.alias), actor=SYSTEM, ports=ports)
    again = enable(ports).models[0]
    assert (again.deployment, again.route) == ("kept", "set")
    deployment = load_deployment(ports.store, one.deployment_id)
    assert deployment is not None
    assert deployment.spec.upstream_model == "mine"


def test_an_announced_price_is_published_for_its_day(ports: Ports) -> None:
    """Together with that of today, so that no crash is between them; on the day it is the only one."""
    enable(ports, "gemini", model_ids=("gemini-4-argon",))
    now, december = published(ports)
    assert (now.effective_from_us, december.effective_from_us) == (NOVEMBER_24_US, DECEMBER_1_US)
    assert now.entries["gemini-4-argon"].output_nano_per_million == 10 * 10**9
    assert december.entries["gemini-4-argon"].output_nano_per_million == 20 * 10**9
    later = memory_ports()
    assert isinstance(later.clock, ManualClock)
    later.clock.us = DECEMBER_1_US
    enable(later, "gemini", model_ids=("gemini-4-argon",))
    (only,) = published(later)
    assert only.entries["gemini-4-argon"].output_nano_per_million == 20 * 10**9


def test_credits_markup_and_region_make_the_price(ports: Ports) -> None:
    """The markup stands in the price list, the rate and the region's factor in the amounts; cost has no markup."""
    enabled = enable(
        ports, region="eu", model_ids=("gpt-6-luna",), credits_per_usd="7.2", markup_ppm=1_200_000
    )
    (event,) = published(ports)
    assert event.markup_ppm == 1_200_000
    assert event.entries["gpt-6-luna"].input_nano_per_million == 792_000_000  # 0.1 x 7.2 x 1.1
    assert event.note == "preset openai of 2026-11-24, 7.2 credits per USD"
    deployment = load_deployment(ports.store, enabled.models[0].deployment_id)
    assert deployment is not None
    assert deployment.spec.detail.cost == event.entries["gpt-6-luna"]
    provider = load_provider(ports.store, enabled.provider_id)
    assert (provider.name, provider.base_url) == ("openai-eu", "https://eu.api.openai.com/v1")


def test_another_dialect_of_the_provider(ports: Ports) -> None:
    """A second provider here, asked for messages; traits of the first dialect are not those of this one."""
    first, second = (
        enable(ports, "deepseek"),
        enable(ports, "deepseek", dialect="anthropic", alias_prefix="a/"),
    )
    provider = load_provider(ports.store, second.provider_id)
    assert (provider.name, provider.dialect, provider.usage_dialect) == (
        "deepseek-anthropic",
        "anthropic",
        "anthropic",
    )
    specs = [load_deployment(ports.store, one.models[0].deployment_id) for one in (first, second)]
    assert [spec.spec.detail.serves for spec in specs if spec] == [("chat",), ("messages",)]
    assert [spec.spec.detail.traits for spec in specs if spec] == [("reasoning_content",), ()]


def test_traits_are_told_only_in_the_dialect_whose_words_they_are(ports: Ports) -> None:
    """Gemini's are of its own dialect: asked in that of OpenAI, the same model has none."""
    native = enable(ports, "gemini", model_ids=("gemini-4-argon",))
    compatible = enable(ports, "gemini", model_ids=("gemini-4-argon",), dialect="openai", alias_prefix="c/")
    found = [load_deployment(ports.store, one.models[0].deployment_id) for one in (native, compatible)]
    traits = [one.spec.detail.traits for one in found if one]
    assert "thinking_level" in traits[0]
    assert traits[1] == ()


@pytest.mark.parametrize("preset", ["alibaba", "anthropic", "gemini", "mistral", "openai", "xai"])
def test_every_model_of_a_preset_can_be_enabled(ports: Ports, preset: str) -> None:
    """Behind each of its dialects; what has no price is deployed, and refused until it has one."""
    data = read_preset(preset)
    for number, endpoint in enumerate(data.endpoints):
        served = tuple(one.id for one in data.models if set(one.operations) & set(endpoint.operations))
        enabled = enable(
            ports, preset, dialect=endpoint.dialect, model_ids=served, alias_prefix=f"{preset}/{number}/"
        )
        assert {one.model for one in enabled.models} == set(served)
        unpriced = {one.model for one in enabled.models if one.price == "unpriced"}
        assert unpriced == {one.id for one in data.models if one.id in served and not one.prices}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"region": "moon"}, "region"),
        ({"base_url": "https://10.0.0.7/v1"}, "base_url"),
        ({"base_url": "http://proxy.example.com/v1"}, "base_url"),
        ({"dialect": "gemini"}, "dialect"),
        ({"model_ids": ("gpt-6-luna", "nothing")}, "model_ids"),
        ({"alias_prefix": "two words/"}, "alias"),
        ({"credits_per_usd": "0"}, "credits_per_usd"),
        ({"credits_per_usd": "900000"}, "cost.gpt-6-luna.search"),
        ({"markup_ppm": 0}, "markup_ppm"),
        ({"provider_name": "Two Words"}, "name"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_done(
    ports: Ports, changes: dict[str, Any], field: str
) -> None:
    """By the field's name; neither the log nor the vault has changed."""
    with pytest.raises(BadField) as caught:
        enable(ports, **({"model_ids": ("gpt-6-luna",)} | changes))
    assert caught.value.field == field
    assert isinstance(ports.vault, MemoryVault)
    assert (log(ports), ports.vault.secrets) == ([], {})


def test_a_key_that_cannot_stand_in_a_header_is_refused_first(ports: Ports) -> None:
    """And so is a preset that there is not."""
    with pytest.raises(BadField):
        handle(EnablePreset(preset="openai", secret=Secret("a\r\nb")), actor=SYSTEM, ports=ports)
    with pytest.raises(NotFound):
        enable(ports, "acme")
    assert log(ports) == []


def test_a_key_goes_to_no_other_place_than_the_preset_s(ports: Ports) -> None:
    """A provider of that name that is elsewhere keeps its name; there may be another beside it."""
    command = register_provider.RegisterProvider(name="openai", base_url="https://elsewhere.example/v1")
    register_provider.handle(command, actor=SYSTEM, ports=ports)
    before = log(ports)
    with pytest.raises(AlreadyExists):
        enable(ports)
    assert log(ports) == before
    assert enable(ports, provider_name="openai-2").provider == "registered"


def test_terms_that_an_operator_noted_stay(ports: Ports) -> None:
    """The place and the dialect are what must be the preset's."""
    provider_id = enable(ports).provider_id
    command = change_provider.ChangeProvider(
        provider_id=provider_id,
        base_url="https://api.openai.com/v1",
        usage_dialect="openai",
        retention_days=30,
    )
    change_provider.handle(command, actor=SYSTEM, ports=ports)
    assert enable(ports).provider == "kept"
    assert load_provider(ports.store, provider_id).data_terms.retention_days == 30


def test_a_revoked_credential_does_not_come_back(ports: Ports) -> None:
    """The command says so before it writes; under another name there is a new one."""
    credential_id = enable(ports).credential_id
    command = revoke_credential.RevokeCredential(credential_id=credential_id, reason="leaked")
    revoke_credential.handle(command, actor=SYSTEM, ports=ports)
    before = log(ports)
    with pytest.raises(WrongState):
        enable(ports)
    assert log(ports) == before
    credential = load_credential(ports.store, enable(ports, provider_name="openai-2").credential_id)
    assert credential is not None
    assert not credential.revoked


def test_who_may_change_the_catalogue_may_set_prices() -> None:
    """The command does both and asks for one permission."""
    assert all("prices" in allowed for allowed in PERMISSIONS.values() if "catalogue" in allowed)
