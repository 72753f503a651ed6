"""Issue an API key."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Ports, stamp
from application.keys.stream import IssuedKey, decide_key, fresh_secret
from domain.fact import Actor
from domain.keys import key as rules
from domain.limits import Limits
from domain.operators import Permission
from domain.text import printable


class IssueKey(Command, frozen=True, kw_only=True):
    """A key for an account, with limits of its own."""

    permission: ClassVar[Permission] = "keys"

    account_id: UUID
    name: str
    key_id: UUID | None = None
    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    models: tuple[str, ...] | None = None
    allowed_providers: tuple[str, ...] | None = None
    denied_providers: tuple[str, ...] = ()
    expires_us: int | None = None  #: Unix microseconds


def handle(command: IssueKey, *, actor: Actor, ports: Ports) -> IssuedKey:
    """Issue it and show its secret, once.

    Raises:
        NotFound, WrongState: there is no such account, or it is not open.
        AlreadyExists: the key id is in use.
        BadField: a limit, the name or the expiry cannot be used.
    """
    name = printable(command.name, field="name")
    account = load_account(ports.store, command.account_id)
    key_id = command.key_id or ports.ids.new()
    secret, record = fresh_secret(ports)
    at = stamp(ports, actor)
    limits = Limits(
        rpm=command.rpm,
        tpm=command.tpm,
        concurrency=command.concurrency,
        models=command.models,
        allowed_providers=command.allowed_providers,
        denied_providers=command.denied_providers,
    )
    done = decide_key(
        ports,
        key_id,
        lambda key: rules.issue(
            key,
            key_id=key_id,
            account=account,
            secret=record,
            limits=limits,
            expires_us=command.expires_us,
            imported=False,
            stamp=at,
        ),
        at=at,
    )
    ports.names.put(key_id, name)
    return IssuedKey(key_id=key_id, secret=secret, prefix=record.prefix, done=done)
