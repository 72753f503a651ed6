"""Asking a provider with the secrets that may be sent to it."""

from uuid import UUID

import pytest

from application.catalogue import (
    change_provider,
    register_provider,
    revoke_credential,
    rotate_credential,
    store_credential,
)
from application.catalogue.probe_provider import ProbeProvider, ProviderProbed, handle
from application.command import Ports
from domain.catalogue.credential import SecretRefused
from domain.fact import SYSTEM, Actor
from domain.health.probe import ProbeOutcome, ProbesSummarised, probes_stream
from domain.refusal import NotFound, WrongState
from domain.secret import Secret
from domain.topics import REGISTRY
from tests.fakes import FakeProbe, memory_ports


@pytest.fixture
def ports() -> Ports:
    return memory_ports()


def register(ports: Ports, name: str) -> UUID:
    command = register_provider.RegisterProvider(
        name=name, base_url=f"https://{name}.example.com/v1", dialect="anthropic", usage_dialect="openai"
    )
    return register_provider.handle(command, actor=SYSTEM, ports=ports).id


def keep(ports: Ports, provider_id: UUID, secret: str) -> UUID:
    command = store_credential.StoreCredential(provider_id=provider_id, secret=Secret(secret))
    return store_credential.handle(command, actor=SYSTEM, ports=ports).id


def probe(ports: Ports, provider_id: UUID, credential_id: UUID | None = None) -> ProviderProbed:
    command = ProbeProvider(provider_id=provider_id, credential_id=credential_id)
    return handle(command, actor=SYSTEM, ports=ports)


def asked(ports: Ports) -> list[tuple[str, bytes | None]]:
    assert isinstance(ports.probe, FakeProbe)
    return ports.probe.asked


def test_every_credential_in_force_is_tried(ports: Ports) -> None:
    """In the header of the dialect; not those that are revoked, nor another provider's."""
    acme, other = register(ports, "acme"), register(ports, "other")
    first, gone, second = (keep(ports, acme, f"sk-{number}") for number in range(3))
    keep(ports, other, "sk-other")
    revoked = revoke_credential.RevokeCredential(credential_id=gone, reason="leaked")
    revoke_credential.handle(revoked, actor=SYSTEM, ports=ports)
    probed = probe(ports, acme)
    assert [one.credential_id for one in probed.probes] == [first, second]
    assert (probed.provider, probed.works) == ("acme", True)
    assert asked(ports) == [("acme.example.com", b"sk-0"), ("acme.example.com", b"sk-2")]


def test_a_provider_without_a_credential_is_asked_without_one(ports: Ports) -> None:
    """Some ask for none."""
    (only,) = probe(ports, register(ports, "acme")).probes
    assert (only.credential_id, only.works) == (None, True)
    assert asked(ports) == [("acme.example.com", None)]


def test_a_secret_is_never_sent_to_another_host_than_it_was_entered_for(ports: Ports) -> None:
    """Not even to find out whether it works there."""
    acme = register(ports, "acme")
    credential_id = keep(ports, acme, "sk-acme")
    moved = change_provider.ChangeProvider(
        provider_id=acme, base_url="https://evil.example.com/v1", usage_dialect="openai"
    )
    change_provider.handle(moved, actor=SYSTEM, ports=ports)
    probe(ports, acme)
    assert asked(ports) == [("evil.example.com", None)]
    with pytest.raises(WrongState):
        probe(ports, acme, credential_id)


def test_another_providers_credential_is_not_found(ports: Ports) -> None:
    """Nor is one that does not exist, or a provider that does not."""
    acme, other = register(ports, "acme"), register(ports, "other")
    theirs = keep(ports, other, "sk-other")
    for provider_id, credential_id in ((acme, theirs), (acme, UUID(int=9)), (UUID(int=9), None)):
        with pytest.raises(NotFound):
            probe(ports, provider_id, credential_id)
    assert asked(ports) == []


def test_what_a_provider_answered_is_told(ports: Ports) -> None:
    """By whoever asked, for each credential: pages know at once that it has answered."""
    acme = register(ports, "acme")
    credential_id = keep(ports, acme, "sk-acme")
    operator = Actor("operator", UUID(int=7))
    handle(ProbeProvider(provider_id=acme), actor=operator, ports=ports)
    (stored,) = ports.store.read_stream(probes_stream(acme))
    told = REGISTRY.decode(stored.topic, stored.state)
    assert isinstance(told, ProbesSummarised)
    assert (told.credential_id, told.outcomes, told.actor) == (credential_id, {"ok": 1}, operator.label)


def test_a_secret_is_tried_before_it_is_kept_if_that_is_asked_for(ports: Ports) -> None:
    """One that the provider does not know is not stored, and does not take the place of one that is."""
    acme = register(ports, "acme")
    kept = keep(ports, acme, "sk-right")
    assert isinstance(ports.probe, FakeProbe)
    assert ports.probe.asked == [], "nobody is asked who is not to be"
    ports.probe.says = ("auth", 401)
    before = ports.store.read_log(after_position=0, limit=100)
    store = store_credential.StoreCredential(provider_id=acme, secret=Secret("sk-wrong"), probe=True)
    with pytest.raises(SecretRefused):
        store_credential.handle(store, actor=SYSTEM, ports=ports)
    rotate = rotate_credential.RotateCredential(credential_id=kept, secret=Secret("sk-wrong"), probe=True)
    with pytest.raises(SecretRefused):
        rotate_credential.handle(rotate, actor=SYSTEM, ports=ports)
    assert ports.store.read_log(after_position=0, limit=100) == before
    assert ports.probe.asked == [("acme.example.com", b"sk-wrong")] * 2


@pytest.mark.parametrize(("outcome", "status"), [("ok", 200), ("unreachable", 0), ("auth", 403)])
def test_nothing_but_a_refusal_keeps_a_secret_out(ports: Ports, outcome: ProbeOutcome, status: int) -> None:
    """What the provider said is in the answer, and told as one probe."""
    acme = register(ports, "acme")
    assert isinstance(ports.probe, FakeProbe)
    ports.probe.says = (outcome, status)
    store = store_credential.StoreCredential(provider_id=acme, secret=Secret("sk-1"), probe=True)
    kept = store_credential.handle(store, actor=SYSTEM, ports=ports)
    rotate = rotate_credential.RotateCredential(credential_id=kept.id, secret=Secret("sk-2"), probe=True)
    rotated = rotate_credential.handle(rotate, actor=SYSTEM, ports=ports)
    for probe_of in (kept.probe, rotated.probe):
        assert probe_of is not None
        assert (probe_of.credential_id, probe_of.outcome) == (kept.id, outcome)
    for stored in ports.store.read_stream(probes_stream(acme)):
        told = REGISTRY.decode(stored.topic, stored.state)
        assert isinstance(told, ProbesSummarised)
        assert told.outcomes == {outcome: 1}
