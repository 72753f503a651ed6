"""Loading what decisions about the catalogue depend on."""

from uuid import UUID

from application.command import load
from application.eventlog import EventStore
from domain.catalogue import credential as credential_rules
from domain.catalogue import deployment as deployment_rules
from domain.catalogue import provider as provider_rules
from domain.catalogue.credential import Credential
from domain.catalogue.deployment import Deployment
from domain.catalogue.provider import Provider


def load_provider(store: EventStore, provider_id: UUID) -> Provider:
    """The provider as it is now, or `NotFound`."""
    return provider_rules.existing(load(store, provider_id, None, provider_rules.evolve))


def load_credential(store: EventStore, credential_id: UUID) -> Credential | None:
    """The credential as it is now, if there is one."""
    return load(store, credential_id, None, credential_rules.evolve)


def load_deployment(store: EventStore, deployment_id: UUID) -> Deployment | None:
    """The deployment as it is now, if there is one."""
    return load(store, deployment_id, None, deployment_rules.evolve)
