"""One supervised server process: started so that it dies with us, stopped by a ladder of signals."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.embedded.identity import SERVER_ENVIRONMENT, ServerUser
from adapters.embedded.pdeathsig import die_with_parent

_LOG_BYTES_MAX = 16 * 1024 * 1024
_TAIL_BYTES = 4000


class ServerProcess:
    """A running server in its own process group, with both outputs in `log_path`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        user: ServerUser,
        log_path: Path,
        death_signal: signal.Signals,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it. A Ctrl-C in the terminal does not reach it: it is ours to stop, after everything that uses it."""
        _rotate(log_path)
        descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._log_path = log_path
            self._log_start = os.fstat(descriptor).st_size
            self._process = subprocess.Popen(  # noqa: S603 (the command is ours)
                command,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                cwd="/",
                env=dict(SERVER_ENVIRONMENT if environment is None else environment),
                user=user.uid if user.is_other else None,
                group=user.gid if user.is_other else None,
                extra_groups=[] if user.is_other else None,
                umask=0o077,
                process_group=0,
                preexec_fn=die_with_parent(death_signal),  # noqa: PLW1509 (it can only be set in the child)
            )
        finally:
            os.close(descriptor)

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def log_tail(self) -> str:
        """The end of what this run has logged."""
        with self._log_path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size - _TAIL_BYTES))
            return log.read().decode("utf-8", "replace").strip()

    def stop(self, *ladder: tuple[signal.Signals, float]) -> bool:
        """Send each signal in turn and wait its seconds; true once the process has ended."""
        for signal_number, wait_s in ladder:
            if self._process.poll() is not None:
                break
            self._process.send_signal(signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait_s)
        return self._process.poll() is not None


def _rotate(log_path: Path) -> None:
    """Keep one older log once it has grown large."""
    with contextlib.suppress(FileNotFoundError):
        if log_path.stat().st_size > _LOG_BYTES_MAX:
            log_path.replace(log_path.with_suffix(".old.log"))
