"""How a refund stands after a command, and the attempt to have it made at once."""

from uuid import UUID

import msgspec
import structlog

from application.checkout.ports import ProviderError
from application.checkout.submit_refund import submit_refund
from application.command import Done, Ports
from application.eventlog import EventLogError
from application.recharge.change_order import load_order
from domain.recharge.returns import RefundState
from domain.refusal import Refusal

log = structlog.get_logger()


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """While it is `requested` a second operator is to agree; `approved` by bank transfer waits for the bank's word."""

    order_id: UUID
    refund_id: UUID
    state: RefundState
    amount_minor: int
    currency: str
    credits_nano: int  #: set aside for it, or taken
    done: Done


def refunded(ports: Ports, order_id: UUID, refund_id: UUID, done: Done) -> Refunded:
    """The refund as it is. One that is approved is asked for at its provider first; if that fails, the scheduler asks again."""
    try:
        submit_refund(order_id, refund_id, checkouts=ports.checkouts, store=ports.store, clock=ports.clock)
    except (ProviderError, Refusal, EventLogError) as error:
        log.warning("refund_postponed", order_id=str(order_id), error=type(error).__name__)
    order = load_order(ports.store, order_id)
    refund = order.refunds[refund_id]
    return Refunded(
        order_id=order_id,
        refund_id=refund_id,
        state=refund.state,
        amount_minor=refund.amount_minor,
        currency=order.placed.currency,
        credits_nano=refund.credits_nano,
        done=done,
    )
