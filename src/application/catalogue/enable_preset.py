"""Make a provider of the presets ready: the provider, its credential, deployments, prices and routes."""

from typing import ClassVar

import msgspec

from application.catalogue.presets.credits import rate_of
from application.catalogue.presets.enabling import Enabled, Enabling
from application.catalogue.presets.library import read_preset
from application.catalogue.presets.plan import base_url_in, chosen, endpoint_of, planned, provider_name_of
from application.catalogue.presets.preset import DEFAULT_REGION
from application.catalogue.telling_probes import tell
from application.command import Command, Ports
from domain.catalogue import credential as credential_rules
from domain.catalogue.base_url import checked_base_url
from domain.catalogue.provider import Dialect
from domain.fact import Actor
from domain.health.probe import probes_stream
from domain.operators import Permission
from domain.pricing import NO_MARKUP_PPM
from domain.secret import Secret


class EnablePreset(Command, frozen=True, kw_only=True):
    """A preset and a key for it. Prices are the provider's, turned into credits, times the markup."""

    # Whoever may change the catalogue may set prices too; a test holds the roles to that.
    permission: ClassVar[Permission] = "catalogue"

    preset: str
    secret: Secret
    region: str = DEFAULT_REGION
    base_url: str | None = (
        None  #: where a proxy of one's own answers in the provider's stead; none: the preset's
    )
    dialect: Dialect | None = None  #: none: the first that the provider speaks
    provider_name: str | None = (
        None  #: none: the preset's id, with the dialect and region if they are not the first
    )
    model_ids: tuple[str, ...] = ()  #: none: those with a role
    alias_prefix: str | None = None
    credits_per_usd: str = "1"
    markup_ppm: int = NO_MARKUP_PPM
    probe: bool = True  #: ask the provider first; it costs nothing there


def handle(command: EnablePreset, *, actor: Actor, ports: Ports) -> Enabled:
    """Do what is not done yet. A provider that cannot be reached is made ready all the same, and the result says so.

    Raises:
        NotFound: there is no such preset; nothing was done.
        BadField: a value cannot be used; nothing was done.
        AlreadyExists: the provider's name is taken by one at another place or of another dialect; nothing was done.
        SecretRefused: the provider does not know the secret; nothing was done.
        WrongState: the credential of an earlier run is revoked; nothing was done. Choose another `provider_name`.
        VaultError, EventLogError: what was done until then stays, and running it again does the rest.
    """
    credential_rules.checked_secret(command.secret)
    preset = read_preset(command.preset)
    endpoint = endpoint_of(preset, command.dialect)
    rate = rate_of(command.credits_per_usd)
    work = Enabling(
        endpoint,
        base_url=_address(command, base_url_in(endpoint, command.region), ports),
        secret=command.secret,
        markup_ppm=command.markup_ppm,
        note=f"preset {preset.id} of {preset.read}, {command.credits_per_usd} credits per USD",
        actor=actor,
        ports=ports,
    )
    models = [
        planned(
            model,
            preset=preset,
            endpoint=endpoint,
            region=command.region,
            prefix=command.alias_prefix or "",
            rate=rate,
            now_us=ports.clock.now_us(),
        )
        for model in chosen(preset, endpoint, command.model_ids)
    ]
    work.prices_of(models)  # so that a price that cannot be used is found before anything is written
    name = command.provider_name or provider_name_of(preset, endpoint, command.region)
    probed = work.probe(name) if command.probe else None
    enabled = work.enable(name, models)
    if probed is not None and not ports.store.read_stream(probes_stream(enabled.provider_id)):
        told = tell([probed], provider_id=enabled.provider_id, actor=actor, ports=ports)
        return msgspec.structs.replace(enabled, probe=probed, position=told)
    return msgspec.structs.replace(enabled, probe=probed)


def _address(command: EnablePreset, of_preset: str, ports: Ports) -> str:
    """Judged before the secret is sent there. Raises: BadField: it is none, or points inside."""
    if command.base_url is None:
        return of_preset
    return checked_base_url(command.base_url, allowlist=ports.allowlist).text
