"""The read models as a whole: implements `application.projections.Projections`."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from application.clock import Clock
from application.projections import (
    Comparison,
    ContentHash,
    ProjectionStatus,
    ProjectionStopped,
    ReadableLog,
    UnknownProjection,
)
from domain.event import TopicRegistry
from projections.content import content_hash
from projections.generations import install
from projections.outdated import of_earlier_code, versions_of
from projections.projection import Connection, Pool, Projection
from projections.rebuild import Rebuild, Told, nobody_told, side_by_side
from projections.tail import LogReader, PlainReader, SharedReader

_STATUS = """
    SELECT p.name, p.version, p.generation, p.position, f.position, f.error, f.tries, f.since_us
    FROM projections p LEFT JOIN projection_failures f USING (name)
"""


class ProjectionService:
    """What operators, metrics and `ledger verify` ask for; the runners need none of it."""

    def __init__(
        self,
        *,
        pool: Pool,
        store: ReadableLog,
        registry: TopicRegistry,
        projections: Sequence[Projection],
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._store = store
        self._registry = registry
        self._projections: Mapping[str, Projection] = {one.name: one for one in projections}
        self._clock = clock

    def names(self) -> tuple[str, ...]:
        return tuple(self._projections)

    def install(self) -> tuple[str, ...]:
        """Make what is missing; returns the names that wait for a rebuild. For the migration command."""
        with self._pool.connection() as connection:
            return install(connection, tuple(self._projections.values()))

    def status(self) -> tuple[ProjectionStatus, ...]:
        with self._pool.connection() as connection:
            rows = {row[0]: row[1:] for row in connection.execute(_STATUS)}
        head = self._store.head_position()
        return tuple(
            self._status(one, rows[one.name], head) for one in self._projections.values() if one.name in rows
        )

    def of_earlier_code(self) -> tuple[str, ...]:
        """The names of those whose tables an earlier version of the code has made."""
        with self._pool.connection() as connection:
            return of_earlier_code(connection, versions_of(tuple(self._projections.values())))

    def rebuild(self, name: str, tell: Told = nobody_told) -> ContentHash:
        projection = self._find(name)
        with self._pool.connection() as connection:
            return self._rebuild(connection, projection, PlainReader(self._store)).run(tell)

    def rebuild_all(self, tell: Told = nobody_told) -> dict[str, ContentHash]:
        with ExitStack() as stack:
            reader = SharedReader(self._store)
            rebuilds = [
                self._rebuild(stack.enter_context(self._pool.connection()), one, reader)
                for one in self._projections.values()
            ]
            for rebuild in rebuilds:
                stack.enter_context(rebuild.prepared())
            return dict(zip(self._projections, side_by_side(rebuilds, tell), strict=True))

    def compare(self, name: str) -> Comparison:
        projection = self._find(name)
        with self._pool.connection() as connection:
            return self._rebuild(connection, projection, PlainReader(self._store)).compare()

    def content_hash(self, name: str) -> ContentHash:
        projection = self._find(name)
        with self._pool.connection() as connection:
            return content_hash(connection, projection)

    def _rebuild(self, connection: Connection, projection: Projection, reader: LogReader) -> Rebuild:
        return Rebuild(connection, projection, reader=reader, registry=self._registry)

    def _find(self, name: str) -> Projection:
        try:
            return self._projections[name]
        except KeyError:
            raise UnknownProjection(name) from None

    def _status(self, projection: Projection, row: tuple[Any, ...], head: int) -> ProjectionStatus:
        version, generation, position, *failure = row
        return ProjectionStatus(
            name=projection.name,
            generation=generation,
            position=position,
            events_behind=max(0, head - position),
            behind_s=self._behind_s(position) if position < head else 0.0,
            is_outdated=version != projection.version,
            stopped=None if failure[0] is None else ProjectionStopped(*failure),
        )

    def _behind_s(self, position: int) -> float:
        oldest = self._store.read_log(after_position=position, limit=1)
        if not oldest:
            return 0.0
        return max(0.0, (self._clock.now_us() - oldest[0].recorded_at_us) / 1e6)
