"""Routes, prices and credentials as the hot path sees them."""

import traceback
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.catalogue import (
    change_deployment,
    change_provider,
    disable_deployment,
    disable_provider,
    enable_provider,
    point_alias,
    remove_alias,
    revoke_credential,
    rotate_credential,
)
from application.directory_routes import Routes
from application.directory_views import RouteView
from domain.catalogue.deployment import Deployment, DeploymentAdded
from domain.fact import SYSTEM
from domain.secret import Secret
from tests.application.directory_world import SECRET, World
from tests.fakes import NOON_US
from tests.histories import sample

SOON_US = NOON_US + 1_000_000


def found(world: World, alias: str = "acme/big") -> RouteView:
    view = world.follow().alias(alias)
    assert view is not None
    return view


def test_a_route_is_ready_to_use() -> None:
    """URL, header, model name, bounds and price need no more work."""
    world = World()
    deployment_id = world.serve()
    view = found(world)
    (one,) = view.deployments
    assert (one.deployment_id, one.provider, one.dialect, one.usage_dialect) == (
        deployment_id,
        "acme",
        "openai",
        "sandbox",
    )
    assert one.authorization == b"Bearer " + SECRET.encode()
    assert (one.chat_url.host, one.chat_url.port, one.chat_url.target) == (
        "127.0.0.1",
        9000,
        b"/v1/chat/completions",
    )
    assert one.url(b"/embeddings").target == b"/v1/embeddings"
    assert (one.upstream_model, one.output_field, one.output_tokens_max) == ("big-1", "max_tokens", 100)
    assert one.timeouts.idle_ms == 5
    assert view.created_s == NOON_US // 1_000_000
    price = view.price_at(NOON_US)
    assert price is not None
    assert price.version == 1
    assert world.directory.price("acme/big", now_us=NOON_US) == price
    assert world.directory.alias("acme/big") is view


def test_a_name_that_leads_nowhere_is_none() -> None:
    """Never defined, removed, or pointing to what was removed; looking it up leaves nothing behind."""
    world = World()
    world.serve()
    point_alias.handle(
        point_alias.PointAlias(alias="latest", target="acme/big"), actor=SYSTEM, ports=world.ports
    )
    assert found(world, "latest").route == "acme/big"
    remove_alias.handle(remove_alias.RemoveAlias(alias="acme/big"), actor=SYSTEM, ports=world.ports)
    directory = world.follow()
    assert directory.alias("acme/big") is None
    assert directory.alias("latest") is None
    assert directory.alias("x" * 1000) is None
    assert directory.price("latest", now_us=NOON_US) is None


def test_a_pointer_takes_the_route_and_may_have_its_own_price() -> None:
    """Without one it costs what the route's own name costs."""
    world = World()
    world.serve()
    point_alias.handle(
        point_alias.PointAlias(alias="latest", target="acme/big"), actor=SYSTEM, ports=world.ports
    )
    assert found(world, "latest").price_at(NOON_US) == found(world).price_at(NOON_US)
    version = world.price("latest", "3", effective_from_us=SOON_US)
    view = found(world, "latest")
    before, after = view.price_at(NOON_US), view.price_at(SOON_US)
    assert before is not None
    assert after is not None
    assert (before.version, after.version) == (1, version)


def test_a_future_price_switches_by_itself_at_its_time() -> None:
    """The same view gives the old price until then; a correction now does not end the announced one."""
    world = World()
    world.serve()
    later = world.price("acme/big", "9", effective_from_us=SOON_US)
    correction = world.price("acme/big", "3")
    view = found(world)
    versions = []
    for now_us in (NOON_US - 1, NOON_US, SOON_US - 1, SOON_US):
        price = view.price_at(now_us)
        versions.append(None if price is None else price.version)
    assert versions == [None, correction, correction, later]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=6),
    st.integers(-1, 6),
)
def test_the_price_in_force_started_last_and_is_the_newest_of_its_start(starts: list[int], at: int) -> None:
    """Against the definition, for any order of publications."""
    world = World()
    world.serve()
    for start in starts:
        world.price("acme/big", "2", effective_from_us=NOON_US + 10 + start)
    price = found(world).price_at(NOON_US + 10 + at)
    started = [(start, version) for version, start in enumerate(starts, 2) if start <= at]
    assert price is not None
    assert price.version == (max(started)[1] if started else 1)


def test_without_a_price_there_is_none() -> None:
    """And so the model is not listed."""
    world = World()
    provider_id = world.provider()
    world.route("acme/free", world.deployment(provider_id))
    assert found(world, "acme/free").price_at(NOON_US) is None
    assert world.directory.models(now_us=NOON_US) == []


def test_models_are_those_that_can_be_called() -> None:
    """With a price in force and a usable deployment, in the order of names, and only what the caller may use."""
    world = World()
    deployment_id = world.serve("b/two")
    world.route("a-one", deployment_id)
    world.price("a-one", "1", effective_from_us=SOON_US)
    key = world.key(world.account(), models=("a-one",))
    directory = world.follow()
    assert [model.id for model in directory.models(now_us=NOON_US)] == ["b/two"]
    assert [model.id for model in directory.models(now_us=SOON_US)] == ["a-one", "b/two"]
    assert directory.models(now_us=SOON_US)[0].owned_by == "acme"
    caller = directory.authenticate(key.secret.reveal().encode(), now_us=NOON_US)
    assert [model.id for model in directory.models(now_us=SOON_US, caller=caller)] == ["a-one"]
    disable_deployment.handle(
        disable_deployment.DisableDeployment(deployment_id=deployment_id, reason="x"),
        actor=SYSTEM,
        ports=world.ports,
    )
    assert world.follow().models(now_us=SOON_US) == []


def test_a_moved_provider_never_gets_the_secret() -> None:
    """Its deployments are passed over until the secret is entered for the new host; moving back finds it valid."""
    world = World()
    provider_id = world.provider()
    credential_id = world.credential(provider_id)
    world.route("acme/big", world.deployment(provider_id, credential_id))
    credential = world.follow().credentials[credential_id]
    assert not world.directory.needs_reentry(credential)

    def move(base_url: str) -> None:
        command = change_provider.ChangeProvider(
            provider_id=provider_id, base_url=base_url, usage_dialect="openai"
        )
        change_provider.handle(command, actor=SYSTEM, ports=world.ports)

    assert found(world).deployments[0].authorization is not None
    move("http://127.0.0.2:9000/v1")
    assert found(world).deployments == ()
    assert world.directory.needs_reentry(credential)
    move("http://127.0.0.1:9000/v2")
    assert found(world).deployments[0].chat_url.target == b"/v2/chat/completions"
    move("http://127.0.0.2:9000/v1")
    rotate_credential.handle(
        rotate_credential.RotateCredential(credential_id=credential_id, secret=Secret("again")),
        actor=SYSTEM,
        ports=world.ports,
    )
    for recorded in world.store.read_control(after_position=world.directory.position, limit=100):
        world.directory.apply(recorded)
    view = world.directory.alias("acme/big")
    assert view is not None
    assert view.deployments == (), "the old secret is not sent while the new one is still being opened"
    assert found(world).deployments[0].authorization == b"Bearer again"


def test_a_rotated_secret_takes_over_without_a_gap() -> None:
    """Until the new one is opened the old one serves; an opened secret of an older version is not taken."""
    world = World()
    provider_id = world.provider()
    credential_id = world.credential(provider_id)
    world.route("acme/big", world.deployment(provider_id, credential_id))
    for recorded in world.store.log:
        world.directory.apply(recorded)
    (first,) = world.directory.missing_secrets()
    world.directory.put_secret(first, world.vault.open(first))
    rotate_credential.handle(
        rotate_credential.RotateCredential(credential_id=credential_id, secret=Secret("new")),
        actor=SYSTEM,
        ports=world.ports,
    )
    for recorded in world.store.read_control(after_position=world.directory.position, limit=100):
        world.directory.apply(recorded)
    view = world.directory.alias("acme/big")
    assert view is not None
    assert view.deployments[0].authorization == b"Bearer " + SECRET.encode()
    assert found(world).deployments[0].authorization == b"Bearer new"
    world.directory.put_secret(first, Secret("stale"))
    view = world.directory.alias("acme/big")
    assert view is not None
    assert view.deployments[0].authorization == b"Bearer new"


def test_a_revoked_credential_is_used_no_more() -> None:
    """At once, and it is not looked for in the vault."""
    world = World()
    provider_id = world.provider()
    credential_id = world.credential(provider_id)
    world.route("acme/big", world.deployment(provider_id, credential_id))
    assert found(world).deployments
    revoke_credential.handle(
        revoke_credential.RevokeCredential(credential_id=credential_id, reason="x"),
        actor=SYSTEM,
        ports=world.ports,
    )
    assert found(world).deployments == ()
    assert world.directory.missing_secrets() == []


def test_a_disabled_provider_is_passed_over_until_enabled() -> None:
    """All its deployments are."""
    world = World()
    world.serve()
    (provider_id,) = world.follow().providers
    disable_provider.handle(
        disable_provider.DisableProvider(provider_id=provider_id, reason="x"),
        actor=SYSTEM,
        ports=world.ports,
    )
    assert found(world).deployments == ()
    enable_provider.handle(
        enable_provider.EnableProvider(provider_id=provider_id), actor=SYSTEM, ports=world.ports
    )
    assert len(found(world).deployments) == 1


def test_a_change_of_a_deployment_is_seen() -> None:
    """The next look-up gives the new settings; open requests keep the view that they started with."""
    world = World()
    deployment_id = world.serve()
    before = found(world)
    command = change_deployment.ChangeDeployment(
        deployment_id=deployment_id, upstream_model="big-2", context_tokens=9, output_tokens_max=3
    )
    change_deployment.handle(command, actor=SYSTEM, ports=world.ports)
    (after,) = found(world).deployments
    assert (after.upstream_model, after.authorization) == ("big-2", None)
    assert before.deployments[0].upstream_model == "big-1"


def test_no_view_shows_a_secret() -> None:
    """Not in a repr, not in a traceback, not by rich."""
    world = World()
    world.serve()
    view = found(world)
    shown = f"{view!r} {view.deployments!r} {view.deployments[0].__rich_repr__()} {vars(world)!r}"
    assert SECRET not in shown
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"route": view}, dict[str, int])
    assert SECRET not in "".join(traceback.format_exception(caught.value))


class _Looked(dict[UUID, Deployment]):
    """Counts how often all of it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def values(self) -> Any:
        self.times += 1
        return super().values()


def test_deployments_are_not_looked_at_while_nothing_changes() -> None:
    """A follower asks twice a second which secrets are missing; only a fact about deployments or credentials is looked into."""
    routes, deployments = Routes(), _Looked()
    routes.deployments = deployments
    for number in range(1, 3):
        routes.on_deployment(sample(DeploymentAdded, deployment_id=UUID(int=number)))
        for _ in range(3):
            assert routes.missing_secrets() == []
        assert deployments.times == number
