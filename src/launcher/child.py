"""One child process of `tokenok up`: started so that it dies with us, started again when it ends by itself."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.embedded.pdeathsig import die_with_parent
from launcher.plan import ChildSpec

_BACK_OFF_S_MAX = 30.0
_BACK_OFF_S = 0.5
_HEALTHY_S = 60.0
_LOG_BYTES_MAX = 64 * 1024 * 1024
_TAIL_BYTES = 2000


class Child:
    """Times are of a monotonic clock, in seconds, given by the caller."""

    def __init__(
        self,
        spec: ChildSpec,
        *,
        name: str,
        environment: Mapping[str, str],
        logs: Path,
        values: Mapping[str, str],
        pass_fds: Sequence[int] = (),
    ) -> None:
        """`values` fill in the placeholders of the command; `pass_fds` stay open in the child."""
        self.name = name
        self.log_path = logs / f"{name}.log"
        self.failures = 0  #: ends in a row, without a healthy time between
        self.values = dict(values)
        self._spec = spec
        self._environment = dict(environment)
        self._pass_fds = tuple(pass_fds)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_at: float | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """None while it waits to be started again."""
        return self._process.pid if self._process else None

    def start(self, *, now: float) -> None:
        self._limit_log()
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._log_start = os.fstat(log).st_size
            # Our own death leaves nobody to drain for: the database that charges are written to goes with us.
            self._process = subprocess.Popen(  # noqa: S603 (the command is ours)
                [part.format(**self.values) for part in self._spec.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=self._pass_fds,
                process_group=0,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (it can only be set in the child)
            )
        finally:
            os.close(log)
        self._started_at = now
        self._start_at = None

    def tick(self, *, now: float) -> str | None:
        """Start it again when its time has come; returns what the operator should read when it has just ended."""
        if self._process is None:
            return self._start_again(now) if self._start_at is not None and now >= self._start_at else None
        code = self._process.poll()
        if code is None:
            if now - self._started_at >= _HEALTHY_S:
                self.failures = 0
                self._limit_log()
            return None
        self._kill_group()  # what it may have started itself
        self.failures = 1 if now - self._started_at >= _HEALTHY_S else self.failures + 1
        delay_s = back_off_s(self.failures)
        self._process = None
        self._start_at = now + delay_s
        when = f"it is started again in {delay_s:g} s" if delay_s else "it was started again"
        failed = None if delay_s else self._start_again(now)
        return f"{self.name} {_ending(code)}; {failed or when} (see {self.log_path})"

    def ask_to_stop(self) -> None:
        """It may finish what it has begun; it is not started again."""
        self._start_at = None
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """End it and everything it started, at once."""
        self._start_at = None
        if self._process is not None:
            self._kill_group()
            self._process.wait()

    def log_tail(self) -> str:
        """The end of what its last run has logged."""
        with self.log_path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(min(self._log_start, size), size - _TAIL_BYTES))
            return log.read().decode("utf-8", "replace").strip()

    def _start_again(self, now: float) -> str | None:
        try:
            self.start(now=now)
        except OSError as error:  # no memory or descriptors left: that may pass
            self.failures += 1
            self._start_at = now + back_off_s(self.failures)
            return f"{self.name} cannot be started: {error.strerror}"
        return None

    def _kill_group(self) -> None:
        assert self._process is not None
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS refuses a group of zombies
            return

    def _limit_log(self) -> None:
        """Keep one older log; the file itself stays, since the child has it open."""
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_BYTES_MAX:
            with self.log_path.open("rb") as log:
                log.seek(-_LOG_BYTES_MAX // 2, os.SEEK_END)
                self.log_path.with_suffix(".old.log").write_bytes(log.read())
            os.truncate(self.log_path, 0)


def back_off_s(failures: int) -> float:
    """At once after a first end, then 0.5 s, 1 s, 2 s ... up to half a minute."""
    return 0.0 if failures <= 1 else float(min(_BACK_OFF_S_MAX, _BACK_OFF_S * 2.0 ** min(failures - 2, 16)))


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
