"""Send a customer again what was sent, or given up."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.command import Command, Done, Ports, stamp
from application.hooks.stream import decide_endpoint
from domain.fact import Actor
from domain.hooks import endpoint as rules
from domain.operators import Permission


class ReplayMessages(Command, frozen=True, kw_only=True):
    """One message by its id, or all from a position of the log on, as far as they are kept. With the same ids."""

    permission: ClassVar[Permission] = "accounts"

    endpoint_id: UUID
    from_position: int | None = None
    message_id: str | None = None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages wait again."""

    messages: int
    done: Done


def handle(command: ReplayMessages, *, actor: Actor, ports: Ports) -> Replayed:
    """Let them be sent again; raises as `endpoint.replay`."""
    at = stamp(ports, actor)
    done = decide_endpoint(
        ports.store,
        command.endpoint_id,
        lambda endpoint: rules.replay(
            endpoint, from_position=command.from_position, message_id=command.message_id, stamp=at
        ),
    )
    messages = ports.hooks.replay(
        command.endpoint_id, from_position=command.from_position, message_id=command.message_id
    )
    return Replayed(messages=messages, done=done)
