"""What customers are told of: for each fact the kind of its message, and which of its fields are in it.

A field that is not listed stays here: who of the staff did something and why, what a provider calls a payment, anything sealed.
"""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from application.eventlog import EventStore, RecordedEvent
from domain.event import Event
from domain.topics import REGISTRY

PING: Final = "ping"


class Kind(msgspec.Struct, frozen=True):
    """What a fact becomes."""

    name: str
    fields: tuple[str, ...]


def _kind(name: str, fields: str) -> Kind:
    return Kind(name, tuple(fields.split()))


_DOCUMENT: Final = (
    "document_id number_text issued_on currency exponent net_minor tax_minor total_minor order_id"
)
KINDS: Final = {
    "account.suspended.v1": _kind("account.suspended", ""),
    "account.reinstated.v1": _kind("account.reinstated", ""),
    "account.closed.v1": _kind("account.closed", ""),
    "auto-recharge.tried.v1": _kind(
        "auto-recharge.tried", "order_id amount_minor currency month used_minor cap_minor"
    ),
    "auto-recharge.needs-customer.v1": _kind("auto-recharge.needs-customer", "order_id"),
    "auto-recharge.declined.v1": _kind("auto-recharge.declined", "order_id declines retry_us"),
    "auto-recharge.cap-reached.v1": _kind("auto-recharge.cap-reached", "month currency used_minor cap_minor"),
    "auto-recharge.stopped.v1": _kind("auto-recharge.stopped", "reason"),
    "balance-low.crossed.v1": _kind("balance.low", "threshold_nano balance_nano occurred_us"),
    "budget-alert.raised.v1": _kind(
        "budget.alert", "budget_id key_id bucket_us percent amount_nano spent_nano occurred_us"
    ),
    "charge.reviewed.v1": _kind("charge.reviewed", "request_id outcome charge_nano right_nano occurred_us"),
    "key.issued.v1": _kind("key.issued", "key_id prefix expires_us"),
    "key.rotated.v1": _kind("key.rotated", "key_id prefix overlap_until_us"),
    "key.revoked.v1": _kind("key.revoked", "key_id"),
    "management-key.issued.v1": _kind("management-key.issued", "key_id role prefix expires_us"),
    "management-key.rotated.v1": _kind("management-key.rotated", "key_id prefix overlap_until_us"),
    "management-key.revoked.v1": _kind("management-key.revoked", "key_id"),
    "order.placed.v1": _kind(
        "order.placed",
        "order_id provider mode amount_minor currency exponent credits_nano reference expires_us",
    ),
    "order.payment-processing.v1": _kind("order.processing", "order_id"),
    "order.payment-failed.v1": _kind("order.payment-failed", "order_id"),
    "order.credited.v1": _kind(
        "order.credited", "order_id lot_id credits_nano currency exponent gross_minor"
    ),
    "order.cancelled.v1": _kind("order.cancelled", "order_id"),
    "order.expired.v1": _kind("order.expired", "order_id"),
    "order.refund-succeeded.v1": _kind(
        "order.refunded", "order_id refund_id amount_minor currency credits_nano"
    ),
    "order.external-refund-observed.v1": _kind(
        "order.refunded", "order_id amount_minor currency credits_nano"
    ),
    "order.refund-request-filed.v1": _kind(
        "refund-request.filed", "order_id refund_id reason unspent_minor currency"
    ),
    "order.refund-request-withdrawn.v1": _kind("refund-request.withdrawn", "order_id refund_id"),
    "order.refund-request-accepted.v1": _kind("refund-request.accepted", "order_id refund_id made_as"),
    "order.refund-request-declined.v1": _kind("refund-request.declined", "order_id refund_id reason"),
    "order.dispute-opened.v1": _kind("order.disputed", "order_id amount_minor currency credits_nano"),
    "order.dispute-won.v1": _kind("order.dispute-won", "order_id"),
    "order.dispute-lost.v1": _kind("order.dispute-lost", "order_id amount_minor currency credits_nano"),
    "postpaid.limit-approved.v1": _kind("postpaid.agreed", "currency exponent limit_minor days_to_pay"),
    "postpaid.limit-lifted.v1": _kind("postpaid.lifted", ""),
    "postpaid.paid.v1": _kind("order.paid", "order_id amount_minor currency unpaid_minor"),
    "postpaid.reminded.v1": _kind(
        "order.payment-due", "order_id stage reference amount_minor currency exponent due_us"
    ),
    "invoice.issued.v1": _kind("invoice.issued", _DOCUMENT),
    "credit-note.issued.v1": _kind("credit-note.issued", _DOCUMENT),
    "endpoint.disabled.v1": _kind("endpoint.disabled", "endpoint_id reason"),
}
NAMES: Final = frozenset(one.name for one in KINDS.values())


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent of one event, the same bytes whenever it is made. Ids are in the order of the log."""

    message_id: str
    kind: str
    position: int
    body: bytes


def message_of(recorded: RecordedEvent, kind: Kind, event: Event, *, account_id: UUID) -> Message:
    """The message of an event of an account."""
    data: dict[str, Any] = {"account_id": account_id, "position": recorded.position}
    for name in kind.fields:
        value = getattr(event, name, None)
        data[name] = None if value is msgspec.UNSET else value
    return Message(
        message_id=f"msg_{recorded.position:018}",
        kind=kind.name,
        position=recorded.position,
        body=_body(kind.name, recorded.recorded_at_us, data),
    )


def ping(message_id: UUID, *, account_id: UUID, now_us: int, position: int) -> Message:
    """A message to try an endpoint with; about nothing."""
    return Message(
        message_id=f"msg_ping_{message_id.hex}",
        kind=PING,
        position=position,
        body=_body(PING, now_us, {"account_id": account_id}),
    )


def account_of(event: Any, recorded: RecordedEvent, store: EventStore) -> UUID | None:
    """Whose a fact is: it says so itself, or the first fact of its stream does."""
    account_id = getattr(event, "account_id", None)
    if account_id is None:
        first = store.read_stream(recorded.stream_id)[0]
        account_id = getattr(REGISTRY.decode(first.topic, first.state), "account_id", None)
    return account_id if isinstance(account_id, UUID) else None


def _body(kind: str, at_us: int, data: dict[str, Any]) -> bytes:
    at = datetime.fromtimestamp(at_us // 1_000_000, tz=UTC).replace(microsecond=at_us % 1_000_000)
    return msgspec.json.encode({"type": kind, "timestamp": at, "data": data})
