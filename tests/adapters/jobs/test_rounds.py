"""Work that is looked for again and again."""

import threading

from structlog.testing import capture_logs

from adapters.jobs.rounds import Rounds
from application.vault import VaultUnavailable


def test_one_round_at_a_time_in_a_process() -> None:
    """Who wakes it within a round does not start a second one: the first goes on until nothing is due."""
    counts = iter([3, 1, 0, 0])
    rounds: list[int] = []

    def do_due() -> int:
        rounds.append(next(counts))
        work.round()
        return rounds[-1]

    work = Rounds("work", do_due, every_s=60, stop=threading.Event())
    work.round()
    assert rounds == [3, 1, 0]


def test_a_fault_ends_the_round_only() -> None:
    """It is said by its name, never with what was worked on."""
    faults: list[Exception] = [VaultUnavailable("away"), ValueError("ada@example.com")]

    def do_due() -> int:
        raise faults.pop(0)

    work = Rounds("mail", do_due, every_s=60, stop=threading.Event())
    with capture_logs() as logged:
        work.round()
        work.round()
    assert [(one["event"], one["work"], one["error"]) for one in logged] == [
        ("round_waits", "mail", "VaultUnavailable"),
        ("round_failed", "mail", "ValueError"),
    ]


def test_a_round_ends_when_it_is_asked_to_stop() -> None:
    """However much is left to do."""
    stop, done = threading.Event(), []

    def do_due() -> int:
        done.append(1)
        stop.set()
        return 1

    Rounds("work", do_due, every_s=60, stop=stop).round()
    assert done == [1]
