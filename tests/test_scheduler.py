"""The scheduler as a process and as a function."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from structlog.testing import capture_logs

import scheduler
from adapters.jobs.broker import NAMESPACE
from adapters.jobs.schedule import Job
from application.projections import Comparison, ContentHash, ProjectionStatus, ProjectionStopped
from settings import Settings
from tests.databases import migrated_template
from tests.waiting import until


@pytest.fixture(scope="session")
def database_template(postgres_url: str) -> Iterator[str]:
    with migrated_template(postgres_url) as name:
        yield name


def test_jobs_given_to_it_run_until_it_is_stopped(database_url: str, redis_url: str) -> None:
    """A reaper, say, runs at once and again; being asked to stop ends it."""
    settings = Settings(database_url=database_url, redis_url=redis_url)
    ran = threading.Semaphore(0)
    stop = threading.Event()
    jobs = [Job("reap", 0.05, ran.release)]
    thread = threading.Thread(target=scheduler.run, args=(settings,), kwargs={"jobs": jobs, "stop": stop})
    thread.start()
    try:
        assert ran.acquire(timeout=60)
        assert ran.acquire(timeout=60)
    finally:
        stop.set()
        thread.join()


def test_it_wakes_the_read_models_and_ends_on_sigterm(database_url: str, redis_url: str) -> None:
    """The process by itself pokes every read model, and leaves with 0."""
    with redis.Redis.from_url(redis_url) as client:
        client.delete(f"{NAMESPACE}:projections", f"{NAMESPACE}:projections.msgs")
        process = subprocess.Popen(
            [sys.executable, "-m", "scheduler"],
            env=os.environ | {"DATABASE_URL": database_url, "REDIS_URL": redis_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parents[1] / "src",
        )
        try:
            until(lambda: client.llen(f"{NAMESPACE}:projections") >= 2)
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0, output
    with psycopg.connect(database_url) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM schedule")}
    drops = {"idempotency-purge", "kept-answers-purge", "bodies-drop", "hook-messages-forget", "mails-purge"}
    selling = {
        "expire-orders",
        "orders-sweep",
        "webhooks-sweep",
        "webhook-bytes-forget",
        "money-reconcile",
        "payouts-match",
        "payments-remind",
    }
    books = {"projections-wake", "projections-lag", "books-check", "expire-lots"}
    telling = {"budget-alerts", "low-balances"}
    assert names == books | telling | drops | selling | {"reap", "probes", "refunds-sweep", "disputes-sweep"}


def test_old_answers_to_repeated_requests_are_forgotten(database_url: str, redis_url: str) -> None:
    """Without anyone asking for it; answers of today are kept."""
    keys = "SELECT key FROM idempotency ORDER BY key"
    stop = threading.Event()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO idempotency (actor, key, input_sha256, created_at) "
            "SELECT 'a', day::text, decode(repeat('00', 32), 'hex'), clock_timestamp() - make_interval(days => day) "
            "FROM generate_series(0, 3) AS day"
        )
        thread = threading.Thread(
            target=scheduler.run,
            args=(Settings(database_url=database_url, redis_url=redis_url),),
            kwargs={"stop": stop},
        )
        thread.start()
        try:
            until(lambda: connection.execute(keys).fetchall() == [("0",)])
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("module", ["scheduler", "worker"])
@pytest.mark.parametrize("missing", [("DATABASE_URL",), ("REDIS_URL",), ("DATABASE_URL", "REDIS_URL")])
def test_a_missing_address_is_said(module: str, missing: tuple[str, ...]) -> None:
    """Exit code 2 and one line that names what to set, before anything starts."""
    given = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}
    environment = {
        name: value for name, value in os.environ.items() if not name.endswith(("_URL", "_URL_FILE"))
    }
    found = subprocess.run(
        [sys.executable, "-m", module],
        env=environment | {name: value for name, value in given.items() if name not in missing},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1] / "src",
        check=False,
        timeout=60,
    )
    assert found.returncode == 2
    (line,) = found.stderr.splitlines()
    assert line.startswith(f"{' and '.join(missing)} must be set")


def test_a_database_that_is_away_is_waited_for(tmp_path: Path, redis_url: str) -> None:
    """It says so and tries again; it does not end."""
    settings = Settings(database_url=f"postgresql:///nowhere?host={tmp_path}", redis_url=redis_url)
    stop = threading.Event()
    with capture_logs() as lines:
        thread = threading.Thread(target=scheduler.run, args=(settings,), kwargs={"stop": stop})
        thread.start()
        try:
            until(lambda: [line["event"] for line in lines].count("scheduler_waits") >= 2)
        finally:
            stop.set()
            thread.join()


class Late:
    """Read models in the states that matter."""

    def names(self) -> tuple[str, ...]:
        return ("fine", "late", "stopped", "outdated")

    def status(self) -> tuple[ProjectionStatus, ...]:
        def one(
            name: str, behind_s: float = 0.0, stopped_at: int = 0, *, is_outdated: bool = False
        ) -> ProjectionStatus:
            return ProjectionStatus(
                name=name,
                generation=1,
                position=1,
                events_behind=1,
                behind_s=behind_s,
                is_outdated=is_outdated,
                stopped=ProjectionStopped(stopped_at, "Error", 1, 0) if stopped_at else None,
            )

        return (
            one("fine"),
            one("late", 5.1),
            one("stopped", stopped_at=7),
            one("outdated", is_outdated=True),
        )

    def rebuild(self, name: str) -> ContentHash:
        raise NotImplementedError

    def rebuild_all(self) -> dict[str, ContentHash]:
        raise NotImplementedError

    def compare(self, name: str) -> Comparison:
        raise NotImplementedError

    def content_hash(self, name: str) -> ContentHash:
        raise NotImplementedError


def test_read_models_that_are_late_are_alarmed() -> None:
    """Late, stopped or outdated: each is named in the log; one that keeps up is not."""
    with capture_logs() as lines:
        scheduler.report_lag(Late())
    assert [line["projection"] for line in lines] == ["late", "stopped", "outdated"]
    assert {line["event"] for line in lines} == {"projection_late"}
    assert lines[1]["stopped_at"] == 7
