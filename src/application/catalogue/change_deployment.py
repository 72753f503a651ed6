"""Replace a deployment's settings."""

from typing import ClassVar
from uuid import UUID

from application.catalogue.streams import load_credential, load_deployment, load_provider
from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import deployment as rules
from domain.catalogue.deployment import DeploymentSpec, OutputField, Timeouts
from domain.fact import Actor
from domain.operators import Permission


class ChangeDeployment(Command, frozen=True, kw_only=True):
    """All settings; what is left out goes back to its default. The provider stays."""

    permission: ClassVar[Permission] = "catalogue"

    deployment_id: UUID
    upstream_model: str
    context_tokens: int
    output_tokens_max: int
    output_field: OutputField = "max_tokens"
    credential_id: UUID | None = None
    connect_ms: int | None = None
    first_byte_ms: int | None = None
    idle_ms: int | None = None
    total_ms: int | None = None


def handle(command: ChangeDeployment, *, actor: Actor, ports: Ports) -> Done:
    """Change it; raises as `deployment.change`."""
    known = rules.existing(load_deployment(ports.store, command.deployment_id))
    provider = load_provider(ports.store, known.provider_id)
    credential = load_credential(ports.store, command.credential_id) if command.credential_id else None
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
    return execute(
        ports.store,
        command.deployment_id,
        None,
        rules.evolve,
        lambda deployment: rules.change(
            deployment, provider=provider, credential=credential, spec=spec, stamp=at
        ),
    )
