"""Put a model of a provider at routes' disposal."""

from typing import ClassVar
from uuid import UUID

from application.catalogue.streams import load_credential, load_provider
from application.command import Command, Created, Ports, execute, stamp
from domain.catalogue import deployment as rules
from domain.catalogue.deployment import DeploymentSpec, OutputField, Timeouts
from domain.fact import Actor
from domain.operators import Permission


class AddDeployment(Command, frozen=True, kw_only=True):
    """One model at one provider with one credential. A timeout that is left out is the server's."""

    permission: ClassVar[Permission] = "catalogue"

    provider_id: UUID
    upstream_model: str
    context_tokens: int
    output_tokens_max: int
    output_field: OutputField = "max_tokens"
    credential_id: UUID | None = None
    connect_ms: int | None = None
    first_byte_ms: int | None = None
    idle_ms: int | None = None
    total_ms: int | None = None
    deployment_id: UUID | None = None


def handle(command: AddDeployment, *, actor: Actor, ports: Ports) -> Created:
    """Add it; raises as `deployment.add`, and `NotFound` for the provider."""
    provider = load_provider(ports.store, command.provider_id)
    credential = load_credential(ports.store, command.credential_id) if command.credential_id else None
    deployment_id = command.deployment_id or ports.ids.new()
    at = stamp(ports, actor)
    spec = DeploymentSpec(
        credential_id=command.credential_id,
        upstream_model=command.upstream_model,
        context_tokens=command.context_tokens,
        output_tokens_max=command.output_tokens_max,
        output_field=command.output_field,
        timeouts=Timeouts(
            connect_ms=command.connect_ms,
            first_byte_ms=command.first_byte_ms,
            idle_ms=command.idle_ms,
            total_ms=command.total_ms,
        ),
    )
    done = execute(
        ports.store,
        deployment_id,
        None,
        rules.evolve,
        lambda deployment: rules.add(
            deployment,
            deployment_id=deployment_id,
            provider=provider,
            credential=credential,
            spec=spec,
            stamp=at,
        ),
    )
    return Created(id=deployment_id, done=done)
