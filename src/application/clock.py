"""Ports for time, ids and randomness, and the real ones. Rules get all three as arguments."""

import os
import time
from typing import Protocol
from uuid import UUID

from domain.ids import uuid7


class Clock(Protocol):
    """Two clocks: one that people read, one that only ever goes forward."""

    def now_us(self) -> int:
        """Unix microseconds."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; for durations and liveness."""
        ...


class Ids(Protocol):
    """New identifiers and unguessable bytes."""

    def new(self) -> UUID:
        """A time-ordered UUID."""
        ...

    def entropy(self, size_bytes: int) -> bytes:
        """Bytes from the operating system's generator."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic_s(self) -> float:
        return time.monotonic()


class SystemIds:
    """The machine's randomness."""

    def new(self) -> UUID:
        return uuid7()

    def entropy(self, size_bytes: int) -> bytes:
        return os.urandom(size_bytes)
