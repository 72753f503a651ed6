"""Read models on a real database, fed from a log in memory, by runners that forget everything between calls."""

from collections.abc import Sequence

from application.eventlog import NewEvent
from application.projections import ContentHash
from domain.topics import REGISTRY
from projections import generations
from projections.content import content_hash
from projections.projection import Pool, Projection
from projections.rebuild import Rebuild
from projections.registry import all_projections
from projections.runner import Runner
from projections.service import ProjectionService
from projections.tail import LogTail, PlainReader
from tests.fakes import ManualClock
from tests.histories import ListLog

CONNECTIONS = len(all_projections()) + 1  #: rebuilding all of them at once takes one each


class Lab:
    """Some read models over `log`."""

    def __init__(self, pool: Pool, projections: Sequence[Projection], *, pace_us: int = 1) -> None:
        """The database's clock goes on by `pace_us` from one position of the log to the next."""
        self.pool = pool
        self.pace_us = pace_us
        self.log = ListLog(pace_us=pace_us)
        self.clock = ManualClock()
        self.projections = {one.name: one for one in projections}

    def runner(self, *, batch_events: int = 1_000) -> Runner:
        return Runner(
            pool=self.pool,
            reader=LogTail(self.log),
            registry=REGISTRY,
            projections=tuple(self.projections.values()),
            clock=self.clock,
            batch_events=batch_events,
        )

    def catch_up(self, *, batch_events: int = 1_000) -> None:
        runner = self.runner(batch_events=batch_events)
        for name in self.projections:
            runner.catch_up(name)

    def step(self, *, batch_events: int) -> None:
        """One batch of each, by processes that end after it."""
        for name in self.projections:
            with self.runner(batch_events=batch_events).session(name) as session:
                assert session is not None
                session.step()

    def service(self) -> ProjectionService:
        return ProjectionService(
            pool=self.pool,
            store=self.log,
            registry=REGISTRY,
            projections=tuple(self.projections.values()),
            clock=self.clock,
        )

    def rebuild(self, name: str) -> ContentHash:
        with self.pool.connection() as connection:
            return Rebuild(
                connection, self.projections[name], reader=PlainReader(self.log), registry=REGISTRY
            ).run()

    def hashes(self) -> dict[str, ContentHash]:
        with self.pool.connection() as connection:
            return {name: content_hash(connection, one) for name, one in self.projections.items()}

    def position(self, name: str) -> int:
        with self.pool.connection() as connection:
            return generations.require(connection, name).position

    def rewind(self, position: int) -> None:
        """Put all positions back, as an older checkpoint would; the rows stay."""
        with self.pool.connection() as connection:
            connection.execute("UPDATE projections SET position = %s", [position])

    def start_over(self, events: Sequence[NewEvent]) -> None:
        """Empty read models, and a log of these events."""
        self.log = ListLog(events, pace_us=self.pace_us)
        with self.pool.connection() as connection:
            for name, projection in self.projections.items():
                generation = generations.require(connection, name).generation
                for table in projection.tables:
                    connection.execute(f"DELETE FROM {generations.schema_of(name, generation)}.{table.name}")
            connection.execute("UPDATE projections SET position = 0")
