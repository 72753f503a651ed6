"""The script `run`, with stand-ins for uv and Python on a PATH of its own."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "dirname", "id", "cksum", "tr", "find", "mkdir", "cat", "env", "chmod", "printf")
CHECKS = [
    "ruff format --check .",
    "ruff check .",
    "mypy",
    "lint-imports",
    "codespell",
    "python -m tools.messages --check",
]

#: Makes an environment whose programs write down how they were called; `BROKEN` names one that fails.
UV = """#!/bin/sh
echo "uv $* | python=$UV_PYTHON downloads=$UV_PYTHON_DOWNLOADS" >> "$CALLS"
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
for name in tokenok pytest ruff mypy lint-imports codespell python; do
    printf '#!/bin/sh\\necho "%s $* | cwd=$PWD" >> "$CALLS"\\n[ "$BROKEN" != %s ]\\n' $name $name \\
        > "$UV_PROJECT_ENVIRONMENT/bin/$name"
    chmod +x "$UV_PROJECT_ENVIRONMENT/bin/$name"
done
"""


class Checkout:
    """A checkout with the real script, and a PATH with nothing but what a bare machine has."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.path = base / "checkout"
        self.bin = base / "bin"
        self.calls_file = base / "calls"
        self.path.mkdir()
        self.bin.mkdir()
        self.calls_file.touch()
        shutil.copy(ROOT / "run", self.path / "run")
        for tool in TOOLS:
            found = shutil.which(tool, path="/usr/bin:/bin")
            assert found, tool
            (self.bin / tool).symlink_to(found)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def with_uv(self) -> "Checkout":
        self.program("uv", UV)
        return self

    def with_python(self, name: str = "python3") -> "Checkout":
        (self.bin / name).symlink_to(os.path.realpath(sys.executable))
        return self

    def run(
        self, *words: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        base = {
            "PATH": str(self.bin),
            "CALLS": str(self.calls_file),
            "BROKEN": "",
            "HOME": str(self.base / "home"),
        }
        return subprocess.run(
            [str(self.path / "run"), *words],
            env={**base, **environment},
            cwd=cwd or self.base,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_python_one_sentence_says_so(checkout: Checkout) -> None:
    """A bare machine: what is missing and how to get it, and nothing was made."""
    done = checkout.run("up")
    assert done.returncode == 1
    assert done.stderr == "tokenok: Python 3.11+ is needed (Debian: apt install python3 python3-venv)\n"
    assert sorted(path.name for path in checkout.path.iterdir()) == ["run"]


def test_an_old_python_is_not_enough(checkout: Checkout) -> None:
    """A version manager's shim that fails, or a Python that is too old, is passed over."""
    checkout.program("python3.13", "#!/bin/sh\nexit 127\n")
    checkout.program("python3", "#!/bin/sh\nexit 1\n")
    assert checkout.run("up").returncode == 1
    checkout.with_python("python").with_uv()
    assert checkout.run("up").returncode == 0


def test_a_python_without_venv_cannot_make_uv(checkout: Checkout) -> None:
    """Debian's bare `python3`: the package to install is named."""
    interpreter = os.path.realpath(sys.executable)
    checkout.program(
        "python3", f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec {interpreter} "$@"\n'
    )
    done = checkout.run("up")
    assert done.returncode == 1
    assert done.stderr == "tokenok: Python 3.11+ with venv is needed (Debian: apt install python3-venv)\n"


def test_the_environment_is_the_locked_one(checkout: Checkout) -> None:
    """Frozen, on a Python of this machine, never on a downloaded one."""
    checkout.with_uv().with_python().run("doctor", "--json")
    sync, call = checkout.calls()
    assert sync.startswith("uv sync --frozen ")
    assert f"python={os.path.realpath(sys.executable)} downloads=never" in sync
    assert call == f"tokenok doctor --json | cwd={checkout.base}"
    assert (checkout.path / ".venv" / "bin" / "tokenok").exists()


def test_paths_are_those_of_the_caller(checkout: Checkout) -> None:
    """`--data x` means x where the user stands, not in the checkout."""
    elsewhere = checkout.base / "elsewhere"
    elsewhere.mkdir()
    checkout.with_uv().with_python().run("up", "--data", "x", cwd=elsewhere)
    assert checkout.calls()[-1] == f"tokenok up --data x | cwd={elsewhere}"


def test_uv_by_name(checkout: Checkout) -> None:
    """`UV` wins over PATH; one that is not there is said."""
    checkout.with_python()
    checkout.program("my-uv", UV)
    assert checkout.run("up", UV=str(checkout.bin / "my-uv")).returncode == 0
    done = checkout.run("up", UV="/nowhere/uv")
    assert (done.returncode, done.stderr) == (1, "tokenok: UV=/nowhere/uv is not a program\n")


def test_all_checks_then_the_tests(checkout: Checkout) -> None:
    """Each with a heading, pytest last so that its closing line is the last; the quick ones by default.

    Tests that are named run in one process, as whoever debugs them expects; all of them in two.
    """
    done = checkout.with_uv().with_python().run("test", "-k", "x")
    called = [call.partition(" |")[0].strip() for call in checkout.calls()[1:]]
    assert called == [*CHECKS, "pytest -m not slow -k x"]
    for check in CHECKS:
        assert f"\n== {check}\n" in done.stdout
    assert done.returncode == 0


def test_all_means_the_slow_ones_too(checkout: Checkout) -> None:
    """`test-all` selects everything."""
    checkout.with_uv().with_python().run("test-all")
    assert checkout.calls()[-1].startswith("pytest -m slow or not slow -n 2 |")


@pytest.mark.parametrize(("broken", "last"), [("mypy", "mypy"), ("pytest", "pytest -m not slow -n 2")])
def test_the_first_failure_stops(checkout: Checkout, broken: str, last: str) -> None:
    """Nothing after it runs, and the exit status tells."""
    done = checkout.with_uv().with_python().run("test", BROKEN=broken)
    assert done.returncode == 1
    assert checkout.calls()[-1].partition(" |")[0].strip() == last


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a checkout away from an ordinary user")
def test_a_checkout_that_cannot_be_written(tmp_path: Path) -> None:
    """The environment goes to a directory that only its user can read; a wrong one there is not used."""
    base = Path("/var/tmp") / f"tokenok-{tmp_path.name}-{os.getpid()}"
    base.mkdir(mode=0o755)
    try:
        python = next(
            (name for name in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(name).exists()), None
        )
        if python is None:
            pytest.skip("no Python that an ordinary user can run")
        checkout = Checkout(base).with_uv()
        (checkout.bin / "python3").symlink_to(python)
        checkout.calls_file.chmod(0o666)
        home = base / "home"
        home.mkdir()
        os.chown(home, 65534, 65534)
        command = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            str(checkout.path / "run"),
            "up",
        ]
        environment = {
            "PATH": str(checkout.bin),
            "CALLS": str(checkout.calls_file),
            "BROKEN": "",
            "HOME": str(home),
        }
        setpriv = shutil.which("setpriv")
        assert setpriv
        done = subprocess.run(
            [setpriv, *command[1:]], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        private = home / ".cache" / "tokenok-65534"
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert list(private.glob("venv-*/bin/tokenok"))
        assert sorted(path.name for path in checkout.path.iterdir()) == ["run"]
        private.chmod(0o777)
        done = subprocess.run(
            [setpriv, *command[1:]],
            env={**environment, "TMPDIR": str(base / "nowhere")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "no directory to put the environment in" in done.stderr
    finally:
        shutil.rmtree(base)


def test_ci_runs_the_same() -> None:
    """What CI runs is what a developer types."""
    assert "exec ./run test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert os.access(ROOT / "run", os.X_OK)
