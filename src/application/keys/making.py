"""How a key comes to be, wherever its secret is from."""

from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Ports, stamp
from application.keys.stream import IssuedKey, decide_key
from domain.fact import Actor
from domain.keys import key as rules
from domain.keys.secret import SecretRecord
from domain.limits import Limits
from domain.secret import Secret
from domain.text import printable


class NewKey(Command, frozen=True, kw_only=True):
    """What any key is made with."""

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


def make_key(
    command: NewKey, secret: Secret, record: SecretRecord, *, imported: bool, actor: Actor, ports: Ports
) -> IssuedKey:
    """Store it, with its name where names are kept.

    Raises:
        NotFound, WrongState: there is no such account, or it is not open.
        AlreadyExists: the key id is in use.
        BadField: a limit, the name or the expiry cannot be used.
        SecretTaken: another key has, or had, this secret.
    """
    name = printable(command.name, field="name")
    account = load_account(ports.store, command.account_id)
    key_id = command.key_id or ports.ids.new()
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
            imported=imported,
            stamp=at,
        ),
        at=at,
    )
    ports.names.put(key_id, name)
    return IssuedKey(key_id=key_id, secret=secret, prefix=record.prefix, done=done)
