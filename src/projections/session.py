"""One turn of one read model: batches of events become rows, and the position moves with them.

Exactly once, whoever else runs: see `writing`. A read model that cannot take an event stops in front of it and
says so; it never skips.
"""

from collections.abc import Sequence

import psycopg
import structlog

from application.clock import Clock
from application.eventlog import LogUnavailable
from domain.event import UnknownTopic
from projections import failures, generations
from projections.projection import Connection, Projection
from projections.tail import Entry, LogReader, OutOfOrder, Selector, require_order
from projections.writing import store_and_move

#: SQLSTATE classes that the next try may not meet: connection lost, out of resources, operator intervention,
#: rollback by the server, lock not available.
_PASSING = ("08", "53", "57", "40", "55")

log = structlog.get_logger()


class ProjectionFailed(Exception):
    """A read model cannot take the event behind its position; it stays there."""


class Outdated(Exception):
    """The tables are of another version of the code: rebuild the read model. Nothing was written."""


class Session:
    """Owns nothing: the caller holds the connection and the advisory lock that keeps others from the same work."""

    def __init__(
        self,
        connection: Connection,
        projection: Projection,
        *,
        reader: LogReader,
        selector: Selector,
        clock: Clock,
        batch_events: int,
    ) -> None:
        """Find out where the read model stands.

        Raises:
            NotInstalled, Outdated: its tables do not fit this code.
        """
        self._connection = connection
        self._projection = projection
        self._reader = reader
        self._selector = selector
        self._clock = clock
        self._limit = batch_events
        self._standing = self._find()

    @property
    def position(self) -> int:
        """The last event that is in the rows, as far as this session knows."""
        return self._standing.position

    def step(self) -> int:
        """Take one batch; returns how many events it read, 0 at the end of the log.

        A batch that somebody else has taken, or that met the switch of a rebuild, counts too: go on.

        Raises:
            ProjectionFailed: the next event cannot be taken; the failure stands in `projection_failures`.
            psycopg.OperationalError, LogUnavailable: the database is away; the batch is not stored.
        """
        entries = self._reader.read(after_position=self.position, limit=self._limit)
        if not entries:
            return 0
        try:
            self._take(entries)
        except Exception as error:
            if may_pass(error):
                raise
            if self._was_switched():  # and the tables that the statement named are gone
                return len(entries)
            if len(entries) == 1 or isinstance(error, OutOfOrder):
                self._stop(entries[0].position, error)
                raise ProjectionFailed(self._projection.name) from error
            self._limit = len(entries) // 2  # close in on the event that fails, taking those before it
            return self.step()
        return len(entries)

    def _take(self, entries: Sequence[Entry]) -> None:
        require_order(entries, after_position=self.position)
        standing, name = self._standing, self._projection.name
        facts = self._selector.select(entries, self._projection.topics)
        last = entries[-1].position
        writes = self._projection.fold(self._connection, standing.schema(name), facts) if facts else ()
        moved = store_and_move(self._connection, name, standing, writes, position=last)
        if moved and not standing.has_recovered(last):
            self._standing = standing.moved_to(last)
        else:
            self._standing = self._find()

    def _was_switched(self) -> bool:
        """True if a rebuild has put other tables to use; from now on they are ours."""
        before = self._standing.generation
        self._standing = self._find()
        return self._standing.generation != before

    def _find(self) -> generations.Standing:
        standing = generations.require(self._connection, self._projection.name)
        if standing.version != self._projection.version:
            raise Outdated(self._projection.name)
        return standing

    def _stop(self, position: int, error: Exception) -> None:
        reason = describe(error)
        failures.record(
            self._connection,
            self._projection.name,
            position=position,
            error=reason,
            now_us=self._clock.now_us(),
        )
        log.error("projection_stopped", projection=self._projection.name, position=position, error=reason)


def may_pass(error: Exception) -> bool:
    """True if the fault lies with the servers, not with the event."""
    if isinstance(error, psycopg.OperationalError):
        return error.sqlstate is None or error.sqlstate.startswith(_PASSING)
    return isinstance(error, (LogUnavailable, psycopg.InterfaceError))


def describe(error: Exception) -> str:
    """The class of a failure; never its message, which may show values of a row."""
    name = type(error).__name__
    if isinstance(error, psycopg.Error):
        return f"{name} {error.sqlstate}"
    return f"{name} {error}" if isinstance(error, (UnknownTopic, OutOfOrder)) else name
