"""What a figure of a statement, of usage or of the books is made of, down to the events and how to prove each.

Read models name positions; what stands there is read from the log and posted by the rules, so the figures here do not
come from the read models that are explained. Slow and exact, page by page.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec

from application.eventlog import RecordedEvent
from application.projections import ReadableLog
from application.queries import PAGE_ROWS_MAX, RequestFilter, RequestQueries, clean
from domain.ledger.events import AdjustmentPosted, UsageCharged
from domain.ledger.postings import Posting, load_rules, postings
from domain.refusal import NotFound
from domain.topics import REGISTRY

_PAGE_EVENTS: Final = 1_000


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a sum. `cell` is what to ask for to see what it is made of; none if it is explained by its events."""

    name: str
    amount_nano: int
    cell: str | None = None


class SourceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event behind a figure: what it moved by the posting rules, and where its proof is to be had.

    `proof` and `receipt` are paths of the admin API; `tokenok seal prove --position` and `tokenok receipt show` give
    the same. There is a proof once the event is sealed.
    """

    position: int
    stream_id: UUID
    version: int
    topic: str
    recorded_at_us: int
    amount_nano: int  #: what it adds to the figure
    postings: tuple[Posting, ...]
    proof: str
    request_id: UUID | None = None
    receipt: str | None = None
    price_version: int | None = None
    ref: UUID | None = None  #: what an adjustment is about, such as a request


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events of a figure in the order of the log. `next_after` is the position to go on behind; `None` on the last."""

    items: tuple[SourceEvent, ...]
    next_after: int | None


NO_EVENTS: Final = EventPage(items=(), next_after=None)


def source_event(recorded: RecordedEvent, *, own: Sequence[str]) -> SourceEvent:
    """An event as one that changed the accounts whose names begin so."""
    event = REGISTRY.decode(recorded.topic, recorded.state)
    moved = tuple(postings(load_rules(), event, stream_id=recorded.stream_id))
    beginnings = tuple(own)
    amount_nano = sum(
        one.amount_nano * (one.credit.startswith(beginnings) - one.debit.startswith(beginnings))
        for one in moved
    )
    request_id = event.request_id if isinstance(event, UsageCharged) else None
    return SourceEvent(
        position=recorded.position,
        stream_id=recorded.stream_id,
        version=recorded.version,
        topic=recorded.topic,
        recorded_at_us=recorded.recorded_at_us,
        amount_nano=amount_nano,
        postings=moved,
        proof=f"/seal/proofs/{recorded.position}",
        request_id=request_id,
        receipt=None if request_id is None else f"/receipts/{request_id}",
        price_version=event.price_version if isinstance(event, UsageCharged) else None,
        ref=event.ref or None if isinstance(event, AdjustmentPosted) else None,
    )


def event_at(store: ReadableLog, position: int) -> RecordedEvent:
    """Raises `NotFound`: there is no event at this position."""
    events = store.read_log(after_position=position - 1, limit=1)
    if not events or events[0].position != position:
        raise NotFound("event at position", position)
    return events[0]


def charge_positions(
    requests: RequestQueries, wanted: RequestFilter, *, first: int, last: int
) -> Iterator[int]:
    """Where the charges of a line stand, in the order of the log: every charged request that ended between the two."""
    found: list[int] = []
    before: int | None = None
    bounded = msgspec.structs.replace(
        wanted, state="charged", last_position_from=first, last_position_to=last
    )
    while True:
        page = requests.requests(bounded, before_position=before, limit=PAGE_ROWS_MAX)
        found += [row.last_position for row in page.requests]
        if page.next_before is None:
            break
        before = page.next_before
    yield from sorted(found)


def page_of(
    store: ReadableLog, positions: Iterable[int], *, own: Sequence[str], after: int, limit: int
) -> EventPage:
    """The events at some positions behind `after`, at most `limit` of them."""
    items: list[SourceEvent] = []
    for position in positions:
        if position <= after:
            continue
        if len(items) == limit:
            return EventPage(items=tuple(items), next_after=items[-1].position)
        items.append(source_event(event_at(store, position), own=own))
    return EventPage(items=tuple(items), next_after=None)


def moving_events(store: ReadableLog, *, name: str, after: int, until: int, limit: int) -> EventPage:
    """The events up to `until` that moved one account of the books, behind `after`. Reads the log from there on.

    The name is as read models keep it.
    """
    rules, position = load_rules(), after
    items: list[SourceEvent] = []
    while events := store.read_log(after_position=position, limit=_PAGE_EVENTS):
        for recorded in events:
            position = recorded.position
            if position > until:
                return EventPage(items=tuple(items), next_after=None)
            if recorded.topic not in rules.rules:
                continue
            event = REGISTRY.decode(recorded.topic, recorded.state)
            moved = postings(rules, event, stream_id=recorded.stream_id)
            if not any(name in {clean(one.debit), clean(one.credit)} for one in moved):
                continue
            if len(items) == limit:
                return EventPage(items=tuple(items), next_after=items[-1].position)
            items.append(_moving(recorded, name))
    return EventPage(items=tuple(items), next_after=None)


def _moving(recorded: RecordedEvent, name: str) -> SourceEvent:
    """By what it moved this account alone, not those whose names go on where its own ends."""
    found = source_event(recorded, own=())
    amount_nano = sum(
        one.amount_nano * ((clean(one.credit) == name) - (clean(one.debit) == name)) for one in found.postings
    )
    return msgspec.structs.replace(found, amount_nano=amount_nano)
