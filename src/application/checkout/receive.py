"""A message of a payment provider comes in: verified over its bytes, kept, and only then acknowledged."""

from hashlib import sha256
from typing import Literal

from application.checkout.inbox import WebhookInbox
from application.checkout.ports import Checkouts, Headers, Notice
from application.clock import Clock
from application.command import execute
from application.eventlog import EventStore
from domain.recharge import webhooks
from domain.recharge.webhooks import WebhookReceived, webhook_stream

RAW_BYTES_MAX = 1024 * 1024


def receive(
    provider: str,
    raw: bytes,
    headers: Headers,
    *,
    checkouts: Checkouts,
    inbox: WebhookInbox,
    store: EventStore,
    clock: Clock,
) -> Literal["kept", "known"]:
    """Keep a message. When this returns, it is durable.

    Raises:
        NotFound: the provider is not set up.
        BadNotice: see there.
        LogUnavailable, Contended: it may be kept or not; the provider sends it again.
    """
    checkout = checkouts.get(provider)
    notice = checkout.verify(raw, headers, now_us=clock.now_us())
    return keep(provider, notice, raw, inbox=inbox, store=store, clock=clock)


def keep(
    provider: str, notice: Notice, raw: bytes, *, inbox: WebhookInbox, store: EventStore, clock: Clock
) -> Literal["kept", "known"]:
    """Keep a message that is known to be genuine; raises as `receive`."""
    received = WebhookReceived(
        provider=provider,
        mode=notice.mode,
        event_ref=notice.event_ref,
        kind=notice.kind,
        object_ref=notice.object_ref,
        created_us=notice.created_us,
        raw_sha256=sha256(raw).hexdigest(),
        occurred_us=clock.now_us(),
    )
    # The bytes first, at rest: a crash between the two leaves bytes that nobody was thanked for, never a receipt without
    # them, and no worker is at the message before its receipt is there.
    inbox.put(provider, notice, raw)
    done = execute(
        store,
        webhook_stream(provider, notice.event_ref),
        None,
        webhooks.evolve,
        lambda webhook: webhooks.receive(webhook, received),
    )
    if not done.events:
        return "known"
    inbox.settle(provider, notice.event_ref, state="waiting", reason="", order_id=None)
    return "kept"
