"""The whole product as a process, two gateways, to be hurt."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

READY_S_MAX = 120


class Product:
    """`tokenok up` with two gateways; `ready` is what its ready file says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ready_file = root / "ready.json"
        self.log = root / "up.log"
        self.ready: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, port: int = 0) -> None:
        self.ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "cli", "up", "--port", str(port), "--gateways", "2"]
        command += ["--data", str(self.root / "data"), "--ready-file", str(self.ready_file)]
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.endswith(("DATABASE_URL", "REDIS_URL"))
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environ, process_group=0, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + READY_S_MAX
        while not self.ready_file.exists():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        self.ready = json.loads(self.ready_file.read_bytes())

    @property
    def port(self) -> int:
        return int(self.ready["base_url"].rsplit(":", 1)[1].partition("/")[0])

    @property
    def sandbox_url(self) -> str:
        address: str = json.loads((self.root / "data/run/sandbox.json").read_bytes())["base_url"]
        return address.removesuffix("/v1")

    def pids(self, marker: str) -> list[int]:
        """Our own processes whose command line has `marker`: children of the supervisor, nobody else's."""
        assert self._process is not None
        return [pid for pid in _tree(self._process.pid) if marker in _command(pid)]

    def freeze(self) -> None:
        """Stop the supervisor where it is, so that it starts nothing again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill_gateways_for_good(self) -> None:
        """Freeze the supervisor, so that it starts none again, and kill the gateways."""
        self.freeze()
        for pid in self.pids("gateway_main"):
            kill(pid)

    def kill_everything(self) -> None:
        """Kill -9 of the supervisor and all that it started, but for the sandbox, which plays the provider."""
        assert self._process is not None
        pids = [pid for pid in _tree(self._process.pid) if "-m sandbox" not in _command(pid)]
        for pid in [self._process.pid, *pids]:
            kill(pid)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=120)


def _tree(pid: int) -> list[int]:
    found = []
    for child in _children(pid):
        found += [child, *_tree(child)]
    return found


def _children(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with TemporaryDirectory(prefix="tokenok-faults-", ignore_cleanup_errors=True) as scratch:
        Path(scratch).chmod(0o711)
        one = Product(Path(scratch))
        one.start()
        yield one
        one.stop()


def rows(product: Product, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What the product's own database says."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(product.ready["database_url"]) as connection:
        return connection.execute(statement.encode(), parameters).fetchall()
