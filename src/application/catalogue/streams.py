"""Loading what decisions about the catalogue depend on."""

from typing import Final
from uuid import UUID

from application.command import load
from application.eventlog import EventStore
from domain.catalogue import credential as credential_rules
from domain.catalogue import deployment as deployment_rules
from domain.catalogue import provider as provider_rules
from domain.catalogue.credential import Credential, CredentialStored
from domain.catalogue.deployment import Deployment
from domain.catalogue.provider import Provider

_BATCH: Final = 1_000


def load_provider(store: EventStore, provider_id: UUID) -> Provider:
    """The provider as it is now, or `NotFound`."""
    return provider_rules.existing(load(store, provider_id, None, provider_rules.evolve))


def load_credential(store: EventStore, credential_id: UUID) -> Credential | None:
    """The credential as it is now, if there is one."""
    return load(store, credential_id, None, credential_rules.evolve)


def credentials_at(store: EventStore, provider: Provider) -> list[Credential]:
    """Those in force whose secrets may be sent to where the provider is now, oldest first. Reads the whole control log."""
    ids: list[UUID] = []
    position = 0
    while batch := store.read_control(after_position=position, limit=_BATCH):
        position = batch[-1].position
        ids += [one.stream_id for one in batch if one.topic == CredentialStored.TOPIC]
    found = (load_credential(store, one) for one in ids)
    return [one for one in found if one is not None and one.fits(provider)]


def load_deployment(store: EventStore, deployment_id: UUID) -> Deployment | None:
    """The deployment as it is now, if there is one."""
    return load(store, deployment_id, None, deployment_rules.evolve)
