"""Commands about providers, credentials, deployments, routes and prices."""

from uuid import UUID

import msgspec
import pytest

from application.catalogue import (
    add_deployment,
    change_deployment,
    change_provider,
    disable_deployment,
    disable_provider,
    enable_deployment,
    enable_provider,
    point_alias,
    publish_prices,
    register_provider,
    remove_alias,
    revoke_credential,
    rotate_credential,
    set_route,
    store_credential,
)
from application.catalogue.streams import load_credential, load_deployment, load_provider
from application.command import Ports, load
from application.vault import SecretMissing, SecretRef
from domain.catalogue import alias as alias_rules
from domain.catalogue.alias import NO_ALIAS, RouteTarget, alias_stream
from domain.catalogue.prices import PriceText
from domain.fact import SYSTEM, Actor
from domain.refusal import AlreadyExists, BadField, NotFound
from domain.secret import Secret
from tests.fakes import MemoryEventStore, MemoryVault, memory_ports

CANARY = "sk-canary-0123456789"
FREE = PriceText(input="0", cached_input="0", cache_write="0", output="0", request="0")


def provider(ports: Ports) -> UUID:
    command = register_provider.RegisterProvider(name="acme", base_url="http://127.0.0.1:9000/v1")
    return register_provider.handle(command, actor=SYSTEM, ports=ports).id


def credential(ports: Ports, provider_id: UUID, credential_id: UUID | None = None) -> UUID:
    command = store_credential.StoreCredential(
        provider_id=provider_id, secret=Secret(CANARY), credential_id=credential_id
    )
    return store_credential.handle(command, actor=SYSTEM, ports=ports).id


def deployment(ports: Ports, provider_id: UUID, credential_id: UUID | None) -> UUID:
    command = add_deployment.AddDeployment(
        provider_id=provider_id,
        credential_id=credential_id,
        upstream_model="big-1",
        context_tokens=1000,
        output_tokens_max=100,
    )
    return add_deployment.handle(command, actor=SYSTEM, ports=ports).id


def route(ports: Ports, alias: str, *deployment_ids: UUID) -> None:
    command = set_route.SetRoute(
        alias=alias, targets=tuple(set_route.Target(deployment_id=one) for one in deployment_ids)
    )
    set_route.handle(command, actor=SYSTEM, ports=ports)


def test_a_secret_is_in_the_vault_and_nowhere_else() -> None:
    """The log knows a version and a fingerprint; what is left out of a command's repr is the secret."""
    ports = memory_ports()
    provider_id = provider(ports)
    credential_id = credential(ports, provider_id)
    ref = SecretRef(provider_id=provider_id, credential_id=credential_id, secret_version=1)
    assert ports.vault.open(ref).reveal() == CANARY
    assert isinstance(ports.store, MemoryEventStore)
    assert all(CANARY.encode() not in one.state for one in ports.store.log)
    command = store_credential.StoreCredential(provider_id=provider_id, secret=Secret(CANARY))
    assert CANARY not in repr(command)


def test_a_refused_secret_is_not_sealed() -> None:
    """A bad header value, an unknown provider, and a used id are refused before the vault is asked."""
    ports = memory_ports()
    provider_id = provider(ports)
    credential_id = credential(ports, provider_id)
    assert isinstance(ports.vault, MemoryVault)
    before = dict(ports.vault.secrets)
    bad = store_credential.StoreCredential(provider_id=provider_id, secret=Secret("a\r\nb"))
    with pytest.raises(BadField):
        store_credential.handle(bad, actor=SYSTEM, ports=ports)
    with pytest.raises(NotFound):
        credential(ports, UUID(int=99))
    with pytest.raises(AlreadyExists):
        credential(ports, provider_id, credential_id)
    assert ports.vault.secrets == before


def test_rotation_keeps_the_secret_before_and_revocation_keeps_none() -> None:
    """A gateway that is a moment behind still finds what it looks for; what is revoked is gone."""
    ports = memory_ports()
    provider_id = provider(ports)
    credential_id = credential(ports, provider_id)
    for number in (2, 3):
        rotate_credential.handle(
            rotate_credential.RotateCredential(credential_id=credential_id, secret=Secret(f"new-{number}")),
            actor=SYSTEM,
            ports=ports,
        )
    refs = [
        SecretRef(provider_id=provider_id, credential_id=credential_id, secret_version=version)
        for version in (1, 2, 3)
    ]
    with pytest.raises(SecretMissing):
        ports.vault.open(refs[0])
    assert [ports.vault.open(ref).reveal() for ref in refs[1:]] == ["new-2", "new-3"]
    known = load_credential(ports.store, credential_id)
    assert known is not None
    assert known.secret_version == 3
    revoke_credential.handle(
        revoke_credential.RevokeCredential(credential_id=credential_id, reason="x"),
        actor=SYSTEM,
        ports=ports,
    )
    with pytest.raises(SecretMissing):
        ports.vault.open(refs[2])


def test_a_moved_provider_needs_its_secret_again() -> None:
    """Until then no deployment can be added with the old one."""
    ports = memory_ports()
    provider_id = provider(ports)
    credential_id = credential(ports, provider_id)
    change_provider.handle(
        change_provider.ChangeProvider(
            provider_id=provider_id, base_url="https://other.example/v1", usage_dialect="openai"
        ),
        actor=SYSTEM,
        ports=ports,
    )
    with pytest.raises(NotFound):
        deployment(ports, provider_id, credential_id)
    rotate_credential.handle(
        rotate_credential.RotateCredential(credential_id=credential_id, secret=Secret(CANARY)),
        actor=SYSTEM,
        ports=ports,
    )
    assert load_deployment(ports.store, deployment(ports, provider_id, credential_id)) is not None


def test_a_provider_points_inside_only_by_the_allowlist() -> None:
    """Which is set by whoever runs the server, not by an operator."""
    with pytest.raises(BadField):
        provider(memory_ports(allowlist=""))


def test_providers_and_deployments_are_switched() -> None:
    """Off and on again, and changed."""
    ports = memory_ports()
    provider_id = provider(ports)
    deployment_id = deployment(ports, provider_id, None)
    disable_provider.handle(
        disable_provider.DisableProvider(provider_id=provider_id, reason="down"), actor=SYSTEM, ports=ports
    )
    disable_deployment.handle(
        disable_deployment.DisableDeployment(deployment_id=deployment_id, reason="slow"),
        actor=SYSTEM,
        ports=ports,
    )
    known = load_deployment(ports.store, deployment_id)
    assert known is not None
    assert known.disabled
    assert load_provider(ports.store, provider_id).disabled
    enable_provider.handle(enable_provider.EnableProvider(provider_id=provider_id), actor=SYSTEM, ports=ports)
    enable_deployment.handle(
        enable_deployment.EnableDeployment(deployment_id=deployment_id), actor=SYSTEM, ports=ports
    )
    change_deployment.handle(
        change_deployment.ChangeDeployment(
            deployment_id=deployment_id,
            credential_id=credential(ports, provider_id),
            upstream_model="big-2",
            context_tokens=10,
            output_tokens_max=5,
            total_ms=9,
        ),
        actor=SYSTEM,
        ports=ports,
    )
    changed = load_deployment(ports.store, deployment_id)
    assert changed is not None
    assert (changed.disabled, changed.spec.upstream_model, changed.spec.timeouts.total_ms) == (
        False,
        "big-2",
        9,
    )
    assert not load_provider(ports.store, provider_id).disabled


def test_routes_and_pointers() -> None:
    """An alias gets a route, another points to it, and both are removed."""
    ports = memory_ports()
    deployment_id = deployment(ports, provider(ports), None)
    with pytest.raises(NotFound):
        route(ports, "acme/big", UUID(int=99))
    route(ports, "acme/big", deployment_id)
    point_alias.handle(point_alias.PointAlias(alias="latest", target="acme/big"), actor=SYSTEM, ports=ports)
    alias = load(ports.store, alias_stream("acme/big"), NO_ALIAS, alias_rules.evolve)
    assert alias.targets == (RouteTarget(deployment_id=deployment_id),)
    latest = load(ports.store, alias_stream("latest"), NO_ALIAS, alias_rules.evolve)
    assert latest.points_to == "acme/big"
    remove_alias.handle(remove_alias.RemoveAlias(alias="latest"), actor=SYSTEM, ports=ports)
    with pytest.raises(NotFound):
        remove_alias.handle(remove_alias.RemoveAlias(alias="latest"), actor=SYSTEM, ports=ports)


def test_a_publication_is_a_price_version_with_its_approver() -> None:
    """The stream's version is what charges will name."""
    ports = memory_ports()
    by = Actor("operator", UUID(int=5))
    for version in (1, 2):
        command = publish_prices.PublishPrices(entries={"acme/big": FREE}, note="free week")
        assert publish_prices.handle(command, actor=by, ports=ports).version == version
    assert isinstance(ports.store, MemoryEventStore)
    stored = msgspec.json.decode(ports.store.log[-1].state)
    assert stored["approved_by"] == stored["actor"] == by.label
