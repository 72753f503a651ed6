"""Processes that count together."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from application.limit_sync import (
    SUBJECTS_MAX,
    Count,
    Exchange,
    LimitSynchroniser,
    LimitSyncUnavailable,
    Total,
)
from application.limits import RateLimited, RateLimiter
from domain.limits import NO_LIMITS, Limits
from tests.fakes import ManualClock

KEY, ACCOUNT = UUID(int=1), UUID(int=2)


class Board:
    """What all processes write on, in one window after another."""

    def __init__(self) -> None:
        self.sums: dict[tuple[int, UUID], tuple[int, int]] = {}
        self.open: dict[tuple[int, UUID], int] = {}
        self.members: set[int] = set()
        self.largest = 0


class BoardSync:
    """One process' end of a board."""

    def __init__(self, board: Board, number: int) -> None:
        self._board, self._number = board, number
        self.is_down = False
        self.hangs = False

    async def exchange(self, window: int, counts: Sequence[Count]) -> Exchange:
        if self.hangs:
            raise TimeoutError
        if self.is_down:
            raise LimitSyncUnavailable
        board = self._board
        board.members.add(self._number)
        board.largest = max(board.largest, len(counts))
        totals = []
        for count in counts:
            requests, tokens = board.sums.get((window, count.subject), (0, 0))
            board.sums[window, count.subject] = (requests + count.requests, tokens + count.tokens)
            board.open[self._number, count.subject] = count.open
            everywhere = sum(n for (_, subject), n in board.open.items() if subject == count.subject)
            totals.append(Total(*board.sums[window, count.subject], everywhere))
        return Exchange(totals, len(board.members))


class Process:
    """A limiter with its synchroniser."""

    def __init__(self, board: Board, number: int, clock: ManualClock) -> None:
        self.limiter = RateLimiter()
        self.sync = BoardSync(board, number)
        self.clock = clock
        self.synchroniser = LimitSynchroniser(self.limiter, self.sync, clock=clock)

    def served(self, tries: int, limits: Limits, *, tokens: int = 0, used: int | None = None) -> int:
        served = 0
        for _ in range(tries):
            try:
                permit = self.limiter.admit(
                    KEY, limits, ACCOUNT, NO_LIMITS, tokens=tokens, now_s=self.clock.monotonic_s()
                )
            except RateLimited:
                break
            permit.end(tokens if used is None else used)
            served += 1
        return served

    def exchange(self) -> None:
        asyncio.run(self.synchroniser.exchange_once())


@pytest.fixture
def two() -> tuple[Process, Process]:
    board, clock = Board(), ManualClock()
    return Process(board, 1, clock), Process(board, 2, clock)


def test_what_one_process_serves_the_other_does_not(two: tuple[Process, Process]) -> None:
    """After an exchange on both sides, also with a process that sees the key for the first time."""
    one, other = two
    limits = Limits(rpm=10)
    assert one.served(6, limits) == 6
    one.exchange()
    assert other.served(1, limits) == 1
    other.exchange()
    assert other.served(50, limits) == 3
    other.exchange()
    one.exchange()
    assert one.served(50, limits) == 0


def test_a_new_window_counts_nothing_twice(two: tuple[Process, Process]) -> None:
    """Totals start again with each minute; what drips in is all there is."""
    one, other = two
    limits = Limits(rpm=60)
    assert (one.served(30, limits), other.served(30, limits)) == (30, 30)
    for process in (one, other, one):
        process.exchange()
    assert (one.served(1, limits), other.served(1, limits)) == (0, 0)
    one.clock.move(60)
    assert one.served(20, limits) == 20
    one.exchange()
    assert other.served(1, limits) == 1
    other.exchange()
    assert other.served(50, limits) == 39


def test_tokens_given_back_are_given_back_to_all(two: tuple[Process, Process]) -> None:
    """An estimate that was too high does not stay taken anywhere, and fills no bucket above its rim."""
    one, other = two
    limits = Limits(tpm=100)
    assert other.served(1, limits, tokens=0) == 1
    permit = one.limiter.admit(KEY, limits, ACCOUNT, NO_LIMITS, tokens=90, now_s=one.clock.monotonic_s())
    one.exchange()
    other.exchange()
    assert other.served(1, limits, tokens=20) == 0
    permit.end(10)
    one.exchange()
    other.exchange()
    assert other.served(1, limits, tokens=91) == 0
    assert other.served(1, limits, tokens=90) == 1


def test_open_requests_are_counted_everywhere(two: tuple[Process, Process]) -> None:
    """And freed everywhere when they end."""
    one, other = two
    limits = Limits(concurrency=1)
    permit = one.limiter.admit(KEY, limits, ACCOUNT, NO_LIMITS, tokens=0, now_s=one.clock.monotonic_s())
    one.exchange()
    assert other.served(1, limits) == 1
    other.exchange()
    assert other.served(1, limits) == 0
    permit.end(0)
    one.exchange()
    other.exchange()
    assert other.served(1, limits) == 1


@pytest.mark.parametrize("fault", ["is_down", "hangs"])
def test_unheard_processes_allow_their_share(two: tuple[Process, Process], fault: str) -> None:
    """Not before two seconds; by the number of processes last known; and wholly again when they are heard."""
    one, other = two
    limits = Limits(rpm=10)
    other.exchange()
    one.exchange()
    setattr(one.sync, fault, True)
    with capture_logs() as logs:
        one.exchange()
        assert one.served(1, limits) == 1
        one.clock.move(2)
        one.exchange()
        one.exchange()
        assert one.served(50, limits) == 4
        setattr(one.sync, fault, False)
        one.exchange()
        assert one.served(50, limits) == 5
    assert [entry["event"] for entry in logs] == ["limits_not_shared", "limits_shared_again"]


def test_an_exchange_is_bounded_and_everyone_gets_a_turn() -> None:
    """With more keys than fit in one exchange they take turns."""
    board, clock = Board(), ManualClock()
    one = Process(board, 1, clock)
    for number in range(SUBJECTS_MAX * 2 + 10):
        one.limiter.admit(
            UUID(int=10 + number), Limits(rpm=1), ACCOUNT, NO_LIMITS, tokens=0, now_s=clock.monotonic_s()
        )
    for _ in range(3):
        one.exchange()
    assert board.largest == SUBJECTS_MAX
    assert len(board.sums) == SUBJECTS_MAX * 2 + 10


def test_it_runs_until_cancelled() -> None:
    """In the background of a process."""
    board, clock = Board(), ManualClock()
    one = Process(board, 1, clock)

    async def scenario() -> None:
        task = asyncio.create_task(one.synchroniser.run())
        async with asyncio.timeout(20):
            while not board.members:  # noqa: ASYNC110 - the board signals nobody
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
