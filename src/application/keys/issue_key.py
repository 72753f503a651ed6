"""Issue an API key."""

from typing import ClassVar

from application.command import Ports
from application.keys.making import NewKey, make_key
from application.keys.stream import IssuedKey, fresh_secret
from domain.fact import Actor
from domain.operators import Permission


class IssueKey(NewKey, frozen=True, kw_only=True):
    """A key for an account, with limits of its own."""

    permission: ClassVar[Permission] = "keys"


def handle(command: IssueKey, *, actor: Actor, ports: Ports) -> IssuedKey:
    """Issue it and show its secret, once.

    Raises:
        NotFound, WrongState: there is no such account, or it is not open.
        AlreadyExists: the key id is in use.
        BadField: a limit, the name or the expiry cannot be used.
    """
    secret, record = fresh_secret(ports)
    return make_key(command, secret, record, imported=False, actor=actor, ports=ports)
