"""Keep a secret for a provider."""

from typing import ClassVar
from uuid import UUID

from application.catalogue.provider_place import CredentialProbe
from application.catalogue.streams import load_credential, load_provider
from application.catalogue.telling_probes import tell
from application.catalogue.trying_secrets import tried
from application.command import Command, Created, Ports, execute, stamp
from domain.catalogue import credential as rules
from domain.fact import Actor
from domain.operators import Permission
from domain.refusal import AlreadyExists
from domain.secret import Secret


class StoreCredential(Command, frozen=True, kw_only=True):
    """A secret, bound to where the provider is now."""

    permission: ClassVar[Permission] = "catalogue"

    provider_id: UUID
    secret: Secret
    credential_id: UUID | None = None
    probe: bool = False  #: ask the provider first; it costs nothing there


class CredentialKept(Created, frozen=True, kw_only=True):
    """Where it is, and what the provider said."""

    probe: CredentialProbe | None  #: none: the provider was not asked


def handle(command: StoreCredential, *, actor: Actor, ports: Ports) -> CredentialKept:
    """Seal it in the vault, then record where it is. If recording fails, a sealed secret that nothing names is left.

    Raises:
        NotFound: there is no such provider.
        AlreadyExists: the credential id is in use.
        BadField: the secret cannot stand in a header.
        SecretRefused: the provider was asked, and does not know the secret.
        VaultError: nothing was recorded.
    """
    secret = rules.checked_secret(command.secret)
    provider = load_provider(ports.store, command.provider_id)
    credential_id = command.credential_id or ports.ids.new()
    if load_credential(ports.store, credential_id) is not None:
        raise AlreadyExists("credential", credential_id)
    probe = tried(secret, provider, credential_id, ports) if command.probe else None
    sealed = ports.vault.store(provider_id=provider.provider_id, credential_id=credential_id, secret=secret)
    at = stamp(ports, actor)
    done = execute(
        ports.store,
        credential_id,
        None,
        rules.evolve,
        lambda credential: rules.store(
            credential, credential_id=credential_id, provider=provider, sealed=sealed, stamp=at
        ),
    )
    if probe is not None:
        tell([probe], provider_id=provider.provider_id, actor=actor, ports=ports)
    return CredentialKept(id=credential_id, done=done, probe=probe)
