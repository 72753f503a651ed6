"""Replace a deployment's settings."""

from typing import ClassVar
from uuid import UUID

from application.catalogue.deployment_fields import DeploymentFields, credentials_of
from application.catalogue.streams import load_deployment, load_provider
from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import deployment as rules
from domain.fact import Actor
from domain.operators import Permission


class ChangeDeployment(DeploymentFields, Command, frozen=True, kw_only=True):
    """All settings; what is left out goes back to its default. The provider stays."""

    permission: ClassVar[Permission] = "catalogue"

    deployment_id: UUID


def handle(command: ChangeDeployment, *, actor: Actor, ports: Ports) -> Done:
    """Change it; raises as `deployment.change`."""
    known = rules.existing(load_deployment(ports.store, command.deployment_id))
    provider = load_provider(ports.store, known.provider_id)
    spec = command.spec()
    credentials = credentials_of(spec, ports.store)
    at = stamp(ports, actor)
    return execute(
        ports.store,
        command.deployment_id,
        None,
        rules.evolve,
        lambda deployment: rules.change(
            deployment, provider=provider, credentials=credentials, spec=spec, stamp=at
        ),
    )
