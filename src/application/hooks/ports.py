"""Ports of outgoing messages: where they wait, how they are sent, and what surfaces may ask."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from application.hooks.kinds import Message
from domain.hooks.endpoint import Endpoint

MessageState = Literal["waiting", "delivered", "abandoned"]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A message for one endpoint that is to be sent now; `tries` counts this one."""

    endpoint: Endpoint
    message_id: str
    kind: str
    body: bytes
    tries: int


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one try. Status 0: no answer was read, and `error` says why, in a word of ours."""

    status: int
    error: str
    duration_ms: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try, as it is shown."""

    number: int
    at_us: int
    status: int
    error: str
    duration_ms: int


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message for an endpoint, and what became of it."""

    message_id: str
    kind: str
    position: int
    state: MessageState
    tries: int
    next_us: int | None  #: when it is tried next, if it waits
    made_us: int
    delivered_us: int | None
    body: msgspec.Raw
    attempts: tuple[Attempt, ...]  #: the last ones, newest first


class MessagePage(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, newest first. `next_before` is the `before` of the next page; null on the last."""

    items: tuple[MessageRow, ...]
    next_before: str | None


class EndpointRow(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint, and how it does."""

    endpoint: Endpoint
    waiting: int
    delivered_us: int | None  #: when something last arrived
    failed_us: int | None  #: when something last did not


class HookQueue(Protocol):
    """The queue, and the endpoints as of its position of the log. Blocking; raises `LogUnavailable` if it cannot be read."""

    def endpoints(self, account_id: UUID) -> tuple[EndpointRow, ...]:
        """Those that are not removed, by id."""
        ...

    def every(
        self, *, is_failing: bool = False, after: UUID | None = None, limit: int = 100
    ) -> tuple[EndpointRow, ...]:
        """Those of all accounts that are not removed, by id, those after `after`; `is_failing`: that are disabled, or at which the
        last message did not arrive.
        """
        ...

    def messages(
        self,
        endpoint_id: UUID,
        *,
        state: MessageState | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> MessagePage: ...

    def put(self, endpoint_id: UUID, message: Message) -> None:
        """Queue a message that no event made."""
        ...

    def replay(self, endpoint_id: UUID, *, from_position: int | None, message_id: str | None) -> int:
        """Let messages that are still kept be sent again; how many."""
        ...


class Turn(Protocol):
    """One look at the log: what it changes is stored together with the position, or not at all."""

    position: int

    def endpoint(self, endpoint_id: UUID) -> Endpoint | None: ...

    def keep(self, endpoint: Endpoint) -> None:
        """As it is now; the messages of one that is removed are gone with it."""
        ...

    def has_endpoints(self) -> bool:
        """Whether anybody is told of anything."""
        ...

    def endpoints_of(self, account_id: UUID) -> Sequence[Endpoint]: ...

    def put(self, endpoint_id: UUID, message: Message) -> None:
        """Queue it; once, however often it is put."""
        ...

    def move_to(self, position: int) -> None: ...


class Collecting(Protocol):
    """The side of the queue that reads the log."""

    def turn(self) -> AbstractContextManager[Turn | None]:
        """None while another process has it."""
        ...


class Claims(Protocol):
    """The sending side of the queue."""

    def claim(self, *, limit: int, rest_s: float, busy: Sequence[UUID]) -> list[Waiting]:
        """Messages that are due, a few for each endpoint, none of `busy`; nobody else gets them for `rest_s`."""
        ...

    def note(self, waiting: Waiting, sent: Sent, *, wait_s: float | None, delivered: bool) -> None:
        """Keep what came of a try. Not delivered and no wait: it is given up."""
        ...

    def is_failing(self, endpoint_id: UUID, message_id: str) -> bool:
        """Whether nothing has arrived at an endpoint since this message was made."""
        ...


class Sender(Protocol):
    """Posts a message where only the public internet is, as far as the operator allows."""

    async def post(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> Sent:
        """Never raises: whatever goes wrong is an outcome."""
        ...
