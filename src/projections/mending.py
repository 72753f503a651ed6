"""Builds read models anew that an earlier version of the code has made, so that an upgrade needs nobody's hand. ADR 109.

Only forwards: where code of two versions runs at once, the later one's tables stay.
"""

import threading
from typing import Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from application.clock import Clock
from application.eventlog import LogUnavailable
from application.projections import RebuildRunning
from projections.service import ProjectionService
from projections.session import may_pass

#: How long one whose rebuild failed rests: the next try reads the whole log again.
REST_S: Final = 600.0

log = structlog.get_logger()


class Mending:
    """Any number may run: the first to begin a rebuild has it."""

    def __init__(self, projections: ProjectionService, *, clock: Clock, stop: threading.Event) -> None:
        """`stop` ends a rebuild that is under way; what is in use stays."""
        self._projections = projections
        self._clock = clock
        self._stop = stop
        self._rests_until_s: dict[str, float] = {}

    def round(self) -> int:
        """How many were built anew, one after the other: each serves as soon as it can."""
        try:
            return sum(map(self._mend, self._projections.of_earlier_code()))
        except (psycopg.Error, PoolTimeout, LogUnavailable) as error:
            log.warning("projection_upgrade_waits", error=type(error).__name__)
            return 0

    def _mend(self, name: str) -> bool:
        if self._stop.is_set() or self._clock.monotonic_s() < self._rests_until_s.get(name, 0.0):
            return False
        log.info("projection_upgrade_begins", projection=name)
        try:
            self._projections.rebuild(name, self._go_on)
        except (RebuildRunning, _Stopped):
            return False
        except Exception as error:
            if may_pass(error):
                raise
            self._rests_until_s[name] = self._clock.monotonic_s() + REST_S
            log.exception("projection_upgrade_failed", projection=name, error=type(error).__name__)
            return False
        return True

    def _go_on(self, _position: int) -> None:
        if self._stop.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The process ends."""
