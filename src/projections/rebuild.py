"""Builds a read model from the whole log beside the one in use, then switches to it.

Until the switch the one in use is not touched: its runner goes on, its readers see it, and a rebuild that dies
leaves only tables that the next one drops. The switch is one transaction and never goes back in the log.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import structlog
from psycopg import errors

from application.projections import Comparison, ContentHash, RebuildRunning
from domain.event import TopicRegistry
from projections import failures, generations
from projections.content import content_hash, hash_tables
from projections.projection import Connection, Projection
from projections.tail import LogReader, Selector, require_order
from projections.writing import store

#: So many that most requests begin and end within a batch: then their row is written once.
REBUILD_BATCH_EVENTS = 25_000
#: Between two tries to switch while someone reads: while a try waits, other readers wait behind it.
SWITCH_PAUSE_S = 1.0

Told = Callable[[int], None]
"""Is told how far a rebuild is; what it raises ends the rebuild, and what is in use stays as it is."""

log = structlog.get_logger()


def nobody_told(_: int) -> None:
    """Nobody looks on."""


class Rebuild:
    """One rebuild of one read model; `connection` is its own, in autocommit mode.

    Raises (all methods):
        UnknownTopic, OutOfOrder, msgspec.ValidationError, psycopg.Error: an event cannot be taken; the read
            model in use is untouched.
    """

    def __init__(
        self,
        connection: Connection,
        projection: Projection,
        *,
        reader: LogReader,
        registry: TopicRegistry,
        batch_events: int = REBUILD_BATCH_EVENTS,
    ) -> None:
        self._connection = connection
        self._projection = projection
        self._reader = reader
        self._selector = Selector(registry)
        self._batch_events = batch_events
        self._generation = 0
        self._position = 0

    @property
    def position(self) -> int:
        """Up to where it has read the log."""
        return self._position

    def run(self, tell: Told = nobody_told) -> ContentHash:
        """Build, catch up, switch; returns the hash of what is in use then.

        Raises:
            RebuildRunning: another one is at it.
        """
        with self.prepared():
            while self.step():
                tell(self._position)
            return self.put_to_use()

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Keep other rebuilds of this read model out, with empty tables to fill by `step`.

        Raises:
            RebuildRunning: another one is at it.
        """
        key = generations.lock_key("rebuild", self._projection.name)
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
        if row is None or not row[0]:
            raise RebuildRunning(self._projection.name)
        try:
            self._prepare()
            yield
        finally:
            if not self._connection.closed:
                self._connection.execute("RESET synchronous_commit")
                self._connection.execute("SELECT pg_advisory_unlock(%s)", [key])

    def step(self, *, to_position: int | None = None) -> bool:
        """Take one batch, of events up to `to_position` if that is given; false when there was nothing to take."""
        entries = self._reader.read(after_position=self._position, limit=self._batch_events)
        if to_position is not None:
            entries = [entry for entry in entries if entry.position <= to_position]
        if not entries:
            return False
        require_order(entries, after_position=self._position)
        facts = self._selector.select(entries, self._projection.topics)
        if facts:
            schema = generations.schema_of(self._projection.name, self._generation)
            store(self._connection, schema, self._projection.fold(self._connection, schema, facts))
        self._position = entries[-1].position
        return True

    def put_to_use(self) -> ContentHash:
        """Catch up and switch; the hash of what is in use then."""
        generations.loosen(self._connection, self._projection, generation=self._generation)
        generations.create_indexes(self._connection, self._projection, generation=self._generation)
        while not self._switch():
            time.sleep(SWITCH_PAUSE_S)
            self._catch_up()
        generations.drop_leftovers(self._connection, self._projection.name)
        return content_hash(self._connection, self._projection)

    def compare(self) -> Comparison:
        """Build up to where the one in use is, and hash both; it waits meanwhile, and nothing is switched.

        Raises:
            RebuildRunning: another rebuild is at it.
        """
        name = self._projection.name
        with self.prepared():
            while self.step(to_position=generations.require(self._connection, name).position):
                pass
            with self._connection.transaction():
                # Holds up the runner in front of its next batch, so that both are of one position.
                self._connection.execute("SELECT 1 FROM projections WHERE name = %s FOR UPDATE", [name])
                in_use = generations.require(self._connection, name)
                while self.step(to_position=in_use.position):
                    pass
                live, rebuilt = (
                    ContentHash(
                        in_use.position, *hash_tables(self._connection, self._projection, generation=one)
                    )
                    for one in (in_use.generation, self._generation)
                )
            generations.drop_leftovers(self._connection, name)
        return Comparison(name, live, rebuilt)

    def _prepare(self) -> None:
        generations.drop_leftovers(self._connection, self._projection.name)
        in_use = generations.require(self._connection, self._projection.name)
        taken = generations.leftovers(self._connection, self._projection.name, in_use=in_use.generation)
        self._generation = 1 + max(in_use.generation, *(int(schema.rsplit("_", 1)[1]) for schema in taken), 0)
        # What a crash may take of tables that are not in use, the next rebuild makes again; the switch waits for all of it.
        self._connection.execute("SET synchronous_commit = off")
        with self._connection.transaction():
            generations.create_tables(self._connection, self._projection, generation=self._generation)

    def _catch_up(self) -> None:
        while self.step():
            pass

    def _switch(self) -> bool:
        """Put the new tables to use in one transaction; false, and nothing done, while a reader is in the way."""
        reached = self._position
        try:
            with self._connection.transaction():
                generations.set_lock_timeout(self._connection)
                self._connection.execute("SET LOCAL synchronous_commit = on")
                self._catch_up_and_show()
        except errors.LockNotAvailable:
            self._position = reached
            log.info("projection_switch_waits", projection=self._projection.name)
            return False
        log.info(
            "projection_rebuilt",
            projection=self._projection.name,
            generation=self._generation,
            position=self._position,
        )
        return True

    def _catch_up_and_show(self) -> None:
        name = self._projection.name
        # Holds up the runner in front of its next batch: it will find the new generation and go on from there.
        self._connection.execute("SELECT 1 FROM projections WHERE name = %s FOR UPDATE", [name])
        in_use = generations.require(self._connection, name)
        while self._position < in_use.position and self.step():
            pass
        is_new_shape = in_use.version != self._projection.version
        generations.show(
            self._connection, self._projection, generation=self._generation, is_new_shape=is_new_shape
        )
        self._connection.execute(
            "UPDATE projections SET version = %s, generation = %s, position = %s WHERE name = %s",
            [self._projection.version, self._generation, self._position, name],
        )
        if in_use.has_recovered(self._position):
            failures.forget(self._connection, name)


def side_by_side(rebuilds: Sequence[Rebuild], tell: Told = nobody_told) -> list[ContentHash]:
    """Take prepared rebuilds to the end of the log, batch by batch, then put each to use; hashes in their order.

    In threads: while the server writes the rows of one, another is folded.
    """
    with ThreadPoolExecutor(max_workers=len(rebuilds)) as threads:
        while any([*threads.map(Rebuild.step, rebuilds)]):
            tell(min(one.position for one in rebuilds))
        return [*threads.map(Rebuild.put_to_use, rebuilds)]
