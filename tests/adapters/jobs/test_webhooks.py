"""Workers are woken for messages of payment providers, and look by themselves."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from structlog.testing import capture_logs

from adapters.jobs.webhooks import WebhookHandling, WebhookWakeups
from application.eventlog import LogUnavailable
from tests.waiting import WITHIN_S, until


@contextmanager
def _handling(broker: RedisBroker, handle_due: Callable[[], int]) -> Iterator[WebhookHandling]:
    stop = threading.Event()
    handling = WebhookHandling(broker, handle_due, stop=stop)
    try:
        yield handling
    finally:
        stop.set()


def test_a_wake_up_starts_a_round(broker: RedisBroker) -> None:
    """It handles until nothing is due."""
    due, done = iter([2, 1, 0]), threading.Event()

    def handle_due() -> int:
        count = next(due)
        if not count:
            done.set()
        return count

    with _handling(broker, handle_due):
        worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=20)
        worker.start()
        try:
            assert WebhookWakeups(broker).poke()
            assert done.wait(WITHIN_S)
        finally:
            worker.stop()


def test_without_a_wake_up_it_looks_by_itself(broker: RedisBroker) -> None:
    """Redis may be away; what fails in one look does not end the looking, and is said."""
    looks: list[int] = []
    wrong: list[Exception] = [LogUnavailable("away"), ValueError("ours")]

    def handle_due() -> int:
        looks.append(1)
        if wrong:
            raise wrong.pop(0)
        return 0

    with capture_logs() as logged, _handling(broker, handle_due) as handling:
        handling.start()
        until(lambda: len(looks) >= 3)
    handling.join()
    assert [one["event"] for one in logged[:2]] == ["round_waits", "round_failed"]
    assert {one["work"] for one in logged} == {"webhooks"}
