"""Processes of an earlier `tokenok up` on the same data that outlived it, where the kernel did not end them with it.

Each child carries the data root in its environment, which the kernel shows to its user and root only: that is the proof
without which nothing is signalled. Only used under the data root's lock, so whatever carries it is a leftover.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

MARK = "TOKENOK_SUPERVISED_BY"
_PROC = Path("/proc")
_POLL_S = 0.05


def settle_children(data_root: Path, *, polite_s: float = 5.0, kill_s: float = 5.0) -> int:
    """End them; returns how many there were."""
    found = _marked(data_root)
    for number, wait_s in ((signal.SIGTERM, polite_s), (signal.SIGKILL, kill_s)):
        deadline = time.monotonic() + wait_s
        for pid in _marked(data_root):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        while _marked(data_root) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    return len(found)


def _marked(data_root: Path) -> list[int]:
    wanted = os.fsencode(f"{MARK}={data_root}")
    with contextlib.suppress(OSError):
        names = [entry.name for entry in _PROC.iterdir() if entry.name.isdigit()]
        return [int(name) for name in names if int(name) != os.getpid() and wanted in _environment(name)]
    return []


def _environment(name: str) -> list[bytes]:
    try:
        return (_PROC / name / "environ").read_bytes().split(b"\0")
    except OSError:  # gone, or somebody else's; a zombie's is empty
        return []
