"""Where adjustments are decided: the adjustment's own stream, and in the same append the wallet's."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from application.command import Done, Ports, append_decided, load, new_event
from application.eventlog import EventStore, NewEvent
from application.ledger.wallet_reader import load_wallet, wallet_stream
from domain.event import Event
from domain.fact import Stamp
from domain.ids import stream_of
from domain.ledger import adjusting, adjustments
from domain.ledger.adjustments import Adjustment, AdjustmentRequested, AdjustmentState
from domain.ledger.wallet import Wallet


class Adjusted(msgspec.Struct, frozen=True, kw_only=True):
    """How an adjustment stands. While it is `waiting`, nothing has moved."""

    adjustment_id: UUID
    state: AdjustmentState
    amount_nano: int  #: of a void, what was left of the lot when it was asked for
    done: Done


class Drafted(msgspec.Struct, frozen=True):
    """What one try would store, beside what the caller adds to it."""

    adjustment: Adjustment
    events: tuple[Event, ...] = ()
    group: tuple[NewEvent, ...] = ()


def adjustment_stream(adjustment_id: UUID) -> UUID:
    return stream_of(adjustment_id, "adjustment")


def load_adjustment(store: EventStore, adjustment_id: UUID) -> tuple[Adjustment, int]:
    """The adjustment as it is now, and the version of its stream."""
    recorded = store.read_stream(adjustment_stream(adjustment_id))
    folded = load(store, adjustment_stream(adjustment_id), Adjustment(), adjustments.evolve)
    return folded, len(recorded)


def draft(ports: Ports, wanted: AdjustmentRequested) -> Drafted:
    """Ask for an adjustment, and post it at once if it need not wait; nothing if it was asked for before.

    Raises:
        AlreadyExists, BadField: as `adjustments.ask`.
        Others as `adjusting.post`, for one that has to wait too: it would be refused later.
    """
    adjustment, version = load_adjustment(ports.store, wanted.adjustment_id)
    decided = adjustments.ask(adjustment, wanted)
    if not decided:
        return Drafted(adjustment)
    return _drafted(ports, adjustment, version, decided, approved_by=None, now_us=wanted.occurred_us)


def settle(
    ports: Ports,
    adjustment_id: UUID,
    decide: Callable[[Adjustment], Sequence[adjustments.AdjustmentEvent]],
    *,
    stamp: Stamp,
) -> Adjusted:
    """Store a decision about an adjustment that was asked for; an approval posts it in the same append.

    Raises:
        Refusal: whatever `decide` or `adjusting.post` raise; nothing was stored, and it goes on waiting.
    """

    def once() -> Drafted:
        adjustment, version = load_adjustment(ports.store, adjustment_id)
        decided = decide(adjustment)
        if not decided:
            return Drafted(adjustment)
        return _drafted(ports, adjustment, version, decided, approved_by=stamp.actor, now_us=stamp.now_us)

    return store_draft(ports, once)


def store_draft(
    ports: Ports, make: Callable[[], Drafted], *, beside: Callable[[], Sequence[NewEvent]] | None = None
) -> Adjusted:
    """Append what `make` drafts, with events of other streams in the same append.

    Raises:
        Refusal: from `make` or `beside`; nothing was stored.
        Contended, LogUnavailable: nothing was stored.
    """
    last = Drafted(Adjustment())

    def decide() -> Sequence[NewEvent]:
        nonlocal last
        last = make()
        return [*last.group, *(beside() if beside and last.group else ())]

    position = append_decided(ports.store, decide)
    asked = last.adjustment.asked
    assert asked is not None  # what is drafted was asked for
    version = len(ports.store.read_stream(adjustment_stream(asked.adjustment_id)))
    return Adjusted(
        adjustment_id=asked.adjustment_id,
        state=last.adjustment.state,
        amount_nano=asked.amount_nano,
        done=Done(version=version, position=position, events=last.events),
    )


def _drafted(
    ports: Ports,
    adjustment: Adjustment,
    version: int,
    decided: Sequence[adjustments.AdjustmentEvent],
    *,
    approved_by: str | None,
    now_us: int,
) -> Drafted:
    for event in decided:
        adjustment = adjustments.evolve(adjustment, event)
    asked = adjustment.asked
    assert asked is not None
    stream_id = adjustment_stream(asked.adjustment_id)
    group = [new_event(stream_id, number, event) for number, event in enumerate(decided, version + 1)]
    posted: list[Event] = []
    if adjustment.state != "denied":
        wallet = load_wallet(ports.store, asked.account_id).wallet
        posted = list(adjusting.post(wallet, asked, approved_by=approved_by, now_us=now_us))
        if adjustment.state == "posted":
            group += _on_wallet(wallet, asked.account_id, posted)
    return Drafted(adjustment, (*decided, *posted), tuple(group))


def _on_wallet(wallet: Wallet, account_id: UUID, events: Sequence[Event]) -> list[NewEvent]:
    stream_id = wallet_stream(account_id)
    return [new_event(stream_id, number, event) for number, event in enumerate(events, wallet.version + 1)]
