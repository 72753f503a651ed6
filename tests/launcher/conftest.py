"""Tools of this folder: `tokenok up` in a process of its own, with stand-ins for what it starts."""

import http.client
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.databases import sound_postgres

_HERE = Path(__file__).parent
_SOURCE = _HERE.parents[1] / "src"
_WAIT_S = 180


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """`up` starts on no server that does not wait for its disk, as the other tests' does not."""
    with sound_postgres() as url:
        yield url


class Instance:
    """One running `up`. What it has said is in `output` once it has ended."""

    def __init__(self, options: list[str], *, environment: dict[str, str], ready_file: Path) -> None:
        self.ready_file = ready_file
        self.output = ""
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(_HERE / "standins" / "up_standin.py"),
                *options,
                "--ready-file",
                str(ready_file),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def read_until(self, wanted: str) -> str:
        """Read what it says up to the line that holds `wanted`; fails when it ends before."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line
            if wanted in line:
                return line
        raise AssertionError(f"`up` ended without saying {wanted!r}:\n{self.output}")

    def wait_ready(self) -> "Instance":
        self.read_until("Ctrl-C stops everything")
        return self

    @property
    def ready(self) -> dict[str, Any]:
        return dict(json.loads(self.ready_file.read_text()))

    @property
    def address(self) -> str:
        return str(self.ready["base_url"]).removeprefix("http://").removesuffix("/v1")

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def descendants(self) -> dict[int, str]:
        """Every process below it, by what the kernel says, with its command line."""
        found: dict[int, str] = {}
        parents = {self.process.pid}
        while parents:
            children = [pid for parent in parents for pid in _children_of(parent)]
            found |= {pid: command for pid in children if (command := _command(pid))}
            parents = set(children)
        return found

    def pid_of(self, script: str) -> int:
        (pid,) = (pid for pid, command in self.descendants().items() if script in command)
        return pid

    def finish(self) -> int:
        """Wait for its end; returns its exit status."""
        rest, _ = self.process.communicate(timeout=_WAIT_S)
        self.output += rest
        return self.process.returncode

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.finish()


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # a server's own helpers come and go
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def _command(pid: int) -> str:
    """Empty for one that has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.fixture
def ended() -> Callable[[int], Callable[[], None]]:
    """Take hold of a process; what is returned waits until it has ended."""

    def hold(pid: int) -> Callable[[], None]:
        descriptor = os.pidfd_open(pid)

        def wait() -> None:
            try:
                assert select.select([descriptor], [], [], _WAIT_S)[0], f"process {pid} still runs"
            finally:
                os.close(descriptor)

        return wait

    return hold


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A directory that the servers' user may pass through; pytest's own is closed to others."""
    with TemporaryDirectory(prefix="tokenok-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@pytest.fixture
def launch(scratch: Path) -> Iterator[Callable[..., Instance]]:
    """Launch `up` on a free port with data in `scratch`; whatever still runs afterwards is ended."""
    instances: list[Instance] = []

    def launch_up(*options: str, name: str = "data", **environment: str) -> Instance:
        base = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        base |= {"PYTHONPATH": str(_SOURCE), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        instances.append(
            Instance(
                ["--data", str(scratch / name), *(() if "--port" in options else ("--port", "0")), *options],
                environment={**base, **environment},
                ready_file=scratch / f"{name}.ready.json",
            )
        )
        return instances[-1]

    yield launch_up
    for instance in instances:
        if instance.process.poll() is None:
            instance.process.send_signal(signal.SIGTERM)
            instance.process.send_signal(signal.SIGTERM)
            instance.finish()
        if instance.process.stdout:
            instance.process.stdout.close()


@pytest.fixture
def given(database_url: str, redis_url: str) -> dict[str, str]:
    """The session's servers, for what does not concern the embedded ones: it saves making a cluster."""
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
