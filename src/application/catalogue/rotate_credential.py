"""Put another secret in a credential's place, or enter the same one again for the provider's new origin."""

from typing import ClassVar
from uuid import UUID

from application.catalogue.streams import load_credential, load_provider
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


def handle(command: RotateCredential, *, actor: Actor, ports: Ports) -> Done:
    """Seal it, record it, and forget all but the secret before it, which gateways may hold for a moment more.

    Raises:
        NotFound, WrongState: there is no such credential, or it is revoked.
        BadField: the secret cannot stand in a header.
        VaultError: nothing was recorded.
    """
    secret = rules.checked_secret(command.secret)
    known = rules.alive(load_credential(ports.store, command.credential_id))
    provider = load_provider(ports.store, known.provider_id)
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
    return done
