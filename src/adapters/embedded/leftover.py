"""What an earlier, killed run may have left: a postmaster, its pid file, orphaned backends, a Valkey.

Only used under the data root's lock, so whatever still runs there is a leftover. A process is signalled only when
`/proc` proves that it serves this very directory; anything else (a reused pid, a zombie) is left alone.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from adapters.embedded import procfs
from adapters.embedded.errors import StartFailed

_LEFTOVER_END_S = 60.0
_POLL_S = 0.05


def settle_postmaster(cluster: Path, *, wait_s: float = _LEFTOVER_END_S) -> None:
    """End a leftover postmaster of `cluster` and remove its pid file.

    Raises:
        StartFailed: it is ours, alive, and does not end; the message names its pid.
    """
    pid_file = cluster / "postmaster.pid"
    pid = _first_line_pid(pid_file)
    if pid is not None and procfs.is_postmaster_of(pid, cluster):
        _signal(pid, signal.SIGINT)
        if not _wait_until(lambda: not procfs.is_postmaster_of(pid, cluster), wait_s=wait_s):
            raise StartFailed(
                f"an earlier Postgres (process {pid}) still runs on {cluster} and does not stop; end it"
            )
    pid_file.unlink(missing_ok=True)


def end_orphans(directory: Path, *, program: str) -> list[int]:
    """Ask every live `program` that serves `directory` to end; returns their pids, without waiting."""
    pids = procfs.serving(directory, program=program)
    for pid in pids:
        _signal(pid, signal.SIGTERM)
    return pids


def settle_backends(directory: Path, *, wait_s: float = _LEFTOVER_END_S) -> None:
    """End every `postgres` that serves `directory`, such as one that was still making it.

    Raises:
        StartFailed: one does not end; the message names its pid.
    """
    _settle(directory, program="postgres", wait_s=wait_s)


def settle_valkey(directory: Path, *, wait_s: float = _LEFTOVER_END_S) -> None:
    """End a leftover Valkey on `directory`: two writers would damage its append-only file.

    Raises:
        StartFailed: it does not end; the message names its pid.
    """
    _settle(directory, program="valkey-server", wait_s=wait_s)


def _settle(directory: Path, *, program: str, wait_s: float) -> None:
    pids = end_orphans(directory, program=program)
    if pids and not _wait_until(lambda: not procfs.serving(directory, program=program), wait_s=wait_s):
        raise StartFailed(f"an earlier {program} (process {pids[0]}) still runs on {directory}; end it")


def _first_line_pid(pid_file: Path) -> int | None:
    try:
        first = pid_file.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0].strip()
    except OSError:
        return None
    return int(first) if first.isdecimal() and int(first) > 1 else None


def _signal(pid: int, signal_number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal_number)


def _wait_until(condition: Callable[[], bool], *, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
