"""Tell a customer, at an address of theirs, what happens to their account."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Ports, stamp
from application.hooks.kinds import NAMES
from application.hooks.stream import EndpointSecret, decide_endpoint
from domain.fact import Actor
from domain.hooks import endpoint as rules
from domain.hooks.address import checked_address
from domain.hooks.signing import SECRET_BYTES, new_secret
from domain.operators import Permission


class RegisterEndpoint(Command, frozen=True, kw_only=True):
    """An https address, and which kinds of messages go there; all if none is named."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID
    url: str
    kinds: tuple[str, ...] = ()
    endpoint_id: UUID | None = None


def handle(command: RegisterEndpoint, *, actor: Actor, ports: Ports) -> EndpointSecret:
    """Register it and show its secret, once.

    Raises:
        NotFound: there is no such account.
        BadField: the address cannot be used, or points inside.
        Others as `endpoint.register`.
    """
    checked_address(command.url, ports.hook_allowlist)
    account = load_account(ports.store, command.account_id)
    rules.checked_kinds(command.kinds, NAMES)
    others = len(ports.hooks.endpoints(command.account_id))
    endpoint_id = command.endpoint_id or ports.ids.new()
    secret = new_secret(ports.ids.entropy(SECRET_BYTES))
    kept = ports.vault.store(provider_id=command.account_id, credential_id=endpoint_id, secret=secret)
    at = stamp(ports, actor)
    done = decide_endpoint(
        ports.store,
        endpoint_id,
        lambda endpoint: rules.register(
            endpoint,
            endpoint_id=endpoint_id,
            account=account,
            others=others,
            url=command.url,
            kinds=command.kinds,
            known=NAMES,
            secret_version=kept.secret_version,
            stamp=at,
        ),
    )
    return EndpointSecret(endpoint_id=endpoint_id, secret=secret, done=done)
