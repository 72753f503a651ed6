"""Work that waits in the database, done by a thread that looks for it again and again; one round at a time in a process."""

import threading
from collections.abc import Callable

import structlog

from application.eventlog import EventLogError
from application.vault import VaultError

log = structlog.get_logger()


class Rounds:
    """Looks each `every_s`, and at once when `round` is called. Ends when `stop` is set."""

    def __init__(
        self, name: str, do_due: Callable[[], int], *, every_s: float, stop: threading.Event
    ) -> None:
        """`do_due` does a part of what is due and says how much there was; 0 ends the round."""
        self._name, self._do_due, self._every_s, self._stop = name, do_due, every_s, stop
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._look, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the round that is under way; `stop` must be set. What takes longer ends with the process."""
        self._thread.join(timeout_s)

    def round(self) -> None:
        """Do what is due until nothing is, unless somebody in this process is at it."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            while not self._stop.is_set() and self._do_due():
                pass
        except (EventLogError, VaultError) as error:
            log.warning("round_waits", work=self._name, error=type(error).__name__)
        except Exception as error:  # one fault must not end the thread
            log.exception("round_failed", work=self._name, error=type(error).__name__)
        finally:
            self._turn.release()

    def _look(self) -> None:
        while not self._stop.wait(self._every_s):
            self.round()
