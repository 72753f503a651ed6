"""One order as its stream has it, with every fact of it. For showing; nothing is decided from the answer."""

from typing import Any
from uuid import UUID

import msgspec

from application.eventlog import EventStore
from application.recharge.change_order import load_order
from application.recharge.returns import DisputeShown, RefundShown, disputes_of, refunds_of
from domain.recharge.offers import TaxQuote
from domain.recharge.order import Order, OrderStatus, order_stream
from domain.recharge.request_events import RequestReason
from domain.recharge.returns import RefundState, RequestState
from domain.topics import REGISTRY


class OrderFact(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, when, and by whom."""

    position: int
    topic: str
    occurred_us: int
    actor: str
    said: dict[str, Any]


class RefundRequestShown(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that the customer asked for; once it is accepted, `refund` says how far it is."""

    refund_id: UUID
    state: RequestState
    reason: RequestReason
    unspent_minor: int  #: what could go back when it was filed
    filed_us: int
    decided_us: int | None
    declined_because: str | None
    refund: RefundState | None
    refund_minor: int | None  #: what goes back, tax included


class OrderDetail(msgspec.Struct, frozen=True, kw_only=True):
    """The order and how it came to be so. Money is minor units of the currency."""

    order_id: UUID
    account_id: UUID
    provider: str
    mode: str
    status: OrderStatus
    amount_minor: int
    tax: TaxQuote
    currency: str
    exponent: int
    credits_nano: int
    bonus_nano: int
    owed_minor: int  #: of an order on account; overdue from `expires_us` on
    refunded_minor: int
    refundable_minor: int  #: what is left of the payment; only what is unspent of it can be refunded
    refunds: tuple[RefundShown, ...]
    disputes: tuple[DisputeShown, ...]
    refund_requests: tuple[RefundRequestShown, ...]
    lot_id: UUID | None
    reference: str
    waits_for_approval: bool
    expires_us: int
    facts: tuple[OrderFact, ...]


def show_order(store: EventStore, order_id: UUID) -> OrderDetail:
    """The order.

    Raises:
        NotFound: there is none.
    """
    order = load_order(store, order_id)
    return _detail(order, _facts(store, order_id))


def _detail(order: Order, facts: tuple[OrderFact, ...]) -> OrderDetail:
    placed = order.placed
    return OrderDetail(
        order_id=placed.order_id,
        account_id=placed.account_id,
        provider=placed.provider,
        mode=placed.mode,
        status=order.status,
        amount_minor=placed.amount_minor,
        tax=placed.tax,
        currency=placed.currency,
        exponent=placed.exponent,
        credits_nano=placed.credits_nano,
        bonus_nano=placed.bonus_nano,
        owed_minor=order.owed_minor,
        refunded_minor=order.refunded_minor,
        refundable_minor=0 if order.credited is None else max(placed.amount_minor - order.taken_minor, 0),
        refunds=refunds_of(order),
        disputes=disputes_of(order),
        refund_requests=_requests(order),
        lot_id=None if order.credited is None else order.credited.lot_id,
        reference=placed.reference,
        waits_for_approval=order.waits_for_second,
        expires_us=placed.expires_us,
        facts=facts,
    )


def _requests(order: Order) -> tuple[RefundRequestShown, ...]:
    return tuple(
        RefundRequestShown(
            refund_id=refund_id,
            state=one.state,
            reason=one.reason,
            unspent_minor=one.unspent_minor,
            filed_us=one.filed_us,
            decided_us=one.decided_us,
            declined_because=one.declined_because,
            refund=refund.state
            if (refund := order.refunds.get(one.made_as or refund_id)) is not None
            else None,
            refund_minor=refund.amount_minor if refund is not None else None,
        )
        for refund_id, one in order.requests.items()
    )


def _facts(store: EventStore, order_id: UUID) -> tuple[OrderFact, ...]:
    facts = []
    for recorded in store.read_stream(order_stream(order_id)):
        said: dict[str, Any] = msgspec.to_builtins(REGISTRY.decode(recorded.topic, recorded.state))
        occurred_us, actor = said.pop("occurred_us"), said.pop("actor")
        facts.append(
            OrderFact(
                position=recorded.position,
                topic=recorded.topic,
                occurred_us=occurred_us,
                actor=actor,
                said=said,
            )
        )
    return tuple(facts)
