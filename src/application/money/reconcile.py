"""Records the lines of our accounts at payment providers, each once. What no order tells of waits for somebody.

Blocking. It may be run again over the same days: a line that is recorded stays as it is.
"""

from typing import Final

import structlog

from application.checkout.ports import BalanceTransaction, CheckoutProvider, Checkouts, ProviderError
from application.clock import Clock
from application.command import load, new_event
from application.eventlog import EventLogError, EventStore, VersionConflict
from application.recharge.change_order import load_order, payment_stream
from domain.money.events import PAYMENTS, PspLineRecorded, line_stream, recorded
from domain.recharge.events import PaymentClaimed

_HOUR_US: Final = 3600 * 1_000_000
SETTLE_US: Final = 6 * _HOUR_US
"""Lines that are younger are left for the next run: their orders may not be credited yet."""
LOOK_BACK_US: Final = 7 * 24 * _HOUR_US
"""Longer than a weekend without a scheduler."""

log = structlog.get_logger()


def reconcile(checkouts: Checkouts, *, store: EventStore, clock: Clock) -> int:
    """Record what is new; how many lines. A provider that fails is for the next run."""
    return sum(_reconcile(one, store=store, clock=clock) for one in checkouts.all())


def _reconcile(checkout: CheckoutProvider, *, store: EventStore, clock: Clock) -> int:
    until_us = clock.now_us() - SETTLE_US
    new = 0
    try:
        for line in checkout.balance_transactions(since_us=until_us - LOOK_BACK_US, until_us=until_us):
            new += _record_sound(checkout, line, store=store, clock=clock)
    except ProviderError as error:
        # Its words are codes: whoever has to mend it needs them.
        log.warning(
            "money_not_reconciled", provider=checkout.name, error=type(error).__name__, reason=str(error)
        )
    except EventLogError as error:
        log.warning("money_not_reconciled", provider=checkout.name, error=type(error).__name__)
    return new


def _record_sound(
    checkout: CheckoutProvider, line: BalanceTransaction, *, store: EventStore, clock: Clock
) -> bool:
    """As `record_line`; one that does not add up is told, and holds up no other."""
    try:
        return record_line(checkout, line, store=store, clock=clock)
    except ValueError:
        log.warning("money_line_unsound", provider=checkout.name, line=line.transaction_ref)
        return False


def record_line(
    checkout: CheckoutProvider, line: BalanceTransaction, *, store: EventStore, clock: Clock
) -> bool:
    """Record a line, if it is new; whether it was.

    Raises:
        EventLogError: it was not.
        ValueError: it does not add up.
    """
    stream_id = line_stream(checkout.name, checkout.mode, line.transaction_ref)
    if store.read_stream(stream_id):
        return False
    fact = _fact(checkout, line, now_us=clock.now_us(), is_told=_is_told(checkout, line, store))
    if fact.other_minor:
        log.warning("money_unmatched", provider=checkout.name, line=line.transaction_ref, kind=line.kind)
    try:
        store.append([new_event(stream_id, 1, fact)])
    except VersionConflict:
        return False  # another scheduler was faster
    return True


def _is_told(checkout: CheckoutProvider, line: BalanceTransaction, store: EventStore) -> bool:
    """Whether the order that its payment paid for tells of it, which books the gross amount then."""
    claim = load(store, payment_stream(checkout.name, checkout.mode, line.source_ref), None, _claimed)
    if claim is None or line.kind in PAYMENTS:
        return claim is not None
    order = load_order(store, claim.order_id)
    return order.tells_of(object_ref=line.object_ref, line_ref=line.transaction_ref)


def _claimed(_none: PaymentClaimed | None, event: PaymentClaimed) -> PaymentClaimed | None:
    return event


def _fact(
    checkout: CheckoutProvider, line: BalanceTransaction, *, now_us: int, is_told: bool
) -> PspLineRecorded:
    return recorded(
        provider=checkout.name,
        mode=checkout.mode,
        line_ref=line.transaction_ref,
        kind=line.kind,
        source_ref=line.source_ref,
        currency=line.currency,
        gross_minor=line.gross_minor,
        fee_minor=line.fee_minor,
        net_minor=line.net_minor,
        created_us=line.created_us,
        now_us=now_us,
        is_told=is_told,
        object_ref=line.object_ref,
    )
