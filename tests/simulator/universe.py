"""A universe: a log, processes, what is on its way between them, and a time that jumps to whatever is next.

Everything that happens is drawn from one seed. A step is one turn of one process's loop, or one thing that arrives.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from application.eventlog import LogUnavailable, OutcomeUnknown
from application.ledger.ports import Liveness
from domain.ledger.events import Owner
from tests.model.world import Request
from tests.simulator.loop import ENDED_S, TurnLoop
from tests.simulator.store import SimStore

if TYPE_CHECKING:
    from tests.simulator.process import SimProcess

EPOCH_US = 1_760_000_395_000_000
"""Five seconds before a new hour, which is a new day on the Gambier Islands."""


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """How bad it gets. Shares are of what is sent; durations in seconds are means."""

    delay_s: float = 0.002
    lost_share: float = 0.0  #: requests that never arrive at the log
    unheard_share: float = 0.0  #: replies that never arrive
    late_share: float = 0.0  #: requests that arrive long after they were given up
    message_lost_share: float = 0.0
    reconnect_s: float = 0.2


CALM = Weather()


class Seen(msgspec.Struct):
    """What is known of an instance: the newest life that announced itself, and when it did so last."""

    owner: Owner
    has_lock: bool
    renewed_s: float


class Universe:
    """Belongs to one run."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # a history that can be repeated
        random.seed(seed)  # the product spreads its tries
        self.now_s = 0.0
        self.steps = 0
        self.weather = CALM
        self.store = SimStore()
        self.processes: list[SimProcess] = []
        self.requests: dict[UUID, Request] = {}
        self.presence: dict[UUID, Seen] = {}
        self.mistakes: list[BaseException] = []  #: what no process may let happen
        self._graves: list[TurnLoop] = []
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._ids = 1 << 64

    # --- time

    def at(self, delay_s: float, happening: Callable[[], None]) -> None:
        """Let something happen in the world, whatever becomes of the processes."""
        self._count += 1
        heapq.heappush(self._coming, (self.now_s + delay_s, self._count, happening))

    def step(self) -> bool:
        """Let one thing happen; false when nothing will happen any more."""
        self.steps += 1
        if self._coming and self._coming[0][0] <= self.now_s:
            heapq.heappop(self._coming)[2]()
            return True
        ready = [one for one in self.processes if one.due_s <= self.now_s]
        if ready:
            self.random.choice(ready).loop.turn()
            return True
        next_s = min([one.due_s for one in self.processes] + [one[0] for one in self._coming[:1]])
        if next_s >= ENDED_S:
            return False
        self.now_s = next_s
        return True

    def spread_s(self, mean_s: float) -> float:
        return self.random.expovariate(1 / mean_s)

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def new_id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    def bury(self, loop: TurnLoop) -> None:
        """A process was killed: its tasks stay where they stand, for were they collected, they would run to an end."""
        loop.is_dead = True
        self._graves.append(loop)

    def close(self) -> None:
        for loop in [*self._graves, *(one.loop for one in self.processes)]:
            loop.destroy()

    # --- between processes and the log

    def send(
        self,
        loop: TurnLoop,
        work: Callable[[], Any],
        heard: Callable[[Any], None],
        lost: Callable[[], None],
    ) -> None:
        """Have `work` done in the log, and its outcome heard in a process; or have the connection break."""
        weather = self.weather
        is_lost, is_unheard = self.happens(weather.lost_share), self.happens(weather.unheard_share)
        if is_lost:
            self._tell(loop, weather.reconnect_s, lost)
            if self.happens(weather.late_share):
                self.at(self.spread_s(4 * weather.reconnect_s), lambda: self._in_vain(work))
            return

        def arrive() -> None:
            try:
                outcome = work()
            except LogUnavailable:
                self._tell(loop, weather.reconnect_s, lost)
                return
            if is_unheard:
                self._tell(loop, weather.reconnect_s, lost)
            else:
                self._tell(loop, weather.delay_s, lambda: heard(outcome))

        self.at(self.spread_s(weather.delay_s), arrive)

    def elsewhere(self, loop: TurnLoop, work: Callable[[], Any]) -> "asyncio.Future[Any]":
        """What a thread of a process does: calls to the log and looks at who lives."""
        future: asyncio.Future[Any] = loop.create_future()

        def end(outcome: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(outcome)
            else:
                future.set_exception(error)

        def arrive() -> None:
            outcome, error = None, None
            try:
                outcome = work()
            except Exception as failure:  # noqa: BLE001  # whatever it is, it is the caller's
                error = failure
            if error is None and self.happens(self.weather.unheard_share):
                error = OutcomeUnknown("the reply was lost")
            self._tell(loop, self.weather.delay_s, lambda: end(outcome, error))

        if self.happens(self.weather.lost_share):
            lost = LogUnavailable("the request was lost")
            self._tell(loop, self.weather.reconnect_s, lambda: end(None, lost))
        else:
            self.at(self.spread_s(self.weather.delay_s), arrive)
        return future

    def poke(self, message: str) -> None:
        """A hint for every process: it may be lost, late or doubled."""
        for process in self.processes:
            for _ in range(2 if self.happens(0.05) else 1):
                if not self.happens(self.weather.message_lost_share):
                    self._tell(process.loop, self.weather.delay_s, partial(process.book.receive, message))

    def _tell(self, loop: TurnLoop, mean_s: float, news: Callable[[], None]) -> None:
        self.at(self.spread_s(mean_s), lambda: None if loop.is_dead else _soon(loop, news))

    def _in_vain(self, work: Callable[[], Any]) -> None:
        """A request arrives that nobody waits for any more."""
        if not self.store.away:
            work()

    # --- who is alive

    def liveness(self, instance_ids: Iterable[UUID]) -> dict[UUID, Liveness]:
        if self.store.away:
            raise LogUnavailable("the database is away")
        known = {one: self.presence[one] for one in instance_ids if one in self.presence}
        return {
            one: Liveness(seen.owner, seen.has_lock, self.now_s - seen.renewed_s)
            for one, seen in known.items()
        }

    def live_gateways(self) -> int:
        return max(1, sum(seen.has_lock for seen in self.presence.values()))


def _soon(loop: TurnLoop, news: Callable[[], None]) -> None:
    loop.call_soon(news)
