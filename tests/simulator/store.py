"""The log of a universe: that in memory, which may be away, and which an auditor reads as it grows."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from adapters.eventstore.memory import MemoryEventStore, Outcome
from application.eventlog import LogUnavailable, NewEvent, RecordedEvent
from domain.event import Event, encode
from tests.model.store import REGISTRY, Log, Stored
from tests.model.switches import Switches


class AuditedLog(Log):
    """The log as the model's auditor reads it: each event decoded, with the number of its append."""

    def __init__(self) -> None:
        super().__init__(Switches())


class SimStore(MemoryEventStore):
    """Implements `application.eventlog.EventStore`. While it is `away` every call fails, and nothing is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.audited = AuditedLog()
        self._streams: dict[UUID, list[RecordedEvent]] = {}
        self._groups = 0

    def commit(self, groups: Sequence[Sequence[NewEvent]]) -> list[Outcome]:
        self._require_there()
        outcomes = super().commit(groups)
        for group, outcome in zip(groups, outcomes, strict=True):
            if isinstance(outcome, int):
                self._note(self._log[outcome - len(group) : outcome])
        return outcomes

    def has(self, group: Sequence[NewEvent]) -> int:
        """The position of the last event of `group` if these very events are stored, else 0."""
        position = 0
        for event in group:
            stream = self._streams.get(event.stream_id, [])
            if event.version > len(stream) or stream[event.version - 1].state != event.state:
                return 0
            position = stream[event.version - 1].position
        return position

    def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> list[RecordedEvent]:
        self._require_there()
        return self._streams.get(stream_id, [])[after_version:]

    def read_open_leases(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        self._require_there()
        return super().read_open_leases(after_position=after_position, limit=limit)

    def read_snapshot(self, stream_id: UUID) -> bytes | None:
        self._require_there()
        return super().read_snapshot(stream_id)

    def history(self) -> list[tuple[UUID, int, bytes]]:
        """What happened, without what clocks of the machine have put into it."""
        return [(one.stream_id, one.version, encode(_timeless(one.event))) for one in self.audited.events]

    def _note(self, events: Sequence[RecordedEvent]) -> None:
        self._groups += 1
        for one in events:
            self._streams.setdefault(one.stream_id, []).append(one)
            event = REGISTRY.decode(one.topic, one.state)
            self.audited.events.append(
                Stored(one.position, one.stream_id, one.version, one.topic, one.state, event, self._groups)
            )

    def _require_there(self) -> None:
        if self.away:
            raise LogUnavailable("the database is away")


def _timeless(event: Event) -> Event:
    """Durations are measured by the machine's clock, which no universe can set."""
    return msgspec.structs.replace(event, total_ms=0) if hasattr(event, "total_ms") else event
