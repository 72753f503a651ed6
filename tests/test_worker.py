"""The worker as a process, on a real Postgres and a Valkey that may be killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis

from adapters.embedded import EmbeddedServers
from adapters.eventstore.store import PostgresEventStore
from application.clock import SystemClock
from application.verify import render_text, verify
from domain.topics import REGISTRY
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.service import ProjectionService
from projections.snapshot import ReadModelReader
from tests.databases import migrated_template
from tests.histories import Simulation
from tests.waiting import until


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def valkey() -> Iterator[EmbeddedServers]:
    """A Valkey that nobody else uses."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="tokenok-worker-")))
        scratch.chmod(0o711)
        servers = stack.enter_context(EmbeddedServers(scratch / "data"))
        yield servers


class Site:
    """A database with a growing log, its read models, and workers on them."""

    def __init__(self, database_url: str, redis_url: str, stack: ExitStack) -> None:
        self.database_url = database_url
        self.redis_url = redis_url
        self.store = stack.enter_context(PostgresEventStore(database_url))
        self._pool = stack.enter_context(projection_pool(database_url, size_max=3))
        self.projections = ProjectionService(
            pool=self._pool,
            store=self.store,
            registry=REGISTRY,
            projections=all_projections(),
            clock=SystemClock(),
        )
        self._stack = stack
        self._groups = Simulation(Random(42), accounts=4).groups(1_000_000)

    def start_worker(self) -> "subprocess.Popen[str]":
        """A worker that is killed at the end if it still runs."""
        environment = os.environ | {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        process = subprocess.Popen(
            [sys.executable, "-m", "worker"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parents[1] / "src",
        )
        self._stack.callback(_end, process)
        return process

    def append(self, groups: int = 20) -> None:
        self.store.append([event for _ in range(groups) for event in next(self._groups)])

    def positions(self) -> dict[str, int]:
        return {status.name: status.position for status in self.projections.status()}

    def is_projected(self) -> bool:
        head = self.store.head_position()
        return all(position >= head for position in self.positions().values())

    def has_moved_from(self, before: dict[str, int]) -> Callable[[], bool]:
        return lambda: all(position > before[name] for name, position in self.positions().items())

    def require_exactly_once(self) -> None:
        """What was projected equals the log by a fold of its own, and a rebuild, to the byte."""
        report = verify(self.store, REGISTRY, ReadModelReader(self._pool))
        assert report.ok, render_text(report)
        for name in self.projections.names():
            grown = self.projections.content_hash(name)
            assert self.projections.rebuild(name) == grown

    @contextmanager
    def load(self) -> Iterator[None]:
        """Events keep coming while the block runs."""
        stop = threading.Event()

        def write() -> None:
            while not stop.wait(0.005):
                self.append(groups=10)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield
        finally:
            stop.set()
            writer.join()


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


@pytest.fixture
def site(database_url: str, redis_url: str) -> Iterator[Site]:
    """On the shared Valkey."""
    with ExitStack() as stack:
        yield Site(database_url, redis_url, stack)


@pytest.fixture
def frail_site(database_url: str, valkey: EmbeddedServers) -> Iterator[Site]:
    """On a Valkey of its own."""
    with ExitStack() as stack:
        yield Site(database_url, valkey.start_valkey(), stack)


def _terminate(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output


def test_events_are_projected_until_sigterm(site: Site) -> None:
    """What is in the log is in the read models soon; SIGTERM ends the worker with 0."""
    site.append()
    worker = site.start_worker()
    for _ in range(3):
        until(site.is_projected)
        site.append()
    until(site.is_projected)
    _terminate(worker)
    site.require_exactly_once()


def test_a_read_model_of_an_earlier_version_is_built_anew(site: Site) -> None:
    """An upgrade needs nobody's hand: the first worker of the new version does it."""
    site.append()
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("UPDATE projections SET version = version - 1 WHERE name IN ('usage', 'work')")
    site.start_worker()
    until(site.is_projected)
    assert [one.name for one in site.projections.status() if one.generation > 1] == ["usage", "work"]
    assert not [one.name for one in site.projections.status() if one.is_outdated]


def test_a_worker_killed_in_the_middle_loses_and_repeats_nothing(site: Site) -> None:
    """F4: kill -9 again and again under load, each time once it has begun; exactly once all the same."""
    with site.load():
        for _ in range(5):
            before = site.positions()
            worker = site.start_worker()
            until(site.has_moved_from(before))
            worker.kill()
            worker.wait()
    site.start_worker()
    until(site.is_projected)
    site.require_exactly_once()


def test_two_workers_share_the_work(site: Site) -> None:
    """Both run under load, one of them dies: nothing is applied twice, and the other goes on."""
    workers = [site.start_worker() for _ in range(2)]
    with site.load():
        until(site.has_moved_from(site.positions()))
        workers[0].kill()
        until(site.has_moved_from(site.positions()))
    until(site.is_projected)
    _terminate(workers[1])
    site.require_exactly_once()


def test_a_rebuild_under_load_does_not_disturb_the_worker(site: Site) -> None:
    """The worker follows the switch and is never stopped by it."""
    site.start_worker()
    with site.load():
        for name in site.projections.names():
            until(site.has_moved_from(site.positions()))
            site.projections.rebuild(name)
            until(site.has_moved_from(site.positions()))
    until(site.is_projected)
    assert not [status for status in site.projections.status() if status.stopped]
    site.require_exactly_once()


def test_connections_that_are_cut_come_back(site: Site) -> None:
    """F9: all backends of the worker are ended; it connects again and goes on."""
    site.start_worker()
    with site.load():
        until(site.has_moved_from(site.positions()))
        with psycopg.connect(site.database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'tokenok-worker'"
            )
        until(site.has_moved_from(site.positions()))
    until(site.is_projected)
    site.require_exactly_once()


def test_a_flushed_redis_loses_no_event(frail_site: Site) -> None:
    """F18: FLUSHALL with wake-ups in the queue, again and again; the read models still catch up."""
    frail_site.start_worker()
    with redis.Redis.from_url(frail_site.redis_url) as client, frail_site.load():
        for _ in range(3):
            before = frail_site.positions()
            client.flushall()
            until(frail_site.has_moved_from(before))
    until(frail_site.is_projected)
    frail_site.require_exactly_once()


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
def test_without_redis_projecting_goes_on(
    frail_site: Site, valkey: EmbeddedServers, fault: signal.Signals
) -> None:
    """F17: Redis killed or frozen: the poll alone keeps up, and SIGTERM still ends the worker."""
    worker = frail_site.start_worker()
    frail_site.append()
    until(frail_site.is_projected)
    pid = valkey.pids()["Valkey"]
    os.kill(pid, fault)
    try:
        for _ in range(3):
            frail_site.append()
            until(frail_site.is_projected)
        _terminate(worker)
    finally:
        if fault == signal.SIGSTOP:
            os.kill(pid, signal.SIGCONT)
    frail_site.require_exactly_once()


def test_a_worker_starts_without_redis(frail_site: Site, valkey: EmbeddedServers) -> None:
    """Redis away from the first moment on: it projects, and uses Redis once that is back."""
    os.kill(valkey.pids()["Valkey"], signal.SIGKILL)
    frail_site.append()
    worker = frail_site.start_worker()
    until(frail_site.is_projected)
    until(valkey.restart_ended)
    with redis.Redis.from_url(frail_site.redis_url) as client:
        until(lambda: client.keys("tokenok-jobs:*"))
    _terminate(worker)


def test_a_setting_that_cannot_be_used_is_said(site: Site) -> None:
    """Exit code 2 and one line, before anything starts."""
    found = subprocess.run(
        [sys.executable, "-m", "worker"],
        env=os.environ | {"BODY_BYTES_MAX": "many"},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1] / "src",
        check=False,
        timeout=60,
    )
    assert found.returncode == 2
    assert "BODY_BYTES_MAX" in found.stderr
