"""A secret that somebody enters is tried at its provider before it is kept (ADR 51 and 116)."""

from uuid import UUID

from application.catalogue.provider_place import CredentialProbe, ProviderPlace, asked
from application.command import Ports
from domain.catalogue.base_url import parse_base_url
from domain.catalogue.credential import SecretRefused
from domain.catalogue.provider import Provider
from domain.secret import Secret


def tried(secret: Secret, provider: Provider, credential_id: UUID, ports: Ports) -> CredentialProbe:
    """What the provider says of it; nothing but a refusal of the secret refuses. Blocking, up to 15 seconds.

    Raises:
        SecretRefused: the provider does not know it.
    """
    place = ProviderPlace(
        dialect=provider.dialect,
        usage_dialect=provider.usage_dialect,
        base_url=parse_base_url(provider.base_url),
        secret=secret,
    )
    probe = asked(ports.probe, place, credential_id)
    if probe.is_refused:
        raise SecretRefused(provider.name)
    return probe
