"""Try an endpoint with a message about nothing."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.command import Command, Ports
from application.hooks.kinds import ping
from application.hooks.stream import load_endpoint
from domain.fact import Actor
from domain.operators import Permission


class PingEndpoint(Command, frozen=True, kw_only=True):
    """It is signed, sent and listed as every other message."""

    permission: ClassVar[Permission] = "accounts"

    endpoint_id: UUID


class Pinged(msgspec.Struct, frozen=True, kw_only=True):
    """The message; what becomes of it is in the list of messages."""

    message_id: str


def handle(command: PingEndpoint, *, actor: Actor, ports: Ports) -> Pinged:
    """Queue it.

    Raises:
        NotFound: there is no such endpoint.
    """
    del actor  # every command takes its actor; this one leaves no fact
    endpoint = load_endpoint(ports.store, command.endpoint_id)
    message = ping(
        ports.ids.new(),
        account_id=endpoint.account_id,
        now_us=ports.clock.now_us(),
        position=ports.store.head_position(),
    )
    ports.hooks.put(command.endpoint_id, message)
    return Pinged(message_id=message.message_id)
