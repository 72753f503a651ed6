"""Use a credential no more, and forget its secret."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Done, Ports, execute, stamp
from domain.catalogue import credential as rules
from domain.fact import Actor
from domain.operators import Permission


class RevokeCredential(Command, frozen=True, kw_only=True):
    """The secret should be revoked at the provider too; that is not ours to do."""

    permission: ClassVar[Permission] = "catalogue"

    credential_id: UUID
    reason: str


def handle(command: RevokeCredential, *, actor: Actor, ports: Ports) -> Done:
    """Revoke it, then forget the secret; repeat it if forgetting failed. Raises as `credential.revoke`."""
    at = stamp(ports, actor)
    done = execute(
        ports.store,
        command.credential_id,
        None,
        rules.evolve,
        lambda credential: rules.revoke(credential, reason=command.reason, stamp=at),
    )
    ports.vault.forget(command.credential_id)
    return done
