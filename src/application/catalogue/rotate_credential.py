"""Put another secret in a credential's place, or enter the same one again for the provider's new origin."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.catalogue.provider_place import CredentialProbe
from application.catalogue.streams import load_credential, load_provider
from application.catalogue.telling_probes import tell
from application.catalogue.trying_secrets import tried
from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import credential as rules
from domain.fact import Actor
from domain.operators import Permission
from domain.secret import Secret


class RotateCredential(Command, frozen=True, kw_only=True):
    """The secret as it is from now on."""

    permission: ClassVar[Permission] = "catalogue"

    credential_id: UUID
    secret: Secret
    probe: bool = False  #: ask the provider first; it costs nothing there


class CredentialRotated(msgspec.Struct, frozen=True, kw_only=True):
    """That it is done, and what the provider said."""

    done: Done
    probe: CredentialProbe | None  #: none: the provider was not asked


def handle(command: RotateCredential, *, actor: Actor, ports: Ports) -> CredentialRotated:
    """Seal it, record it, and forget all but the secret before it, which gateways may hold for a moment more.

    Raises:
        NotFound, WrongState: there is no such credential, or it is revoked.
        BadField: the secret cannot stand in a header.
        SecretRefused: the provider was asked, and does not know the secret; the one before stays.
        VaultError: nothing was recorded.
    """
    secret = rules.checked_secret(command.secret)
    known = rules.alive(load_credential(ports.store, command.credential_id))
    provider = load_provider(ports.store, known.provider_id)
    probe = tried(secret, provider, known.credential_id, ports) if command.probe else None
    sealed = ports.vault.store(
        provider_id=known.provider_id, credential_id=known.credential_id, secret=secret
    )
    at = stamp(ports, actor)
    done = execute(
        ports.store,
        known.credential_id,
        None,
        rules.evolve,
        lambda credential: rules.rotate(credential, provider=provider, sealed=sealed, stamp=at),
    )
    ports.vault.forget(known.credential_id, before_version=known.secret_version)
    if probe is not None:
        tell([probe], provider_id=known.provider_id, actor=actor, ports=ports)
    return CredentialRotated(done=done, probe=probe)
