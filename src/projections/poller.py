"""Two threads that see to it that no read model waits for a wake-up that was lost, or that Redis cannot carry.

The *watch* looks for new events and wakes a worker, through Redis if that answers, else the poll beside it.
The *poll* catches up with every read model once a second, whatever was or was not woken.
"""

import threading
from collections.abc import Callable

import structlog

from application.eventlog import LogUnavailable
from application.projections import ReadableLog
from projections.follower import Follower
from projections.generations import NotInstalled
from projections.session import Outdated, ProjectionFailed, may_pass

WATCH_S = 0.1
POLL_S = 1.0

log = structlog.get_logger()


class Poller:
    """Owns the two threads."""

    def __init__(
        self,
        follower: Follower,
        *,
        store: ReadableLog,
        poke: Callable[[str], bool],
        stop: threading.Event,
    ) -> None:
        """`poke` wakes some worker for a read model, or returns false: then this process takes it on at once."""
        self._follower = follower
        self._store = store
        self._poke = poke
        self._stop = stop
        self._poll_now = threading.Event()
        self._troubles: dict[str, str] = {}
        self._threads = [
            threading.Thread(target=self._watch, name="projection-watch"),
            threading.Thread(target=self._poll, name="projection-poll"),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the threads to end; set `stop` first."""
        self._poll_now.set()
        for thread in self._threads:
            thread.join()

    def guarded(self, take: Callable[[str], bool], name: str) -> bool:
        """Run `take`; trouble is logged once, and again when it changes. A later turn tries again."""
        trouble = ""
        taken = False
        try:
            taken = take(name)
        except ProjectionFailed:
            return False  # logged and recorded where it happened
        except (Outdated, NotInstalled) as error:
            trouble = type(error).__name__
        except Exception as error:
            if not may_pass(error):
                log.exception("projection_broke", projection=name)
                return False
            trouble = type(error).__name__
        self._tell(name, trouble)
        return taken

    def _tell(self, name: str, trouble: str) -> None:
        if trouble != self._troubles.get(name, ""):
            self._troubles[name] = trouble
            if trouble:
                log.warning("projection_waits", projection=name, error=trouble)
            else:
                log.info("projection_goes_on", projection=name)

    def _watch(self) -> None:
        while not self._stop.wait(WATCH_S):
            names = self._follower.unattended()
            if not names:
                continue
            try:
                head = self._store.head_position()
            except LogUnavailable:
                continue
            for name in names:
                if self._follower.position(name) < head and not self._poke(name):
                    self._poll_now.set()

    def _poll(self) -> None:
        while not self._stop.is_set():
            for name in self._follower.names():
                self.guarded(self._follower.catch_up, name)
            self._poll_now.wait(POLL_S)
            self._poll_now.clear()
