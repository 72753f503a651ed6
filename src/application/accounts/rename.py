"""Name an account, an operator or an API key anew. Names are no events: they can be erased."""

from typing import ClassVar
from uuid import UUID

from application.command import Command, Ports
from domain.fact import Actor
from domain.operators import Permission
from domain.text import printable


class Rename(Command, frozen=True, kw_only=True):
    """A name for whatever has this id."""

    permission: ClassVar[Permission] = "accounts"

    subject_id: UUID
    name: str


def handle(command: Rename, *, actor: Actor, ports: Ports) -> None:
    """Replace the name.

    Raises:
        BadField: it cannot be used.
    """
    del actor  # every command takes its actor; this one leaves no fact
    ports.names.put(command.subject_id, printable(command.name, field="name"))
