"""Waiting for what happens elsewhere: on a condition, with a deadline, never for a time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

WITHIN_S = 60.0  #: how long anything that must happen may take on a busy machine

Value = TypeVar("Value")


def until(condition: Callable[[], Value], *, within_s: float = WITHIN_S) -> Value:
    """The first true value of `condition`; fails with its last one."""
    deadline_s = time.monotonic() + within_s
    pause = threading.Event()
    while not (value := condition()):
        assert time.monotonic() < deadline_s, f"still {value!r} after {within_s} s"
        pause.wait(0.02)
    return value
