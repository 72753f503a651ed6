"""Takes payouts apart: each is the sum of lines that are in no other payout. What does not add up stays open, with its age.

Blocking. It may be run again at any time; a line that is in a payout stays there.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from application.checkout.ports import BalanceTransaction, CheckoutProvider, Checkouts, ProviderError
from application.clock import Clock
from application.command import load, new_event
from application.eventlog import EventLogError, EventStore
from application.money.reconcile import record_line
from domain.money.events import (
    LineEvent,
    PayoutOutcome,
    PayoutReconciled,
    PspLinePaidOut,
    PspLineRecorded,
    line_stream,
)

PAYOUTS_AT_ONCE_MAX: Final = 100

log = structlog.get_logger()


class PayoutsOpen(Protocol):
    """Where to look. It may lag behind the log: the stream of a payout's line says whether it is open."""

    def open_payouts(self, provider: str, *, mode: str, limit: int) -> list[str]:
        """Payouts that nobody has taken apart yet, by the ids of their own lines, oldest first."""
        ...


def match_payouts(payouts: PayoutsOpen, *, checkouts: Checkouts, store: EventStore, clock: Clock) -> int:
    """Take apart all that are open; how many are not open any more. What fails is for the next run."""
    return sum(
        _matched(checkout, line_ref, store=store, clock=clock)
        for checkout in checkouts.all()
        for line_ref in payouts.open_payouts(checkout.name, mode=checkout.mode, limit=PAYOUTS_AT_ONCE_MAX)
    )


def _matched(checkout: CheckoutProvider, line_ref: str, *, store: EventStore, clock: Clock) -> bool:
    try:
        events = _line(checkout, line_ref, store)
        if len(events) != 1 or not isinstance(events[0], PspLineRecorded):
            return False
        return _match(checkout, events[0], store=store, clock=clock)
    except (ProviderError, EventLogError, ValueError) as error:
        log.warning("payout_not_matched", provider=checkout.name, line=line_ref, error=type(error).__name__)
        return False


def _match(checkout: CheckoutProvider, payout: PspLineRecorded, *, store: EventStore, clock: Clock) -> bool:
    told = checkout.payout_lines(payout.source_ref)
    if told is None:
        _reconcile(payout, "untold", (), store=store, clock=clock)
        return True
    lines = [one for one in told if one.transaction_ref != payout.line_ref]
    claimed = [_claim(checkout, one, payout, store=store, clock=clock) for one in lines]
    difference_minor = sum(one.net_minor for one in lines) + payout.net_minor
    if difference_minor or not all(claimed):
        log.warning(
            "payout_differs",
            provider=checkout.name,
            payout=payout.source_ref,
            difference_minor=difference_minor,
            lines_elsewhere=claimed.count(False),
        )
        return False
    _reconcile(payout, "matched", lines, store=store, clock=clock)
    return True


def _claim(
    checkout: CheckoutProvider,
    line: BalanceTransaction,
    payout: PspLineRecorded,
    *,
    store: EventStore,
    clock: Clock,
) -> bool:
    """Whether the line is the payout's, and no other's. One that was never recorded is now."""
    record_line(checkout, line, store=store, clock=clock)
    events = _line(checkout, line.transaction_ref, store)
    claims = [one for one in events if isinstance(one, PspLinePaidOut)]
    if claims:
        return claims[0].payout_ref == payout.source_ref
    claim = PspLinePaidOut(
        provider=checkout.name,
        mode=checkout.mode,
        line_ref=line.transaction_ref,
        payout_ref=payout.source_ref,
        occurred_us=clock.now_us(),
    )
    stream_id = line_stream(checkout.name, checkout.mode, line.transaction_ref)
    store.append([new_event(stream_id, len(events) + 1, claim)])
    return True


def _reconcile(
    payout: PspLineRecorded,
    outcome: PayoutOutcome,
    lines: Sequence[BalanceTransaction],
    *,
    store: EventStore,
    clock: Clock,
) -> None:
    fact = PayoutReconciled(
        provider=payout.provider,
        mode=payout.mode,
        line_ref=payout.line_ref,
        payout_ref=payout.source_ref,
        currency=payout.currency,
        outcome=outcome,
        lines=len(lines),
        net_minor=-payout.net_minor,
        occurred_us=clock.now_us(),
    )
    store.append([new_event(line_stream(payout.provider, payout.mode, payout.line_ref), 2, fact)])


def _line(checkout: CheckoutProvider, line_ref: str, store: EventStore) -> tuple[LineEvent, ...]:
    none: tuple[LineEvent, ...] = ()
    return load(store, line_stream(checkout.name, checkout.mode, line_ref), none, _then)


def _then(events: tuple[LineEvent, ...], event: LineEvent) -> tuple[LineEvent, ...]:
    return (*events, event)
