"""Gives read models their turns: one session each at a time, over all processes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from application.clock import Clock
from application.projections import UnknownProjection
from domain.event import TopicRegistry
from projections.generations import lock_key
from projections.projection import Connection, Pool, Projection
from projections.session import ProjectionFailed, Session
from projections.tail import LogReader, Selector

BATCH_EVENTS = 2_000
#: How long a read model that stopped rests before it is tried again: the fault may have been mended meanwhile.
STOPPED_S = 60.0


class Runner:
    """Safe to use from threads. The advisory lock only spares others the work; see `session` for exactly once."""

    def __init__(
        self,
        *,
        pool: Pool,
        reader: LogReader,
        registry: TopicRegistry,
        projections: Sequence[Projection],
        clock: Clock,
        batch_events: int = BATCH_EVENTS,
    ) -> None:
        self._pool = pool
        self._reader = reader
        self._selector = Selector(registry)
        self._projections = {projection.name: projection for projection in projections}
        self._clock = clock
        self.batch_events = batch_events
        self._rests_until_s: dict[str, float] = {}

    def names(self) -> tuple[str, ...]:
        return tuple(self._projections)

    @contextmanager
    def session(self, name: str) -> Iterator[Session | None]:
        """A turn of one read model; `None` while another session has it, or it rests after a failure.

        Raises:
            UnknownProjection: there is none of this name.
            NotInstalled, Outdated: its tables do not fit this code.
        """
        if name not in self._projections:
            raise UnknownProjection(name)
        if self._clock.monotonic_s() < self._rests_until_s.get(name, 0.0):
            yield None
            return
        with self._pool.connection() as connection, _turn(connection, name) as is_ours:
            try:
                yield self._open(connection, name) if is_ours else None
            except ProjectionFailed:
                self._rests_until_s[name] = self._clock.monotonic_s() + STOPPED_S
                raise

    def catch_up(self, name: str) -> int:
        """Take everything that is new, unless another session is at it; returns how many events were read."""
        total = 0
        with self.session(name) as session:
            while session and (events := session.step()):
                total += events
        return total

    def _open(self, connection: Connection, name: str) -> Session:
        return Session(
            connection,
            self._projections[name],
            reader=self._reader,
            selector=self._selector,
            clock=self._clock,
            batch_events=self.batch_events,
        )


@contextmanager
def _turn(connection: Connection, name: str) -> Iterator[bool]:
    """Hold the read model's advisory lock, if it is free; it falls with the connection too."""
    key = lock_key("run", name)
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
    is_ours = row is not None and bool(row[0])
    try:
        yield is_ours
    finally:
        if is_ours and not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [key])
