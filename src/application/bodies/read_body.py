"""Read what was kept of one request. That it was read is in the log before anything is shown."""

from typing import ClassVar
from uuid import UUID

import msgspec

from application.bodies.stream import decide_bodies
from application.command import Command, Ports, stamp
from domain import bodies
from domain.fact import Actor
from domain.operators import Permission
from domain.refusal import NotFound


class ReadBody(Command, frozen=True, kw_only=True):
    """Show a request and its answer."""

    permission: ClassVar[Permission] = "bodies"

    request_id: UUID
    reason: str


class ShownBody(msgspec.Struct, frozen=True, kw_only=True):
    """A kept request. Bytes that are no text are shown as replacement characters."""

    request_id: UUID
    account_id: UUID
    key_id: UUID
    began_us: int
    status: int
    complete: bool
    request_bytes: int
    response_bytes: int
    request: str
    response: str


def handle(command: ReadBody, *, actor: Actor, ports: Ports) -> ShownBody:
    """Note the reading, then show it.

    Raises:
        NotFound: nothing of this request is kept, or its account was erased meanwhile.
        BadField: the reason is empty or cannot be shown.
    """
    at, account_id = stamp(ports, actor), ports.bodies.account_of(command.request_id)
    if account_id is None:
        raise NotFound("body of request", command.request_id)
    decide_bodies(
        ports.store,
        account_id,
        lambda _: bodies.note_read(
            account_id, request_id=command.request_id, reason=command.reason, stamp=at
        ),
    )
    body = ports.bodies.read(command.request_id)
    if body is None:
        raise NotFound("body of request", command.request_id)
    texts = {
        "request": body.request.decode(errors="replace"),
        "response": body.response.decode(errors="replace"),
    }
    return msgspec.convert(msgspec.structs.asdict(body) | texts, ShownBody)
