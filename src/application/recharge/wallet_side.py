"""What the facts of an order do to its account's wallet, in the same append."""

from collections.abc import Iterable
from typing import Final, assert_never
from uuid import UUID

from domain.ids import stream_of
from domain.ledger import claims
from domain.ledger.claims import Claimed
from domain.ledger.credit import CostBasis, grant_credit
from domain.ledger.events import WalletEvent
from domain.ledger.wallet import Wallet, evolve
from domain.recharge.events import (
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    ExternalRefundObserved,
    ExternalRefundReversed,
    OrderEvent,
    RechargeCredited,
    RefundFailed,
    RefundRequested,
    RefundSucceeded,
)
from domain.recharge.order import Order, lot_of

SYSTEM_GRANTS = "recharge"
"""Who grants the credit of an order, as the lot says."""
MOVING: Final = (
    RechargeCredited
    | RefundRequested
    | RefundSucceeded
    | RefundFailed
    | ExternalRefundObserved
    | ExternalRefundReversed
    | DisputeOpened
    | DisputeWon
    | DisputeLost
)


def wallet_side(wallet: Wallet, order: Order, decided: Iterable[OrderEvent]) -> list[WalletEvent]:
    """What is to be stored with `decided`; `order` is as it is after them. The wallet is folded on.

    Raises:
        LotAlreadyGranted: the wallet has the order's lot; it would be credited twice.
        AmountOutOfRange: the wallet would leave the 64-bit range.
        NotEnoughUnspent: less is unspent of the lot than a refund that was asked for wants.
        WrongState: the lot was taken back by an operator; there is nothing to refund.
    """
    events: list[WalletEvent] = []
    for fact in decided:
        for event in _moves(wallet, order, fact):
            evolve(wallet, event)
            events.append(event)
    return events


def claim_of(order_id: UUID, kind: str, ref: str) -> UUID:
    """The id of the claim of a refund or a dispute that only the provider's id names."""
    return stream_of(order_id, f"{kind}:{ref}")


def granting(wallet: Wallet, credited: RechargeCredited) -> list[WalletEvent]:
    """The lot that an order buys, with what it cost; raises as `wallet_side`."""
    return grant_credit(
        wallet,
        account_id=credited.account_id,
        lot_id=credited.lot_id,
        amount_nano=credited.credits_nano,
        source="paid",
        reason=f"order {credited.order_id}",
        granted_by=SYSTEM_GRANTS,
        now_us=credited.occurred_us,
        bought=CostBasis(
            order_id=credited.order_id, cost_minor=credited.tax.net_minor, currency=credited.currency
        ),
    )


def _moves(wallet: Wallet, order: Order, fact: OrderEvent) -> list[WalletEvent]:
    if isinstance(fact, RechargeCredited):
        return granting(wallet, fact)
    if isinstance(fact, RefundRequested | RefundSucceeded | RefundFailed):
        return _refunds(wallet, order, fact)
    if isinstance(fact, ExternalRefundObserved | ExternalRefundReversed):
        on = _on(order, claim_of(order.order_id, "refund", fact.refund_ref))
        do = claims.take if isinstance(fact, ExternalRefundObserved) else claims.restore
        return do(wallet, on, amount_nano=fact.credits_nano, now_us=fact.occurred_us)
    return (
        _disputes(wallet, order, fact) if isinstance(fact, DisputeOpened | DisputeWon | DisputeLost) else []
    )


def _disputes(
    wallet: Wallet, order: Order, fact: DisputeOpened | DisputeWon | DisputeLost
) -> list[WalletEvent]:
    on = _on(order, claim_of(order.order_id, "dispute", fact.dispute_ref))
    match fact:
        case DisputeOpened():
            return claims.freeze(wallet, on, wanted_nano=fact.credits_nano, now_us=fact.occurred_us)
        case DisputeWon():
            return claims.release(wallet, on, now_us=fact.occurred_us)
        case DisputeLost():
            return claims.take(wallet, on, amount_nano=fact.credits_nano, now_us=fact.occurred_us)
        case _:
            assert_never(fact)


def _refunds(
    wallet: Wallet, order: Order, fact: RefundRequested | RefundSucceeded | RefundFailed
) -> list[WalletEvent]:
    on, now_us = _on(order, fact.refund_id), fact.occurred_us
    credits_nano = order.refunds[fact.refund_id].credits_nano
    match fact:
        case RefundRequested():
            return claims.reserve(wallet, on, amount_nano=credits_nano, now_us=now_us)
        case RefundSucceeded():
            return claims.take(wallet, on, amount_nano=credits_nano, now_us=now_us)
        case RefundFailed():
            if fact.succeeded is True:
                return claims.restore(wallet, on, amount_nano=credits_nano, now_us=now_us)
            return claims.release(wallet, on, now_us=now_us)
        case _:
            assert_never(fact)


def _on(order: Order, claim_id: UUID) -> Claimed:
    return Claimed(account_id=order.account_id, lot_id=lot_of(order.order_id), claim_id=claim_id)
