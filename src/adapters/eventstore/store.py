"""The event log in Postgres, for commands, reapers, projectors and followers: blocking, safe to use from threads."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import args_row

from adapters.archive.files import ArchiveDirectory
from adapters.archive.reading import ArchiveReader
from adapters.eventstore import statements
from adapters.eventstore.batch import Batch, read_back
from adapters.eventstore.connection import BoundedConnection, Limits, connect
from adapters.eventstore.pool import Pool, PoolBusy
from adapters.eventstore.wakeups import NOTIFY
from adapters.eventstore.wire import UNENCODABLE
from application.archive.ports import ArchiveFiles
from application.archive.segment import Manifest, SegmentDamaged, decode_manifest
from application.eventlog import (
    LogUnavailable,
    NewEvent,
    OutcomeUnknown,
    RecordedEvent,
    UnstorableEvent,
    VersionConflict,
)

_RETRY_WAIT_S: Final = 0.1
_READS_MAX: Final = 2

_T = TypeVar("_T")


class PostgresEventStore:
    """Implements `application.eventlog.EventStore` over a small pool of connections, and the archive where it goes on.

    What every start reads (control events, open leases) is in the database for good; the archive is read for whole
    histories: of the log, and of a stream that sleeps or has ended.

    After an append of anything but lease events it wakes the followers, in a transaction of its own: a NOTIFY takes
    a database-wide lock at its commit, which must not come under the lock that orders the log.
    """

    def __init__(
        self,
        database_url: str,
        *,
        connections_max: int = 4,
        limits: Limits | None = None,
        application_name: str = "tokenok-store",
        archive: ArchiveFiles | None = None,
    ) -> None:
        bounds = self._limits = limits or Limits()
        self._pool = Pool(
            lambda: connect(database_url, limits=bounds, application_name=application_name),
            size_max=connections_max,
            wait_s=bounds.connect_s,
        )
        self._archive = ArchiveReader(archive or ArchiveDirectory(None), self._archived)

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, events: Sequence[NewEvent]) -> int:
        assert events
        batch = _batch(events)
        give_up_at_s: float | None = None  # once the append is in doubt
        while True:
            try:
                with self._pool.connection() as connection:
                    (outcome,) = batch.commit(connection)
                break
            except psycopg.DataError as error:
                raise UnstorableEvent(str(error)) from error
            except psycopg.errors.UniqueViolation as error:
                # A writer with the library's own lock came between our check and our insert.
                raise VersionConflict(events[0].stream_id) from error
            except psycopg.Error as error:
                if not batch.in_doubt:
                    raise LogUnavailable(str(error)) from error
                give_up_at_s = self._wait_before_repeat(give_up_at_s, error)
        if isinstance(outcome, VersionConflict):
            raise outcome
        self._wake_followers(events)
        return outcome

    def append_locked(
        self,
        stream_ids: Sequence[UUID],
        decide: Callable[[list[RecordedEvent]], Sequence[NewEvent]],
        *,
        after_versions: dict[UUID, int] | None = None,
    ) -> Sequence[NewEvent]:
        after = [(after_versions or {}).get(stream_id, 0) for stream_id in stream_ids]
        decided: Sequence[NewEvent] = ()
        committing = False
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute(statements.LOCK)
                tails = _fetch(connection, statements.TAILS, (list(stream_ids), after))
                older = [
                    event
                    for stream_id, version in zip(stream_ids, after, strict=True)
                    for event in self._older(connection, tails, stream_id, version)
                ]
                decided = decide(sorted([*older, *tails], key=_position) if older else tails)
                if not decided:
                    return ()
                (outcome,) = _batch(decided).commit(connection)
                if isinstance(outcome, VersionConflict):
                    raise outcome
                committing = True
        except psycopg.DataError as error:
            raise UnstorableEvent(str(error)) from error
        except psycopg.errors.UniqueViolation as error:
            raise VersionConflict(decided[0].stream_id) from error
        except psycopg.Error as error:
            if not committing:
                raise LogUnavailable(str(error)) from error
            self._require_stored(decided)
        self._wake_followers(decided)
        return decided

    def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> list[RecordedEvent]:
        def read(connection: BoundedConnection) -> list[RecordedEvent]:
            events = _fetch(connection, statements.STREAM, (stream_id, after_version))
            return [*self._older(connection, events, stream_id, after_version), *events]

        return self._reading(read)

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        page = self._read(statements.LOG, (after_position, after_position, limit))
        if page:
            return page
        until = self._number(statements.UNTIL)
        if after_position >= until:
            return page
        page = self._archive.read_log(after_position=after_position, limit=limit)
        if len(page) < limit:
            page += self._read(statements.LOG, (until, until, limit - len(page)))
        return page

    def read_control(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        return self._read(statements.CONTROL, (after_position, limit))

    def read_open_leases(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        return self._read(statements.OPEN_LEASES, (after_position, limit))

    def read_snapshot(self, stream_id: UUID) -> bytes | None:
        row = self._reading(
            lambda connection: connection.execute(statements.SNAPSHOT, (stream_id,)).fetchone()
        )
        return None if row is None else bytes(row[0])

    def keep_snapshot(self, stream_id: UUID, version: int, state: bytes) -> None:
        with suppress(psycopg.Error), self._pool.connection() as connection:
            connection.execute(statements.KEEP_SNAPSHOT, (stream_id, version, state))

    def head_position(self) -> int:
        return self._number(statements.HEAD)

    def poke(self, message: str = "log") -> None:
        """Wake whoever listens. A hint: it may get lost, so this never raises for the database's sake."""
        with suppress(psycopg.Error), self._pool.connection() as connection:
            connection.execute(NOTIFY, (message,))

    def _wake_followers(self, events: Sequence[NewEvent]) -> None:
        if not all(event.topic.startswith("lease.") for event in events):
            self.poke()

    def _older(
        self,
        connection: BoundedConnection,
        events: Sequence[RecordedEvent],
        stream_id: UUID,
        after_version: int,
    ) -> list[RecordedEvent]:
        """What a stream has in the archive between a version and the first of its events that were read.

        Raises:
            SegmentMissing, SegmentDamaged: the archive has not all of it.
        """
        first = next((event.version for event in events if event.stream_id == stream_id), None)
        if first == after_version + 1:
            return []
        place = connection.execute(statements.PLACE, (stream_id, after_version)).fetchone()
        if place is None:
            return []
        first_position, last_position, version = place
        wanted = range(after_version + 1, first or version + 1)
        found = self._archive.read_stream(
            stream_id, after_version=after_version, within=(first_position, last_position)
        )
        older = [event for event in found if event.version in wanted]
        if [event.version for event in older] != list(wanted):
            raise SegmentDamaged(f"the archive has not all events of the stream {stream_id}")
        return older

    def _archived(self) -> list[Manifest]:
        rows = self._reading(lambda connection: connection.execute(statements.MANIFESTS).fetchall())
        return [decode_manifest(bytes(row[0])) for row in rows]

    def _number(self, query: str) -> int:
        row = self._reading(lambda connection: connection.execute(query.encode()).fetchone())
        assert row is not None
        return int(row[0])

    def _read(self, query: str, parameters: Sequence[Any]) -> list[RecordedEvent]:
        return self._reading(lambda connection: _fetch(connection, query, parameters))

    def _reading(self, read: Callable[[BoundedConnection], _T]) -> _T:
        """Read, and once more if the connection broke meanwhile."""
        for attempt in range(1, _READS_MAX + 1):
            try:
                with self._pool.connection() as connection:
                    return read(connection)
            except psycopg.Error as error:
                if attempt == _READS_MAX or not _is_connection_loss(error):
                    raise LogUnavailable(str(error)) from error
        raise AssertionError

    def _require_stored(self, events: Sequence[NewEvent]) -> None:
        """The answer to a commit got lost: see what became of it.

        Whoever holds the lock of the log knows that the lost transaction is over: it held the lock itself.

        Raises:
            LogUnavailable: it was rolled back.
            OutcomeUnknown: the database stayed away.
        """
        give_up_at_s: float | None = None
        while True:
            try:
                with self._pool.connection() as connection, connection.transaction():
                    connection.execute(statements.LOCK)
                    found = read_back(connection, events)
                break
            except psycopg.Error as error:
                give_up_at_s = self._wait_before_repeat(give_up_at_s, error)
        if not all(event in found for event in events):
            raise LogUnavailable("the connection was lost before the commit")

    def _wait_before_repeat(self, give_up_at_s: float | None, error: psycopg.Error) -> float:
        """A pause; returns when to give up, which is set by the first. Raises `OutcomeUnknown` when it is time."""
        now_s = time.monotonic()
        if give_up_at_s is None:
            return now_s + self._limits.resolve_s
        if now_s > give_up_at_s:
            raise OutcomeUnknown(str(error)) from error
        time.sleep(_RETRY_WAIT_S)
        return give_up_at_s


def _batch(events: Sequence[NewEvent]) -> Batch:
    try:
        return Batch([events])
    except UNENCODABLE as error:
        raise UnstorableEvent(str(error)) from error


def _fetch(connection: BoundedConnection, query: str, parameters: Sequence[Any]) -> list[RecordedEvent]:
    with connection.cursor(binary=True, row_factory=args_row(RecordedEvent)) as cursor:
        return cursor.execute(query, parameters).fetchall()


def _position(event: RecordedEvent) -> int:
    return event.position


def _is_connection_loss(error: psycopg.Error) -> bool:
    """Whether it was broken, or ended by the server (class 57P), rather than a statement that failed."""
    if isinstance(error, PoolBusy) or not isinstance(error, psycopg.OperationalError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith("57P")
