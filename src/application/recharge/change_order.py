"""Where decisions about an order are made. What an order does to its account's wallet, and to what the account owes, is in the same append."""

from collections.abc import Callable, Sequence
from uuid import UUID

from application.command import ATTEMPTS_MAX, Contended, Done, fold, load, new_event
from application.eventlog import EventStore, NewEvent, VersionConflict
from application.ledger.wallet_reader import load_wallet, wallet_stream
from application.recharge.account_side import account_side
from application.recharge.wallet_side import MOVING, wallet_side
from domain.ids import stream_of
from domain.recharge.events import OrderEvent, PaymentCaptured, PaymentClaimed
from domain.recharge.order import Order, evolve, existing, order_stream
from domain.refusal import Refusal

_PAYMENTS = UUID("c1b9c5f1-43a1-5df5-9a07-6d0b3c3f5d11")


class PaymentTaken(Refusal):
    """This payment has paid for another order already; nothing was stored."""

    code = "payment_taken"


def load_order(store: EventStore, order_id: UUID) -> Order:
    """The order as it is now.

    Raises:
        NotFound: there is none.
    """
    return existing(load(store, order_stream(order_id), None, evolve), order_id)


def change_order(
    store: EventStore, order_id: UUID, decide: Callable[[Order | None], Sequence[OrderEvent]]
) -> Done:
    """Run one decision about an order, and store it with what follows from it, all or nothing.

    A `RechargeCredited` brings the wallet's `CreditLotGranted`, a `PaymentCaptured` the claim of its payment; refunds and
    disputes bring what they freeze, take and give back. What is bought on account, paid or taken back counts in the account's limit.

    Raises:
        Refusal: whatever `decide` or the wallet raises; nothing was stored.
        PaymentTaken: see there.
        Contended, LogUnavailable: nothing was stored.
    """
    stream_id = order_stream(order_id)
    for _ in range(ATTEMPTS_MAX):
        recorded = store.read_stream(stream_id)
        version = recorded[-1].version if recorded else 0
        order = fold(recorded, None, evolve)
        decided = decide(order)
        if not decided:
            return Done(version=version, position=None, events=())
        appends = [new_event(stream_id, number, event) for number, event in enumerate(decided, version + 1)]
        try:
            appends += [_claim(store, event) for event in decided if isinstance(event, PaymentCaptured)]
            appends += [*_wallet_side(store, order, decided), *account_side(store, order, decided)]
        except Refusal:
            if store.read_stream(stream_id, after_version=version):
                continue  # what stands in the way is what another writer has just done to this very order
            raise
        try:
            position = store.append(appends)
        except VersionConflict:
            continue  # the order, the wallet or what is owed moved on: decide on what is true now
        return Done(version=version + len(decided), position=position, events=tuple(decided))
    raise Contended(stream_id)


def payment_stream(provider: str, mode: str, payment_ref: str) -> UUID:
    """The stream of one payment at a provider; its only event says which order it pays for."""
    return stream_of(_PAYMENTS, f"payment:{provider}:{mode}:{payment_ref}")


def _claim(store: EventStore, captured: PaymentCaptured) -> NewEvent:
    stream_id = payment_stream(captured.provider, captured.mode, captured.payment_ref)
    if store.read_stream(stream_id):
        raise PaymentTaken(f"{captured.payment_ref} has paid for another order")
    claim = PaymentClaimed(
        provider=captured.provider,
        mode=captured.mode,
        payment_ref=captured.payment_ref,
        order_id=captured.order_id,
        occurred_us=captured.occurred_us,
    )
    return new_event(stream_id, 1, claim)


def _wallet_side(store: EventStore, order: Order | None, decided: Sequence[OrderEvent]) -> list[NewEvent]:
    if not any(isinstance(event, MOVING) for event in decided):
        return []
    for event in decided:
        order = evolve(order, event)
    assert order is not None, "something was decided about it"
    wallet = load_wallet(store, order.account_id).wallet
    stream_id, first = wallet_stream(order.account_id), wallet.version + 1
    moved = wallet_side(wallet, order, decided)
    return [new_event(stream_id, number, event) for number, event in enumerate(moved, first)]
