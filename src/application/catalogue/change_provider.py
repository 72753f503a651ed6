"""Replace a provider's settings. At another origin its credentials must be entered again."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import provider as rules
from domain.catalogue.provider import DataTerms, UsageDialect
from domain.fact import Actor
from domain.operators import Permission


class ChangeProvider(Command, frozen=True, kw_only=True):
    """All settings of the provider that can change."""

    permission: ClassVar[Permission] = "catalogue"

    provider_id: UUID
    base_url: str
    usage_dialect: UsageDialect
    trains_on_data: bool | None = None
    retention_days: int | None = None
    region: str | None = None


def handle(command: ChangeProvider, *, actor: Actor, ports: Ports) -> Done:
    """Change it; raises as `provider.change`."""
    at = stamp(ports, actor)
    terms = DataTerms(
        trains_on_data=command.trains_on_data,
        retention_days=command.retention_days,
        region=command.region,
    )
    return execute(
        ports.store,
        command.provider_id,
        None,
        rules.evolve,
        lambda provider: rules.change(
            provider,
            usage_dialect=command.usage_dialect,
            base_url=command.base_url,
            data_terms=terms,
            allowlist=ports.allowlist,
            stamp=at,
        ),
    )
