"""The newest events, read from the log once and decoded once for all read models of a process."""

import threading
from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Protocol

from application.eventlog import RecordedEvent
from application.projections import ReadableLog
from domain.event import TopicRegistry, UnknownTopic
from projections.projection import Located

_position = attrgetter("position")


class OutOfOrder(Exception):
    """The log gave an event at or below the position that it was asked to go on from; nothing was written."""


class Entry:
    """One stored event, decoded when first asked for."""

    __slots__ = ("_located", "_recorded", "position", "topic")

    def __init__(self, recorded: RecordedEvent) -> None:
        self.position = recorded.position
        self.topic = recorded.topic
        self._recorded = recorded
        self._located: Located | None = None

    def located(self, registry: TopicRegistry) -> Located:
        if self._located is None:
            recorded = self._recorded
            event = registry.decode(recorded.topic, recorded.state)
            self._located = Located(
                recorded.position, recorded.stream_id, recorded.recorded_at_us, event, recorded.version
            )
        return self._located


class Selector:
    """Picks and decodes the facts that a read model folds."""

    def __init__(self, registry: TopicRegistry) -> None:
        self._registry = registry
        self._known = frozenset(registry.topics())

    def select(self, entries: Sequence[Entry], topics: frozenset[str]) -> list[Located]:
        """The facts of `topics` among `entries`.

        Raises:
            UnknownTopic: this code is older than the log; who knows what the event would change.
            msgspec.ValidationError: the log is damaged.
        """
        facts = []
        for entry in entries:
            if entry.topic in topics:
                facts.append(entry.located(self._registry))
            elif entry.topic not in self._known:
                raise UnknownTopic(entry.topic)
        return facts


def require_order(entries: Sequence[Entry], *, after_position: int) -> None:
    """Check what every fold stands on: positions behind the checkpoint, each above the one before.

    Raises:
        OutOfOrder: the log went back.
    """
    previous = after_position
    for entry in entries:
        if entry.position <= previous:
            raise OutOfOrder(f"{entry.position} came after {previous}")
        previous = entry.position


class LogReader(Protocol):
    """Gives the log in batches."""

    def read(self, *, after_position: int, limit: int) -> Sequence[Entry]:
        """At most `limit` events behind a position, in order; none when there is no newer one."""
        ...


class PlainReader:
    """Reads the log as it is asked to; for rebuilds, which are far from its end."""

    def __init__(self, store: ReadableLog) -> None:
        self._store = store

    def read(self, *, after_position: int, limit: int) -> Sequence[Entry]:
        return [Entry(event) for event in self._store.read_log(after_position=after_position, limit=limit)]


class SharedReader:
    """Reads a batch once for several who go through the log side by side; each event is decoded once.

    Safe to use from threads.
    """

    def __init__(self, store: ReadableLog) -> None:
        self._reader = PlainReader(store)
        self._lock = threading.Lock()
        self._asked = (-1, 0)
        self._entries: Sequence[Entry] = ()

    def read(self, *, after_position: int, limit: int) -> Sequence[Entry]:
        with self._lock:
            if self._asked != (after_position, limit):
                self._entries = self._reader.read(after_position=after_position, limit=limit)
                self._asked = (after_position, limit)
            return self._entries


class LogTail:
    """Keeps the last batch that reached the end of the log, so that the second read model need not read it.

    Safe to use from threads.
    """

    def __init__(self, store: ReadableLog) -> None:
        self._reader = PlainReader(store)
        self._lock = threading.Lock()
        self._after = 0  #: the window holds every event behind this position ...
        self._window: Sequence[Entry] = ()  #: ... up to its last

    def read(self, *, after_position: int, limit: int) -> Sequence[Entry]:
        if after_position < self._after:
            return self._reader.read(after_position=after_position, limit=limit)
        with self._lock:
            kept = self._kept(after_position, limit)
            if kept:
                return kept
            entries = self._reader.read(after_position=after_position, limit=limit)
            if 0 < len(entries) < limit:
                self._after, self._window = after_position, entries
            return entries

    def _kept(self, after_position: int, limit: int) -> Sequence[Entry]:
        if after_position < self._after:
            return ()
        start = bisect_right(self._window, after_position, key=_position)
        return self._window[start : start + limit]
