"""Proof that a process serves one of our directories, from `/proc`. Without proof nothing is ever signalled.

A server's working directory is its data directory (Postgres and Valkey both change into it), and its executable has
the server's name: both links are made by the kernel, and only its user and root can read them. Off Linux nothing can be
proven, so nothing is found.
"""

import os
from pathlib import Path

_PROC = Path("/proc")


def is_postmaster_of(pid: int, cluster: Path) -> bool:
    """Whether `pid` is alive, a `postgres`, and was started with exactly this data directory."""
    try:
        arguments = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # A zombie's command line is empty; a backend's is rewritten and names no directory.
    return os.fsencode(cluster) in arguments[1:] and _serves(pid, directory=cluster, program="postgres")


def serving(directory: Path, *, program: str) -> list[int]:
    """All live processes of `program` whose working directory is `directory`."""
    try:
        names = [entry.name for entry in _PROC.iterdir()]
    except OSError:
        return []
    return [
        int(name)
        for name in names
        if name.isdigit() and _serves(int(name), directory=directory, program=program)
    ]


def _serves(pid: int, *, directory: Path, program: str) -> bool:
    try:
        working = (_PROC / str(pid) / "cwd").readlink()
        executable = (_PROC / str(pid) / "exe").readlink()
    except OSError:  # gone, a zombie, or somebody else's
        return False
    # An executable that was replaced by an upgrade while it runs is shown with this suffix.
    return working == directory and executable.name.removesuffix(" (deleted)") == program
