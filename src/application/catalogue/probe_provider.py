"""Ask a provider whether it can be reached and takes our secrets. It costs nothing there, and decides nothing here."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.catalogue.provider_place import CredentialProbe, ProviderPlace, asked
from application.catalogue.streams import credentials_at, load_credential, load_provider
from application.catalogue.telling_probes import tell
from application.command import Command, Ports
from application.vault import SecretRef
from domain.catalogue import credential as rules
from domain.catalogue.base_url import parse_base_url
from domain.catalogue.credential import Credential
from domain.catalogue.provider import Provider
from domain.fact import Actor
from domain.operators import Permission
from domain.refusal import NotFound
from domain.secret import Secret


class ProbeProvider(Command, frozen=True, kw_only=True):
    """A provider, asked with one of its credentials or with all."""

    permission: ClassVar[Permission] = "catalogue"

    provider_id: UUID
    credential_id: UUID | None = None  #: none: every one that is in force; if there is none, without a secret


class ProviderProbed(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    provider: str
    works: bool  #: every probe was answered well
    probes: tuple[CredentialProbe, ...]


def handle(command: ProbeProvider, *, actor: Actor, ports: Ports) -> ProviderProbed:
    """Send one probe for each credential, one after the other, and tell what came back. Blocking, up to 15 seconds each.

    Raises:
        NotFound: there is no such provider, or it has no such credential.
        WrongState: the credential is revoked, or was entered for another host.
        VaultError: a secret could not be opened.
        EventLogError: the provider was asked, and what it answered is not told.
    """
    provider = load_provider(ports.store, command.provider_id)
    credentials: list[Credential | None] = [*_credentials(command, provider, ports)] or [None]
    probes = tuple(_probed(provider, credential, ports) for credential in credentials)
    tell(probes, provider_id=provider.provider_id, actor=actor, ports=ports)
    return ProviderProbed(provider=provider.name, works=all(one.works for one in probes), probes=probes)


def _credentials(command: ProbeProvider, provider: Provider, ports: Ports) -> list[Credential]:
    if command.credential_id is None:
        return credentials_at(ports.store, provider)
    return [_usable(load_credential(ports.store, command.credential_id), provider)]


def opened(credential: Credential, ports: Ports) -> Secret:
    """The secret itself. Raises: VaultError."""
    return ports.vault.open(
        SecretRef(
            provider_id=credential.provider_id,
            credential_id=credential.credential_id,
            secret_version=credential.secret_version,
        )
    )


def _usable(credential: Credential | None, provider: Provider) -> Credential:
    if credential is not None and credential.provider_id != provider.provider_id:
        raise NotFound("credential")
    return rules.sendable(rules.alive(credential), provider)


def _probed(provider: Provider, credential: Credential | None, ports: Ports) -> CredentialProbe:
    place = ProviderPlace(
        dialect=provider.dialect,
        usage_dialect=provider.usage_dialect,
        base_url=parse_base_url(provider.base_url),
        secret=None if credential is None else opened(credential, ports),
    )
    return asked(ports.probe, place, None if credential is None else credential.credential_id)
