"""What the tests of the archive do with a log, and what they compare."""

from pathlib import Path
from uuid import UUID

import msgspec

from adapters.archive.files import ArchiveDirectory
from adapters.eventstore.catalogue import PostgresArchiveCatalogue
from adapters.eventstore.store import PostgresEventStore
from application.archive.detach import detach_parts
from application.archive.ports import SealedTree
from application.archive.write import write_segments
from application.eventlog import EventStore, NewEvent, RecordedEvent
from domain.event import Event
from domain.ledger.events import WALLET_EVENTS
from domain.topics import REGISTRY

SEGMENT_EVENTS = 60


class Seen(msgspec.Struct, frozen=True):
    """All that can be read of a log."""

    log: list[RecordedEvent]
    streams: dict[UUID, list[RecordedEvent]]
    control: list[RecordedEvent]
    open_leases: list[RecordedEvent]
    head: int


class ArchiveWorld(msgspec.Struct):
    url: str
    path: Path
    store: PostgresEventStore
    files: ArchiveDirectory
    catalogue: PostgresArchiveCatalogue
    sealed: SealedTree | None = None

    def fill(self, events: list[NewEvent], *, parts: int) -> None:
        """Append, and close a part after each share but the last."""
        size = len(events) // parts + 1
        for start in range(0, len(events), size):
            if start:
                self.catalogue.close_part()
            self.store.append(events[start : start + size])

    def write(self) -> int:
        return len(list(write_segments(self.store, self.catalogue, self.files, events_max=SEGMENT_EVENTS)))

    def detach(self) -> int:
        return len(list(detach_parts(self.store, self.catalogue, self.files, sealed=self.sealed, rested_s=0)))

    def archive(self) -> None:
        """All closed parts, as far as they are still there."""
        self.write()
        self.detach()


def read_all(store: EventStore, *, page: int = 37) -> list[RecordedEvent]:
    """The log from its start, as followers read it."""
    log: list[RecordedEvent] = []
    while events := store.read_log(after_position=log[-1].position if log else 0, limit=page):
        log += events
    return log


def look(store: EventStore) -> Seen:
    log = read_all(store)
    return Seen(
        log=log,
        streams={stream_id: store.read_stream(stream_id) for stream_id in {event.stream_id for event in log}},
        control=store.read_control(after_position=0, limit=10_000),
        open_leases=store.read_open_leases(after_position=0, limit=10_000),
        head=store.head_position(),
    )


def accounts_of(log: list[RecordedEvent]) -> set[UUID]:
    """The accounts that have a wallet."""
    return {decoded.account_id for event in log if isinstance(decoded := _decode(event), WALLET_EVENTS)}


def _decode(event: RecordedEvent) -> Event:
    return REGISTRY.decode(event.topic, event.state)
