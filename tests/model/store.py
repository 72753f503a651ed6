"""The event log in memory, under the rules of the real one, with a network that loses replies and delays requests.

Versions of a stream start at 1 without gaps. A group is stored whole or not at all, each of its streams from
head + 1 on; within a batch every later group on a stream of a failed one fails too. Positions have gaps.
"""

from collections.abc import Sequence
from enum import Enum
from uuid import UUID

import msgspec

from application.eventlog import ENDING_TOPICS, NewEvent, VersionConflict
from domain.balance_alerts import LOW_BALANCE_EVENTS
from domain.budgets.events import SHARE_EVENTS
from domain.event import Event, TopicRegistry, encode
from domain.ledger.adjustments import ADJUSTMENT_EVENTS
from domain.ledger.charges import CHARGE_EVENTS
from domain.ledger.events import LEDGER_EVENTS
from domain.ledger.idempotency import IDEMPOTENCY_EVENTS
from domain.promotions.events import PROMOTION_EVENTS
from tests.model.switches import Switches

REGISTRY = TopicRegistry(
    *LEDGER_EVENTS,
    *IDEMPOTENCY_EVENTS,
    *SHARE_EVENTS,
    *CHARGE_EVENTS,
    *ADJUSTMENT_EVENTS,
    *PROMOTION_EVENTS,
    *LOW_BALANCE_EVENTS,
)
POSITIONS_APART = 1000  #: between the first events of two groups; far more than a group has events

Batch = Sequence[Sequence[NewEvent]]


class Fate(Enum):
    """What becomes of a batch that was sent."""

    ANSWERED = "stored as far as it fits, and the sender is told"
    LOST = "never arrived; the sender does not know"
    STORED = "stored as far as it fits; the sender does not know"
    LATE = "still on its way; the sender does not know"


class Stored(msgspec.Struct, frozen=True):
    """One event of the log, with what its bytes decode to. `group` numbers the append that it came with."""

    position: int
    stream_id: UUID
    version: int
    topic: str
    state: bytes
    event: Event
    group: int


def new_event(stream_id: UUID, version: int, event: Event) -> NewEvent:
    return NewEvent(stream_id, version, event.TOPIC, encode(event))


class Log:
    """Streams, and all events in the order of their positions."""

    def __init__(self, switches: Switches) -> None:
        self.events: list[Stored] = []
        self.on_the_way: list[Batch] = []
        self._switches = switches
        self._streams: dict[UUID, list[Stored]] = {}
        self._groups = 0
        self._position = 0

    # --- writing

    def append(self, group: Sequence[NewEvent]) -> None:
        """Raises `VersionConflict`; nothing was stored then."""
        if not self.append_batch([group])[0]:
            raise VersionConflict(group[0].stream_id)

    def append_batch(self, groups: Batch) -> list[bool]:
        """One transaction: which of the groups were stored."""
        failed: set[UUID] = set()
        outcomes = []
        for group in groups:
            streams = {event.stream_id for event in group}
            poisoned = self._switches.fails_what_follows and not failed.isdisjoint(streams)
            fitting = [] if poisoned else self._fitting(group)
            outcomes.append(len(fitting) == len(group))
            if not outcomes[-1]:
                failed |= streams
                if self._switches.groups_are_atomic:
                    continue
            self._store(fitting)
        return outcomes

    def send(self, groups: Batch, fate: Fate) -> None:
        """Send a batch whose outcome nobody is told."""
        if fate is Fate.STORED:
            self.append_batch(groups)
        elif fate is Fate.LATE:
            self.on_the_way.append(groups)

    def deliver(self, which: int) -> None:
        """A batch arrives that was on its way for a while."""
        if self.on_the_way:
            self.append_batch(self.on_the_way.pop(which % len(self.on_the_way)))

    # --- reading

    def head(self, stream_id: UUID) -> int:
        return len(self._streams.get(stream_id, ()))

    def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> list[Stored]:
        return self._streams.get(stream_id, [])[after_version:]

    def read_log(self, *, after_position: int) -> list[Stored]:
        """The visible events above a position, in the order of their positions."""
        first = len(self.events)
        while first and self.events[first - 1].position > after_position:
            first -= 1
        return self.events[first:]

    def has(self, group: Sequence[NewEvent]) -> bool:
        """Whether these very events stand at these versions."""
        return all(self._has(event) for event in group)

    # --- inside

    def _has(self, event: NewEvent) -> bool:
        stream = self._streams.get(event.stream_id, [])
        return event.version <= len(stream) and stream[event.version - 1].state == event.state

    def _fitting(self, group: Sequence[NewEvent]) -> list[NewEvent]:
        """The events of streams whose versions fit; all of them, or the group conflicts."""
        heads: dict[UUID, int] = {}
        misfits: set[UUID] = set()
        for event in group:
            head = heads.get(event.stream_id, self.head(event.stream_id))
            if event.version != head + 1 and self._switches.checks_versions:
                misfits.add(event.stream_id)
            if event.stream_id not in heads and self._has_ended(event.stream_id):
                misfits.add(event.stream_id)
            heads[event.stream_id] = head + 1
        return [event for event in group if event.stream_id not in misfits]

    def _has_ended(self, stream_id: UUID) -> bool:
        stream = self._streams.get(stream_id)
        if not stream or not self._switches.checks_endings:
            return False
        return stream[-1].topic.startswith(ENDING_TOPICS)

    def _store(self, group: Sequence[NewEvent]) -> None:
        self._groups += 1
        # Without the lock that orders the log, a transaction can draw its positions first and commit last.
        late = not self._switches.positions_follow_commits and self._groups % 3 == 0
        first = self._position - POSITIONS_APART // 2 if late else self._position + POSITIONS_APART
        for offset, new in enumerate(group):
            stream = self._streams.setdefault(new.stream_id, [])
            event = REGISTRY.decode(new.topic, new.state)
            version = len(stream) + 1
            stored = Stored(first + offset, new.stream_id, version, new.topic, new.state, event, self._groups)
            stream.append(stored)
            self.events.append(stored)
        if late:
            self.events.sort(key=lambda stored: stored.position)
        self._position = max(self._position, first)
