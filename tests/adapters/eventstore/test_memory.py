"""The store in memory against the rules, stated apart from it: what may be stored, and what may be refused."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from adapters.eventstore.memory import MemoryEventStore
from application.eventlog import ENDING_TOPICS, NewEvent, VersionConflict

STREAMS = [UUID(int=n) for n in range(1, 4)]

events = st.builds(
    NewEvent,
    st.sampled_from(STREAMS),
    st.integers(1, 5),
    st.sampled_from(["lease.usage-charged.v1", "account.closed.v1", "lease.closed.v1"]),
    st.just(b""),
)
batches = st.lists(st.lists(events, min_size=1, max_size=3), min_size=1, max_size=6)


def misfit(event: NewEvent, before: Sequence[NewEvent]) -> bool:
    """Whether `event` cannot come after the events `before` it in the whole log."""
    stream = [other for other in before if other.stream_id == event.stream_id]
    ended = any(other.topic.startswith(ENDING_TOPICS) for other in stream)
    return ended or event.version != len(stream) + 1


@given(st.lists(batches, min_size=1, max_size=6))
def test_exactly_what_fits_is_stored(history: list[list[list[NewEvent]]]) -> None:
    """A group is stored whole if all of it fits and no stream of it was refused before in its batch; else not at all.

    The refusal names a stream of the group; positions count the stored events in the order given.
    """
    store = MemoryEventStore()
    log: list[NewEvent] = []
    for batch in history:
        tainted: set[UUID] = set()
        for group, outcome in zip(batch, store.commit(batch), strict=True):
            fits = not any(
                event.stream_id in tainted or misfit(event, [*log, *group[:index]])
                for index, event in enumerate(group)
            )
            if fits:
                log += group
                assert outcome == len(log)
            else:
                tainted |= {event.stream_id for event in group}
                assert isinstance(outcome, VersionConflict)
                assert outcome.stream_id in tainted
    read = store.read_log(after_position=0, limit=1000)
    assert [NewEvent(e.stream_id, e.version, e.topic, e.state) for e in read] == log
    assert [e.position for e in read] == list(range(1, len(log) + 1))
    for stream_id in STREAMS:
        versions = [e.version for e in store.read_stream(stream_id)]
        assert versions == list(range(1, len(versions) + 1))
