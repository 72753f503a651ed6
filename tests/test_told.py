"""What a test tells is printed at the end, whichever process played it."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = "from tests.conftest import *\n"
TESTS = """
def test_a(tell):
    tell("rows: 1")

def test_b(tell):
    tell("seed 7")
    assert False
"""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_tables_and_seeds_are_printed_by_one_process_and_by_two(processes: str, tmp_path: Path) -> None:
    """A test's own output is lost in a process among several; a seed matters most when its test fails."""
    Path(tmp_path, "conftest.py").write_text(CONFTEST)
    Path(tmp_path, "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-n", processes, "-c", Path.cwd() / "pyproject.toml"]
    command += ["--rootdir", tmp_path, "--import-mode=importlib", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    told = done.stdout.partition("FAILURES")[2]
    assert "rows: 1" in told, done.stdout
    assert "seed 7" in told, done.stdout
