"""How a child is made to die with the process that started it."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: signal.Signals) -> Callable[[], None] | None:
    """What a child must run between fork and exec to get `signal_number` when its parent dies; None off Linux.

    The kernel fires when the *thread* that started the child ends, so start children from the main thread. Changing
    the user clears the setting; `subprocess` runs its `preexec_fn` after that, so it holds.

    Raises:
        RuntimeError: called from another thread than the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start children from the main thread: they die with the thread that started them")
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()
    number = int(signal_number)

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if (
            os.getppid() != parent
        ):  # the parent died between fork and prctl: nobody is left to send the signal
            os._exit(1)

    return arm
