"""Make a provider known."""

from typing import ClassVar

from application.command import Command, Created, Ports, execute, stamp
from domain.catalogue import provider as rules
from domain.catalogue.provider import DataTerms, Dialect, UsageDialect, provider_id_of
from domain.fact import Actor
from domain.operators import Permission


class RegisterProvider(Command, frozen=True, kw_only=True):
    """A provider; its id follows from its name."""

    permission: ClassVar[Permission] = "catalogue"

    name: str
    base_url: str
    dialect: Dialect = "openai"
    usage_dialect: UsageDialect = "openai"
    trains_on_data: bool | None = None
    retention_days: int | None = None
    region: str | None = None


def handle(command: RegisterProvider, *, actor: Actor, ports: Ports) -> Created:
    """Register it; raises as `provider.register`."""
    provider_id = provider_id_of(command.name)
    at = stamp(ports, actor)
    terms = DataTerms(
        trains_on_data=command.trains_on_data,
        retention_days=command.retention_days,
        region=command.region,
    )
    done = execute(
        ports.store,
        provider_id,
        None,
        rules.evolve,
        lambda provider: rules.register(
            provider,
            name=command.name,
            dialect=command.dialect,
            usage_dialect=command.usage_dialect,
            base_url=command.base_url,
            data_terms=terms,
            allowlist=ports.allowlist,
            stamp=at,
        ),
    )
    return Created(id=provider_id, done=done)
