"""Messages that were kept are handled: the provider is asked for the object, and what it says is told to the order.

Once is what a message's stream makes of it; twice does no harm, for an order ignores what it knows.
"""

from typing import Final, Literal
from uuid import UUID

import msgspec
import structlog

from application.auto_recharge.observe_method import observe_method
from application.checkout.inbox import Claimed, WebhookQueue
from application.checkout.observe import observe
from application.checkout.ports import Checkouts, ProviderRefused, ProviderUnavailable
from application.clock import Clock
from application.command import execute, load
from application.eventlog import EventLogError, EventStore
from application.ledger.ports import CallBack, nobody_to_call
from domain.auto_recharge.ruling import ObservedMethod
from domain.recharge import webhooks
from domain.recharge.observing import Observation
from domain.recharge.webhooks import Webhook, WebhookReceived, WebhookState, webhook_stream
from domain.refusal import NotFound, Refusal

ATTEMPTS_MAX: Final = 20
"""With waits that double up to an hour: most of a day."""
_AT_ONCE: Final = 20
_REST_S: Final = 60.0
_WAIT_S: Final = 5.0
_WAIT_S_MAX: Final = 3600.0

log = structlog.get_logger()


class _Outcome(msgspec.Struct, frozen=True):
    state: Literal["done", "ignored", "parked"]
    order_id: UUID | None = None
    reason: str = ""


class WebhookTools(msgspec.Struct, frozen=True, kw_only=True):
    """What handling works with."""

    checkouts: Checkouts
    queue: WebhookQueue
    store: EventStore
    clock: Clock
    call_back: CallBack = nobody_to_call


def handle_due(tools: WebhookTools) -> int:
    """Handle what is due, one after the other; how many there were.

    Raises:
        LogUnavailable: the queue cannot be read.
    """
    claimed = tools.queue.claim(limit=_AT_ONCE, rest_s=_REST_S)
    for one in claimed:
        _handle(one, tools)
    return len(claimed)


def _handle(claimed: Claimed, tools: WebhookTools) -> None:
    place = (claimed.provider, claimed.event_ref)
    try:
        state, reason, order_id = _handled(claimed, tools)
        tools.queue.settle(*place, state=state, reason=reason, order_id=order_id)
    except (ProviderUnavailable, EventLogError) as error:
        _postpone(claimed, error, tools)
    except (
        Exception
    ) as error:  # a message that nobody foresaw must not hold up those that were claimed with it
        log.exception("webhook_failed", event_ref=claimed.event_ref)
        _postpone(claimed, error, tools)


def _postpone(claimed: Claimed, error: Exception, tools: WebhookTools) -> None:
    wait_s = min(_WAIT_S * 2 ** min(claimed.attempts, 12), _WAIT_S_MAX)
    log.warning("webhook_postponed", event_ref=claimed.event_ref, error=type(error).__name__)
    tools.queue.postpone(claimed.provider, claimed.event_ref, wait_s=wait_s, reason=type(error).__name__)


def _handled(claimed: Claimed, tools: WebhookTools) -> tuple[WebhookState, str, UUID | None]:
    """What the log says of the message now."""
    stream_id = webhook_stream(claimed.provider, claimed.event_ref)
    webhook = load(tools.store, stream_id, None, webhooks.evolve)
    if webhook is None:
        # Kept and not acknowledged: the provider sends it again.
        raise ProviderUnavailable("the message was not acknowledged")
    if webhook.state == "waiting":
        outcome = _outcome_at_last(webhook.received, claimed.attempts, tools)
        webhook = _noted(webhook, outcome, tools)
    return webhook.state, webhook.reason, webhook.order_id


def _outcome_at_last(received: WebhookReceived, attempts: int, tools: WebhookTools) -> _Outcome:
    """As `_outcome`; what fails here over and over, for whatever reason, is an operator's in the end."""
    try:
        return _outcome(received, attempts, tools)
    except (ProviderUnavailable, EventLogError):
        raise
    except Exception as error:
        if attempts < ATTEMPTS_MAX:
            raise
        log.exception("webhook_failed", event_ref=received.event_ref)
        return _Outcome("parked", reason=f"it cannot be handled: {type(error).__name__}")


def _noted(webhook: Webhook, outcome: _Outcome, tools: WebhookTools) -> Webhook:
    received, now_us = webhook.received, tools.clock.now_us()

    def decide(now: Webhook | None) -> list[webhooks.WebhookEvent]:
        known = now or webhook
        if outcome.state == "parked":
            return webhooks.park(known, reason=outcome.reason, order_id=outcome.order_id, now_us=now_us)
        return webhooks.handle(known, outcome=outcome.state, order_id=outcome.order_id, now_us=now_us)

    stream_id = webhook_stream(received.provider, received.event_ref)
    execute(tools.store, stream_id, None, webhooks.evolve, decide)
    if outcome.state == "parked":
        log.warning("webhook_parked", event_ref=received.event_ref, reason=outcome.reason)
    return load(tools.store, stream_id, None, webhooks.evolve) or webhook


def _outcome(received: WebhookReceived, attempts: int, tools: WebhookTools) -> _Outcome:
    """Ask for the object, and tell its order.

    Raises:
        ProviderUnavailable, EventLogError: it is to be tried again.
    """
    try:
        checkout = tools.checkouts.get(received.provider)
    except NotFound:
        return _Outcome("parked", reason="the provider is not set up")
    if received.mode != checkout.mode:
        return _Outcome(
            "parked", reason=f"a message of {received.mode} mode, and we are in {checkout.mode} mode"
        )
    if not received.object_ref:
        return _Outcome("ignored")
    try:
        seen = checkout.fetch(received.kind, received.object_ref)
    except ProviderRefused as error:
        return _Outcome("parked", reason=f"the provider has no such object: {error.reason}")
    except ProviderUnavailable as error:
        if attempts < ATTEMPTS_MAX:
            raise
        return _Outcome("parked", reason=f"the provider does not answer: {error}")
    outcome = _Outcome("ignored")
    for one in seen:
        outcome = _told(one, tools)
        if outcome.state == "parked":
            break
    return outcome


def _told(seen: Observation | ObservedMethod, tools: WebhookTools) -> _Outcome:
    if isinstance(seen, ObservedMethod):
        kept = observe_method(seen, store=tools.store, clock=tools.clock).events
        return _Outcome("done" if kept else "ignored")
    order_id = seen.order_id
    try:
        trouble = observe(seen, store=tools.store, clock=tools.clock, call_back=tools.call_back).trouble
    except NotFound:
        return _Outcome("parked", reason=f"no order {order_id}")
    except Refusal as error:
        return _Outcome("parked", order_id=order_id, reason=f"{error.code}: {error}")
    if trouble is not None:
        return _Outcome("parked", order_id=order_id, reason=trouble)
    return _Outcome("done", order_id=order_id)
