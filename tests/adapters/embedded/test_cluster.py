"""How a cluster is made, and which ones are refused."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.embedded import EmbeddedServers, StartFailed

Start = Callable[..., Any]

_DEBIAN = Path("/usr/lib/postgresql/15/bin")
needs_debian = pytest.mark.skipif(
    not (_DEBIAN / "initdb").exists(),
    reason="Debian's postgresql-15 is not installed: TOKENOK_PG_BIN goes untested",
)


def test_a_half_made_cluster_is_never_picked_up(start: Start, scratch: Path) -> None:
    """A start was killed within `initdb`: the next one begins anew."""
    data = scratch / "data"
    half = data / "postgres-18.init"
    half.mkdir(parents=True)
    data.chmod(0o711)
    (half / "PG_VERSION").write_text("18\n")
    app = start(None, "--only", "postgres")
    assert app.pids
    assert [path.name for path in data.glob("postgres-*")] == ["postgres-18"]


def test_initdb_says_why_it_failed(scratch: Path) -> None:
    """Its own words reach the operator, and nothing is left that looks like a cluster."""
    programs = scratch / "bin"
    programs.mkdir()
    (programs / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
    (programs / "initdb").write_text(
        "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\necho 'initdb: error: the disk is made of cheese' >&2\nexit 1\n"
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    servers = EmbeddedServers(scratch / "data", pg_bin=str(programs), root_home=scratch / "root-home")
    with servers, pytest.raises(StartFailed, match="made of cheese"):
        servers.start_postgres()
    assert not (scratch / "data" / "postgres-18").exists()


def test_another_major_version_is_refused(start: Start, scratch: Path) -> None:
    """Data of Postgres 15 is not passed over for an empty cluster of ours: that would look like lost data."""
    old = scratch / "data" / "postgres-15"
    old.mkdir(parents=True)
    (scratch / "data").chmod(0o711)
    (old / "PG_VERSION").write_text("15\n")
    app = start(None, "--only", "postgres")
    assert "holds data of Postgres 15, but Postgres 18 would run" in app.error
    assert "Traceback" not in app.error
    assert not (scratch / "data" / "postgres-18").exists()


@pytest.mark.slow
def test_the_version_file_is_believed_over_the_name(start: Start, scratch: Path) -> None:
    """A renamed directory does not fool the check."""
    start(None, "--only", "postgres").stop()
    (scratch / "data" / "postgres-18" / "PG_VERSION").write_text("17\n")
    assert "holds data of Postgres 17, not 18" in start(None, "--only", "postgres").error


def test_a_lost_password_is_said(start: Start, scratch: Path) -> None:
    """The cluster is there, its key is not: no second cluster is made over it."""
    start(None, "--only", "postgres").stop()
    (scratch / "data" / "postgres.password").unlink()
    error = start(None, "--only", "postgres").error
    assert "the database password in" in error
    assert "Traceback" not in error


@pytest.mark.slow
def test_what_exists_keeps_its_mode_and_owner(start: Start, scratch: Path) -> None:
    """A data root that the operator made is used as it is."""
    data = scratch / "data"
    data.mkdir()
    data.chmod(0o755)
    start(None, "--only", "postgres").stop()
    found = data.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o755, os.geteuid())


@pytest.mark.slow
def test_erase_takes_our_files_and_no_others(start: Start, scratch: Path) -> None:
    """A data root may hold files of somebody else."""
    start().stop()
    (scratch / "data" / "notes.txt").write_text("mine")
    with EmbeddedServers(scratch / "data", root_home=scratch / "root-home") as servers:
        servers.erase()
    assert {path.name for path in (scratch / "data").iterdir()} == {"notes.txt", "lock", "logs"}


@needs_debian
def test_another_postgres_by_its_directory(start: Start, scratch: Path) -> None:
    """`TOKENOK_PG_BIN` wins over the wheel, and the oldest supported version works; a second start too."""
    start(None, "--only", "postgres", "--pg-bin", str(_DEBIAN)).stop()
    app = start(None, "--only", "postgres", "--pg-bin", str(_DEBIAN))
    with psycopg.connect(app.database_url) as connection:
        row = connection.execute("SELECT current_setting('server_version_num')::int / 10000").fetchone()
    assert row == (15,)
    assert (scratch / "data" / "postgres-15").is_dir()


@pytest.mark.slow
@needs_debian
def test_a_directory_with_only_the_two_programs_in_path_terms(start: Start, scratch: Path) -> None:
    """Neither `pg_ctl` nor `pg_isready` nor `psql` is needed."""
    programs = scratch / "pg" / "lib" / "postgresql" / "15" / "bin"
    programs.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        shutil.copy2(_DEBIAN / program, programs / program)
    for link in ("lib", "../../../share"):
        target = Path(os.path.normpath(programs.parent / link))
        if not target.exists():
            target.symlink_to(Path(os.path.normpath(_DEBIAN.parent / link)))
    (scratch / "pg").chmod(0o755)
    assert start(None, "--only", "postgres", "--pg-bin", str(programs)).pids
