"""Sign a customer's messages with a new secret."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports, stamp
from application.hooks.stream import EndpointSecret, decide_endpoint, load_endpoint
from domain.fact import Actor
from domain.hooks import endpoint as rules
from domain.hooks.signing import SECRET_BYTES, new_secret
from domain.operators import Permission


class RotateEndpointSecret(Command, frozen=True, kw_only=True):
    """Within the overlap messages have a signature by the present secret too, so that receivers may take their time."""

    permission: ClassVar[Permission] = "accounts"

    endpoint_id: UUID
    overlap_s: int = 24 * 3600


def handle(command: RotateEndpointSecret, *, actor: Actor, ports: Ports) -> EndpointSecret:
    """Rotate it and show the new secret, once; raises as `endpoint.rotate`."""
    endpoint = load_endpoint(ports.store, command.endpoint_id)
    secret = new_secret(ports.ids.entropy(SECRET_BYTES))
    kept = ports.vault.store(
        provider_id=endpoint.account_id, credential_id=endpoint.endpoint_id, secret=secret
    )
    at = stamp(ports, actor)
    done = decide_endpoint(
        ports.store,
        command.endpoint_id,
        lambda now: rules.rotate(
            now, secret_version=kept.secret_version, overlap_s=command.overlap_s, stamp=at
        ),
    )
    ports.vault.forget(endpoint.endpoint_id, before_version=endpoint.secret_version)
    return EndpointSecret(endpoint_id=endpoint.endpoint_id, secret=secret, done=done)
