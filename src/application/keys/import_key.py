"""Bring an API key along from elsewhere, so that clients need not change theirs."""

from typing import ClassVar

from application.command import Ports
from application.keys.making import NewKey, make_key
from application.keys.stream import IssuedKey, record_of
from domain.fact import Actor
from domain.keys.secret import importable
from domain.operators import Permission
from domain.secret import Secret


class ImportKey(NewKey, frozen=True, kw_only=True):
    """A key whose secret exists already. Its strength is its maker's; ours are better."""

    permission: ClassVar[Permission] = "operators"

    secret: Secret


def handle(command: ImportKey, *, actor: Actor, ports: Ports) -> IssuedKey:
    """Take it over.

    Raises:
        NotFound, WrongState: there is no such account, or it is not open.
        AlreadyExists: the key id is in use.
        BadField: a limit, the name, the secret or the expiry cannot be used.
        SecretTaken: another key has, or had, this secret.
    """
    secret = importable(command.secret)
    return make_key(command, secret, record_of(ports, secret), imported=True, actor=actor, ports=ports)
