"""A gateway's journal: groups wait in a queue, one batch is on the wire, an unknown outcome is read back.

A group that conflicts takes every later queued group down that touches one of its streams.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from application.eventlog import NewEvent
from tests.model.store import Fate, Log
from tests.model.switches import Switches


def nothing() -> None:
    """Nothing follows."""


class Group(msgspec.Struct, eq=False):
    """Events that are stored together or not at all, and what their owner does then."""

    events: list[NewEvent]
    stored: Callable[[], None] = nothing
    then: Callable[[], None] = nothing  #: after `stored`, when all that failed has been put in order
    redo: Callable[[], None] = nothing  #: when a stream had moved on

    @property
    def streams(self) -> set[UUID]:
        return {event.stream_id for event in self.events}


class Outcome(msgspec.Struct):
    """What became of a batch."""

    stored: Sequence[Group] = ()
    failed: Sequence[Group] = ()


class Journal:
    """One process's way into the log."""

    def __init__(self, log: Log, switches: Switches) -> None:
        self._log = log
        self._switches = switches
        self.queue: list[Group] = []
        self.doubt: list[Group] = []  #: sent; the reply was lost

    @property
    def is_idle(self) -> bool:
        return not self.queue and not self.doubt

    def touches(self, stream_id: UUID) -> bool:
        """Whether something about a stream waits to be stored."""
        return any(stream_id in group.streams for group in [*self.queue, *self.doubt])

    def flush(self, count: int, fate: Fate) -> Outcome:
        """Send up to `count` groups; an earlier doubt is resolved instead."""
        if self.doubt:
            return self.resolve()
        batch, self.queue = self.queue[:count], self.queue[count:]
        if fate is Fate.ANSWERED:
            return self._outcome(batch, self._log.append_batch([group.events for group in batch]))
        self._log.send([group.events for group in batch], fate)
        self.doubt = batch
        return Outcome()

    def resolve(self) -> Outcome:
        """Find out what became of the batch in doubt; what is not there is sent again."""
        batch, self.doubt = self.doubt, []
        known = self._switches.reads_doubt_back
        again = [group for group in batch if not (known and self._log.has(group.events))]
        if self._switches.keeps_versions_on_retry:
            fits = self._log.append_batch([group.events for group in again])
        else:
            fits = [renumber_and_append(self._log, group) for group in again]
        accepted = {id(group) for group, fit in zip(again, fits, strict=True) if fit}
        refused = {id(group) for group in again} - accepted
        return self._outcome(batch, [id(group) not in refused for group in batch])

    def _outcome(self, batch: Sequence[Group], fits: Sequence[bool]) -> Outcome:
        failed = [group for group, fit in zip(batch, fits, strict=True) if not fit]
        streams = {stream_id for group in failed for stream_id in group.streams}
        waiting: list[Group] = []
        for group in self.queue:
            if self._switches.fails_what_follows and not streams.isdisjoint(group.streams):
                streams |= group.streams
                failed.append(group)
            else:
                waiting.append(group)
        self.queue = waiting
        return Outcome([group for group, fit in zip(batch, fits, strict=True) if fit], failed)


def renumber_and_append(log: Log, group: Group) -> bool:
    """What no journal may do: store a decision at whatever version comes next."""
    heads: dict[UUID, int] = {}
    events = []
    for event in group.events:
        heads[event.stream_id] = heads.get(event.stream_id, log.head(event.stream_id)) + 1
        events.append(NewEvent(event.stream_id, heads[event.stream_id], topic=event.topic, state=event.state))
    return log.append_batch([events])[0]
