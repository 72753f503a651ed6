"""The log as read models read it."""

from collections.abc import Sequence

import msgspec
import pytest

from application.eventlog import RecordedEvent
from domain.event import UnknownTopic
from domain.ledger.events import RequestAdmitted
from domain.topics import REGISTRY
from projections.tail import Entry, LogTail, OutOfOrder, PlainReader, Selector, require_order
from tests.histories import ListLog, history


class CountingLog(ListLog):
    """Counts how often it is read."""

    reads = 0

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        self.reads += 1
        return super().read_log(after_position=after_position, limit=limit)


def _positions(entries: Sequence[Entry]) -> list[int]:
    return [entry.position for entry in entries]


@pytest.fixture
def log() -> CountingLog:
    return CountingLog(history(1, steps=40))


def test_the_second_reader_reads_nothing(log: CountingLog) -> None:
    """What one read model read at the end of the log, the next takes from memory."""
    tail = LogTail(log)
    first = tail.read(after_position=0, limit=1_000)
    assert tail.read(after_position=0, limit=1_000) == first
    assert log.reads == 1
    middle = first[10].position
    assert _positions(tail.read(after_position=middle, limit=5)) == _positions(first[11:16])
    assert log.reads == 1


def test_new_events_are_seen_behind_what_was_kept(log: CountingLog) -> None:
    """A reader at the end of what is kept asks the log again."""
    tail = LogTail(log)
    head = tail.read(after_position=0, limit=1_000)[-1].position
    assert not tail.read(after_position=head, limit=10)
    log.extend(history(2, steps=5))
    fresh = tail.read(after_position=head, limit=1_000)
    assert _positions(fresh) == [event.position for event in log.events if event.position > head]


def test_a_reader_far_behind_gets_everything(log: CountingLog) -> None:
    """Somebody behind the kept part reads the log, and neither misses nor repeats an event."""
    tail = LogTail(log)
    newest = log.events[-5].position
    tail.read(after_position=newest, limit=1_000)
    position, seen = 0, []
    while entries := tail.read(after_position=position, limit=7):
        seen += _positions(entries)
        position = seen[-1]
    assert seen == [event.position for event in log.events]


def test_a_fact_is_decoded_once(log: CountingLog) -> None:
    """Read models share the decoded fact."""
    entries = LogTail(log).read(after_position=0, limit=1_000)
    topics = frozenset({RequestAdmitted.TOPIC})
    selector = Selector(REGISTRY)
    first, second = selector.select(entries, topics), selector.select(entries, topics)
    assert first
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert {type(one.event) for one in first} == {RequestAdmitted}


def test_an_unknown_topic_is_not_passed_over() -> None:
    """A topic that nobody wants is passed over; one that nobody knows is an error."""
    log = ListLog(history(3, steps=3))
    selector = Selector(REGISTRY)
    entries = PlainReader(log).read(after_position=0, limit=10)
    assert selector.select(entries, frozenset()) == []
    log.events[1] = msgspec.structs.replace(log.events[1], topic="wallet.of-the-future.v9")
    with pytest.raises(UnknownTopic, match=r"of-the-future\.v9"):
        selector.select(PlainReader(log).read(after_position=0, limit=10), frozenset())


def test_positions_must_rise_from_the_checkpoint(log: CountingLog) -> None:
    """P08: an event at or below the checkpoint, or out of order, is refused."""
    entries = list(PlainReader(log).read(after_position=0, limit=5))
    require_order(entries, after_position=0)
    with pytest.raises(OutOfOrder):
        require_order(entries, after_position=entries[0].position)
    with pytest.raises(OutOfOrder):
        require_order([entries[1], entries[0]], after_position=0)
    with pytest.raises(OutOfOrder):
        require_order([entries[0], entries[0]], after_position=0)
