"""Keeps a read model close to the end of the log for as long as events come.

Wakes at multiples of the pace, so that the read models of a process read the log at the same moments and share
what they read; between two of them a batch gathers. One wake-up is enough for a whole busy period.
"""

import threading

from application.clock import Clock
from projections.runner import Runner
from projections.session import Session

PACE_S = 0.125
IDLE_S = 0.5


class Follower:
    """Safe to use from threads. Its methods raise as `Runner.session` and `Session.step` do."""

    def __init__(self, runner: Runner, *, clock: Clock, stop: threading.Event) -> None:
        """`stop` ends every turn after its current batch."""
        self._runner = runner
        self._clock = clock
        self._stop = stop
        self._positions: dict[str, int] = {}
        self._followed: set[str] = set()

    def names(self) -> tuple[str, ...]:
        return self._runner.names()

    def unattended(self) -> list[str]:
        """Those that no thread of this process follows."""
        return [name for name in self.names() if name not in self._followed]

    def position(self, name: str) -> int:
        """The last event that this process knows to be in it."""
        return self._positions.get(name, 0)

    def catch_up(self, name: str) -> bool:
        """Take what is new now; false when another session has the read model, or it rests after a failure."""
        with self._runner.session(name) as session:
            if session is None:
                return False
            while not self._stop.is_set() and self._step(name, session):
                pass
        return True

    def follow(self, name: str) -> bool:
        """As `catch_up`, and stay until nothing has come for a while. May take for ever: give it a thread of its own."""
        with self._runner.session(name) as session:
            if session is None:
                return False
            self._followed.add(name)
            try:
                self._stay(name, session)
            finally:
                self._followed.discard(name)
        return True

    def _stay(self, name: str, session: Session) -> None:
        now_s = idle_since_s = self._clock.monotonic_s()
        while not self._stop.is_set() and now_s < idle_since_s + IDLE_S:
            events = self._step(name, session)
            now_s = self._clock.monotonic_s()
            if events:
                idle_since_s = now_s
            if events < self._runner.batch_events:
                self._stop.wait(PACE_S - now_s % PACE_S)

    def _step(self, name: str, session: Session) -> int:
        events = session.step()
        self._positions[name] = session.position
        return events
