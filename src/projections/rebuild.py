"""Builds a read model from the whole log beside the one in use, then switches to it.

Until the switch the one in use is not touched: its runner goes on, its readers see it, and a rebuild that dies
leaves only tables that the next one drops. The switch is one transaction and never goes back in the log.
"""

import time

import structlog
from psycopg import errors

from application.projections import ContentHash, ReadableLog, RebuildRunning
from domain.event import TopicRegistry
from projections import catalog, failures
from projections.content import content_hash
from projections.projection import Connection, Projection
from projections.tail import PlainReader, Selector, require_order
from projections.writing import store

REBUILD_BATCH_EVENTS = 5_000
#: Between two tries to switch while someone reads: while a try waits, other readers wait behind it.
SWITCH_PAUSE_S = 1.0

log = structlog.get_logger()


class Rebuild:
    """One rebuild of one read model; `connection` is its own, in autocommit mode."""

    def __init__(
        self,
        connection: Connection,
        projection: Projection,
        *,
        store: ReadableLog,
        registry: TopicRegistry,
        batch_events: int = REBUILD_BATCH_EVENTS,
    ) -> None:
        self._connection = connection
        self._projection = projection
        self._reader = PlainReader(store)
        self._selector = Selector(registry)
        self._batch_events = batch_events
        self._generation = 0
        self._position = 0

    def run(self) -> ContentHash:
        """Build, catch up, switch; returns the hash of what is in use then.

        Raises:
            RebuildRunning: another one is at it.
            UnknownTopic, OutOfOrder, msgspec.ValidationError, psycopg.Error: an event cannot be taken; the read
                model in use is untouched.
        """
        key = catalog.lock_key("rebuild", self._projection.name)
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
        if row is None or not row[0]:
            raise RebuildRunning(self._projection.name)
        try:
            self._prepare()
            self._catch_up()
            catalog.loosen(self._connection, self._projection, generation=self._generation)
            catalog.create_indexes(self._connection, self._projection, generation=self._generation)
            while not self._switch():
                time.sleep(SWITCH_PAUSE_S)
                self._catch_up()
            catalog.drop_leftovers(self._connection, self._projection.name)
            return content_hash(self._connection, self._projection)
        finally:
            if not self._connection.closed:
                self._connection.execute("SELECT pg_advisory_unlock(%s)", [key])

    def _prepare(self) -> None:
        catalog.drop_leftovers(self._connection, self._projection.name)
        in_use = catalog.require(self._connection, self._projection.name)
        taken = catalog.leftovers(self._connection, self._projection.name, in_use=in_use.generation)
        self._generation = 1 + max(in_use.generation, *(int(schema.rsplit("_", 1)[1]) for schema in taken), 0)
        with self._connection.transaction():
            catalog.create_tables(self._connection, self._projection, generation=self._generation)

    def _catch_up(self) -> None:
        while self._step():
            pass

    def _step(self) -> bool:
        entries = self._reader.read(after_position=self._position, limit=self._batch_events)
        if not entries:
            return False
        require_order(entries, after_position=self._position)
        facts = self._selector.select(entries, self._projection.topics)
        if facts:
            schema = catalog.schema_of(self._projection.name, self._generation)
            store(self._connection, schema, self._projection.fold(self._connection, schema, facts))
        self._position = entries[-1].position
        return True

    def _switch(self) -> bool:
        """Put the new tables to use in one transaction; false, and nothing done, while a reader is in the way."""
        reached = self._position
        try:
            with self._connection.transaction():
                catalog.set_lock_timeout(self._connection)
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
        in_use = catalog.require(self._connection, name)
        while self._position < in_use.position and self._step():
            pass
        is_new_shape = in_use.version != self._projection.version
        catalog.show(
            self._connection, self._projection, generation=self._generation, is_new_shape=is_new_shape
        )
        self._connection.execute(
            "UPDATE projections SET version = %s, generation = %s, position = %s WHERE name = %s",
            [self._projection.version, self._generation, self._position, name],
        )
        if in_use.has_recovered(self._position):
            failures.forget(self._connection, name)
