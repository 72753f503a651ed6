"""Lets one task wait for a change or for a moment, with a timer that is rarely touched.

A timer per wait would be the dearest part of a short exchange. Here a pending timer is left alone while it fires no
later than needed; when it fires too early it is set again. Times are the event loop's clock, in seconds.
"""

import asyncio


class Alarm:
    """One waiting place: at most one task waits at a time."""

    __slots__ = ("_at", "_loop", "_timer", "_until", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._at = self._until = 0.0

    def wait(self, until: float) -> "asyncio.Future[bool]":
        """A future: True when `ring` was called, False at `until`. The caller looks at what has changed."""
        assert self._waiter is None or self._waiter.done(), "two tasks wait on one connection"
        self._until = until
        if self._timer is None or until < self._at:
            self._set(until)
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def ring(self) -> None:
        """Something has changed: let the waiting task, if any, look."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(True)

    def stop(self) -> None:
        """Ring a last time and give up the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.ring()

    def _set(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._at = at
        self._timer = self._loop.call_at(at, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        waiter = self._waiter
        if waiter is None or waiter.done():
            return  # Nobody waits; the next one who does sets the timer.
        if self._loop.time() < self._until:
            self._set(self._until)
        else:
            self._waiter = None
            waiter.set_result(False)
