"""Ctrl-C and SIGTERM, and waiting that they and the end of a child cut short."""

import contextlib
import select
import signal
import socket
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Self

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(BaseException):
    """Raised inside `Signals.interrupting` only; not an error, so nothing that catches errors may swallow it."""


class Signals:
    """A context manager over the process's signal handlers. `asked` counts how often we were told to stop."""

    def __init__(self) -> None:
        self.asked = 0
        self._is_interrupting = False
        self._reader, self._writer = socket.socketpair()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for end in (self._reader, self._writer):
            end.settimeout(0)
        self._before_wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in _STOP:
            if (
                number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
            ):  # `nohup` keeps us alive
                self._before[number] = signal.signal(number, self._on_stop)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before_wakeup)
        self._reader.close()
        self._writer.close()

    def wait(self, timeout_s: float) -> None:
        """Return after `timeout_s`, or at once when a signal came or a child ended since the last wait."""
        select.select([self._reader], [], [], max(0.0, timeout_s))
        with contextlib.suppress(BlockingIOError):
            while self._reader.recv(4096):
                pass

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Inside, being told to stop raises `StopAsked` from wherever we are: for long waits of others' making."""
        self._is_interrupting = True
        try:
            if self.asked:
                raise StopAsked
            yield
        finally:
            self._is_interrupting = False

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1
        if self._is_interrupting:
            self._is_interrupting = False  # once: what is cleaned up on the way out must not be cut short
            raise StopAsked
