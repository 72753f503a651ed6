"""Wake-ups over Redis."""

import socket
import threading
from collections.abc import Iterator

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from structlog.testing import capture_logs

from adapters.jobs.broker import make_broker
from adapters.jobs.wakeups import QUEUE, ProjectionWakeups, declare_projecting
from tests.waiting import until


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def _queued(broker: RedisBroker) -> int:
    return int(broker.client.llen(f"{broker.namespace}:{QUEUE}"))


def test_a_wake_up_reaches_a_worker_by_name(broker: RedisBroker) -> None:
    """The message carries the name and nothing else."""
    names: list[str] = []
    done = threading.Event()

    def project(name: str) -> None:
        names.append(name)
        done.set()

    declare_projecting(broker, project)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=20)
    worker.start()
    try:
        assert ProjectionWakeups(broker).poke("balances")
        assert done.wait(60)
    finally:
        worker.stop()
    assert names == ["balances"]


def test_pokes_of_one_moment_are_one_message(broker: RedisBroker) -> None:
    """Whoever pokes, from however many processes: one message, until it is old; other names are not held back."""
    one, another = ProjectionWakeups(broker), ProjectionWakeups(broker)
    assert one.poke("balances")
    assert another.poke("balances")
    assert one.poke("balances")
    assert _queued(broker) == 1
    assert one.poke("request_log")
    assert _queued(broker) == 2
    until(lambda: one.poke("balances") and _queued(broker) == 3)


def test_a_flushed_redis_is_woken_again(broker: RedisBroker) -> None:
    """F18: the queue and the key are gone; the next poke makes both anew."""
    wakeups = ProjectionWakeups(broker)
    wakeups.poke("balances")
    for key in broker.client.scan_iter(f"{broker.namespace}:*"):
        broker.client.delete(key)
    assert wakeups.poke("balances")
    assert _queued(broker) == 1


def test_a_redis_that_is_away_is_said_and_left_alone() -> None:
    """No exception: false, one line in the log, and no further attempt for some seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    broker = make_broker(f"redis://127.0.0.1:{port}/0")
    wakeups = ProjectionWakeups(broker)
    with capture_logs() as lines:
        assert not wakeups.poke("balances")
        assert not wakeups.poke("balances")
    assert [line["event"] for line in lines] == ["wakeups_unavailable"]
    broker.client.close()


def test_a_redis_that_never_answers_is_given_up_on(silent_port: int) -> None:
    """F17, frozen: the call ends by itself."""
    broker = make_broker(f"redis://127.0.0.1:{silent_port}/0")
    with capture_logs() as lines:
        assert not ProjectionWakeups(broker).poke("balances")
    assert [line["error"] for line in lines] == ["TimeoutError"]
    broker.client.close()


def test_a_failing_turn_is_not_retried_by_the_queue(broker: RedisBroker) -> None:
    """What is left undone, the next wake-up or poll does: no second message, no dead letter that comes back."""
    calls = threading.Semaphore(0)

    def fail(_name: str) -> None:
        calls.release()
        raise ZeroDivisionError

    declare_projecting(broker, fail)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=20)
    worker.start()
    try:
        assert ProjectionWakeups(broker).poke("balances")
        assert calls.acquire(timeout=60)
        broker.join(QUEUE, timeout=60_000)
    finally:
        worker.stop()
    assert not calls.acquire(blocking=False)
    assert not _queued(broker)


def test_the_message_of_a_killed_worker_comes_back_soon(broker: RedisBroker) -> None:
    """The library's defaults kept it away for more than 100 s: heartbeats count for ten seconds here, and every
    tenth command looks for the dead."""
    assert broker.heartbeat_timeout == 10_000
    assert broker.maintenance_chance == 100_000
