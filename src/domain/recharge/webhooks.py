"""Messages of payment providers: stream `psp:{provider}:{event}`. Its first version is the proof that one was received, and
what keeps it from being taken for two. What stands in them is evidence and kept elsewhere; here is its digest.
"""

from typing import ClassVar, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.event import Event
from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.recharge.events import Mode
from domain.refusal import NotFound, WrongState

_WEBHOOKS = UUID("8d0f3f61-8c5b-5a0e-bd0c-4d4b6f0f7a52")
WebhookState = Literal["waiting", "handled", "parked"]


class WebhookReceived(Event, frozen=True, kw_only=True):
    """A message whose signature is right is kept; the provider is told so only then."""

    TOPIC: ClassVar[str] = "webhook.received.v1"

    provider: str
    mode: Mode
    event_ref: str
    kind: str  #: in the provider's words
    object_ref: str  #: what it is about; empty if it names nothing that can be asked for
    created_us: int
    raw_sha256: str
    occurred_us: int


class WebhookHandled(Event, frozen=True, kw_only=True):
    """Its object was asked for at the provider, and what it says is in the order; or it is not about one of ours."""

    TOPIC: ClassVar[str] = "webhook.handled.v1"

    provider: str
    event_ref: str
    outcome: Literal["done", "ignored"]
    order_id: UUID | None
    occurred_us: int


class WebhookParked(Event, frozen=True, kw_only=True):
    """It cannot be handled as it is; an operator must look at it."""

    TOPIC: ClassVar[str] = "webhook.parked.v1"

    provider: str
    event_ref: str
    reason: str
    order_id: UUID | None
    occurred_us: int


class WebhookReplayed(Fact, frozen=True, kw_only=True):
    """An operator wants it to be handled again."""

    TOPIC: ClassVar[str] = "webhook.replayed.v1"

    provider: str
    event_ref: str


WebhookEvent = WebhookReceived | WebhookHandled | WebhookParked | WebhookReplayed
WEBHOOK_EVENTS: tuple[type[Event], ...] = (WebhookReceived, WebhookHandled, WebhookParked, WebhookReplayed)


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a message's stream."""

    received: WebhookReceived
    state: WebhookState = "waiting"
    reason: str = ""  #: why it is parked
    order_id: UUID | None = None


def webhook_stream(provider: str, event_ref: str) -> UUID:
    return stream_of(_WEBHOOKS, f"psp:{provider}:{event_ref}")


def evolve(webhook: Webhook | None, event: WebhookEvent) -> Webhook:
    """The message after one more fact."""
    if isinstance(event, WebhookReceived):
        return Webhook(received=event)
    assert webhook is not None, "the first fact of a stream is the receipt"
    match event:
        case WebhookHandled():
            return replace(webhook, state="handled", reason="", order_id=event.order_id)
        case WebhookParked():
            return replace(webhook, state="parked", reason=event.reason, order_id=event.order_id)
        case WebhookReplayed():
            return replace(webhook, state="waiting", reason="")
        case _:
            assert_never(event)


def receive(webhook: Webhook | None, received: WebhookReceived) -> list[WebhookEvent]:
    """Keep it; nothing is left to do for one that is known."""
    return [] if webhook is not None else [received]


def handle(
    webhook: Webhook, *, outcome: Literal["done", "ignored"], order_id: UUID | None, now_us: int
) -> list[WebhookEvent]:
    """It is done with; nothing changes if it was already."""
    if webhook.state == "handled":
        return []
    return [
        WebhookHandled(
            provider=webhook.received.provider,
            event_ref=webhook.received.event_ref,
            outcome=outcome,
            order_id=order_id,
            occurred_us=now_us,
        )
    ]


def park(webhook: Webhook, *, reason: str, order_id: UUID | None, now_us: int) -> list[WebhookEvent]:
    """Leave it to an operator; nothing changes if it waits for one, or is done with."""
    if webhook.state != "waiting":
        return []
    return [
        WebhookParked(
            provider=webhook.received.provider,
            event_ref=webhook.received.event_ref,
            reason=reason,
            order_id=order_id,
            occurred_us=now_us,
        )
    ]


def replay(webhook: Webhook | None, *, event_ref: str, stamp: Stamp) -> list[WebhookEvent]:
    """Handle it again.

    Raises:
        NotFound: no such message was received.
        WrongState: it is not parked.
    """
    if webhook is None:
        raise NotFound("webhook", event_ref)
    if webhook.state != "parked":
        raise WrongState("webhook", webhook.state)
    return [
        WebhookReplayed(
            provider=webhook.received.provider,
            event_ref=event_ref,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]
