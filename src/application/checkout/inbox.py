"""Port to the messages that wait to be handled, and to their bytes. The log decides what became of one; this is the queue."""

from typing import Protocol
from uuid import UUID

import msgspec

from application.checkout.ports import Notice
from domain.recharge.webhooks import WebhookState


class Claimed(msgspec.Struct, frozen=True):
    """A message to be handled now; others leave it alone for a while."""

    provider: str
    event_ref: str
    attempts: int  #: this one included


class QueuedWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A message as an operator sees it."""

    provider: str
    event_ref: str
    kind: str
    object_ref: str
    state: WebhookState
    reason: str
    order_id: UUID | None
    attempts: int
    received_us: int


class WebhookPage(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, newest first. `next_before_us` is the `before_us` of the next page; `None` on the last."""

    items: tuple[QueuedWebhook, ...]
    next_before_us: int | None


class WebhookQueue(Protocol):
    """Blocking; safe to use from threads.

    Every method raises `LogUnavailable` when the database is away; nothing was done then.
    """

    def claim(self, *, limit: int, rest_s: float) -> list[Claimed]:
        """Messages that are due; whoever dies with one gives it back after `rest_s`."""
        ...

    def postpone(self, provider: str, event_ref: str, *, wait_s: float, reason: str) -> None:
        """Try it again later."""
        ...

    def settle(
        self, provider: str, event_ref: str, *, state: WebhookState, reason: str, order_id: UUID | None
    ) -> None:
        """Note what the log says of it; `waiting` makes it due at once."""
        ...

    def page(
        self, *, state: WebhookState | None = None, before_us: int | None = None, limit: int = 100
    ) -> WebhookPage:
        """One page, newest first."""
        ...


class WebhookInbox(WebhookQueue, Protocol):
    """The queue with the bytes of its messages."""

    def put(self, provider: str, notice: Notice, raw: bytes) -> None:
        """Keep a message, sealed. It rests for a minute or until it is settled as `waiting`; one that is there stays as it is."""
        ...

    def read(self, provider: str, event_ref: str) -> bytes | None:
        """The bytes as they came; none if they are gone, or never were there."""
        ...
