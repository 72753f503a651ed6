"""How an account's balance comes about: sums by kind of event, and the events behind them.

What an event moves is what the posting rules say of it, so this needs no rules of its own. Reads all events of the
account's wallet and leases each time; a page of them is kept.
"""

from collections.abc import Iterator
from heapq import heappush, heappushpop
from uuid import UUID

import msgspec

from application.eventlog import EventStore, RecordedEvent
from application.explaining.as_of import AsOf
from application.ledger.wallet_reader import wallet_stream
from domain.event import Event
from domain.ledger.claim_events import CreditFrozen, CreditUnfrozen, FrozenCreditTaken
from domain.ledger.events import (
    LeaseGranted,
    RequestAbandoned,
    RequestAdmitted,
    RequestReleased,
    UsageCharged,
)
from domain.ledger.postings import load_rules, postings
from domain.topics import REGISTRY


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """What one event did to the balance. `posted` is what the account owns, `held` what of it is set aside: for requests,
    refunds and disputes.
    """

    position: int
    topic: str
    stream_id: UUID
    version: int
    recorded_at_us: int
    request_id: UUID | None
    posted_nano: int
    held_nano: int


class KindSum(msgspec.Struct, frozen=True, kw_only=True):
    """What all events of a kind did together."""

    topic: str
    events: int
    posted_nano: int
    held_nano: int
    first_position: int
    last_position: int


class BalanceExplained(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of `kinds` are the balance; `movements` are a page of the events behind them, in their order."""

    account_id: UUID
    posted_nano: int
    held_nano: int
    available_nano: int
    last_position: int  #: of the last event that moved something, 0 if none did
    kinds: tuple[KindSum, ...]
    movements: tuple[Movement, ...]
    next_after: int | None


def explain_balance(
    store: EventStore, account_id: UUID, *, as_of: AsOf, after: int = 0, limit: int = 100
) -> BalanceExplained:
    """The balance of an account at a point; movements behind position `after`, at most `limit`."""
    explaining = _Explaining(after=after, limit=limit)
    for movement in _movements(store, account_id, as_of):
        explaining.add(movement)
    return explaining.result(account_id)


class _Explaining:
    def __init__(self, *, after: int, limit: int) -> None:
        self._after = after
        self._limit = limit
        self._kinds: dict[str, KindSum] = {}
        self._page: list[tuple[int, Movement]] = []  # a heap by descending position: the furthest falls out
        self._is_cut = False

    def add(self, one: Movement) -> None:
        before = self._kinds.get(one.topic)
        self._kinds[one.topic] = KindSum(
            topic=one.topic,
            events=1 + (before.events if before else 0),
            posted_nano=one.posted_nano + (before.posted_nano if before else 0),
            held_nano=one.held_nano + (before.held_nano if before else 0),
            first_position=min(one.position, before.first_position if before else one.position),
            last_position=max(one.position, before.last_position if before else one.position),
        )
        if one.position <= self._after:
            return
        if len(self._page) < self._limit:
            heappush(self._page, (-one.position, one))
        else:
            heappushpop(self._page, (-one.position, one))
            self._is_cut = True

    def result(self, account_id: UUID) -> BalanceExplained:
        kinds = tuple(self._kinds[topic] for topic in sorted(self._kinds))
        page = tuple(one for _, one in sorted(self._page, key=lambda item: -item[0]))
        posted_nano = sum(kind.posted_nano for kind in kinds)
        held_nano = sum(kind.held_nano for kind in kinds)
        return BalanceExplained(
            account_id=account_id,
            posted_nano=posted_nano,
            held_nano=held_nano,
            available_nano=posted_nano - held_nano,
            last_position=max((kind.last_position for kind in kinds), default=0),
            kinds=kinds,
            movements=page,
            next_after=page[-1].position if self._is_cut and page else None,
        )


def _movements(store: EventStore, account_id: UUID, as_of: AsOf) -> Iterator[Movement]:
    rules = load_rules()
    own = tuple(f"{kind}:{account_id}:" for kind in ("wallet", "leased", "frozen"))
    for recorded, event in _events(store, account_id, as_of):
        posted_nano = 0
        for posting in postings(rules, event, stream_id=recorded.stream_id):
            posted_nano += posting.amount_nano * (
                posting.credit.startswith(own) - posting.debit.startswith(own)
            )
        held_nano = _held_nano(event)
        if posted_nano or held_nano:
            yield Movement(
                position=recorded.position,
                topic=recorded.topic,
                stream_id=recorded.stream_id,
                version=recorded.version,
                recorded_at_us=recorded.recorded_at_us,
                request_id=getattr(event, "request_id", None),
                posted_nano=posted_nano,
                held_nano=held_nano,
            )


def _events(store: EventStore, account_id: UUID, as_of: AsOf) -> Iterator[tuple[RecordedEvent, Event]]:
    """All events of the wallet, then of each lease that it granted."""
    streams = [wallet_stream(account_id)]
    for stream_id in streams:
        for recorded in store.read_stream(stream_id):
            if not as_of.covers(recorded):
                continue
            event = REGISTRY.decode(recorded.topic, recorded.state)
            if isinstance(event, LeaseGranted):
                streams.append(event.lease_id)
            yield recorded, event


def _held_nano(event: Event) -> int:
    match event:
        case RequestAdmitted():
            return event.hold_nano
        case UsageCharged() | RequestReleased() | RequestAbandoned():
            return -event.hold_nano
        case CreditFrozen():
            return event.amount_nano
        case CreditUnfrozen():
            return -(event.amount_nano + (event.expired_nano or 0) + (event.voided_nano or 0))
        case FrozenCreditTaken():
            return -event.amount_nano
        case _:
            return 0
