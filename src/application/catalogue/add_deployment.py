"""Put a model of a provider at routes' disposal."""

from typing import ClassVar
from uuid import UUID

from application.catalogue.deployment_fields import DeploymentFields, credentials_of
from application.catalogue.streams import load_provider
from application.command import Command, Created, Ports, execute, stamp
from domain.catalogue import deployment as rules
from domain.fact import Actor
from domain.operators import Permission


class AddDeployment(DeploymentFields, Command, frozen=True, kw_only=True):
    """One model at one provider."""

    permission: ClassVar[Permission] = "catalogue"

    provider_id: UUID
    deployment_id: UUID | None = None


def handle(command: AddDeployment, *, actor: Actor, ports: Ports) -> Created:
    """Add it; raises as `deployment.add`, and `NotFound` for the provider."""
    provider = load_provider(ports.store, command.provider_id)
    spec = command.spec()
    credentials = credentials_of(spec, ports.store)
    deployment_id = command.deployment_id or ports.ids.new()
    at = stamp(ports, actor)
    done = execute(
        ports.store,
        deployment_id,
        None,
        rules.evolve,
        lambda deployment: rules.add(
            deployment,
            deployment_id=deployment_id,
            provider=provider,
            credentials=credentials,
            spec=spec,
            stamp=at,
        ),
    )
    return Created(id=deployment_id, done=done)
