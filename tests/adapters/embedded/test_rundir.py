"""The directory of the sockets: fresh, short, and provably ours."""

import os
import stat
from pathlib import Path

import pytest

from adapters.embedded import DataUnusable
from adapters.embedded.identity import choose_user
from adapters.embedded.rundir import RunDirectory


@pytest.fixture
def temporary(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system's temporary directory of this test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    return scratch


def test_each_start_gets_a_fresh_directory(temporary: Path) -> None:
    """A stale lock file of the last start cannot be in the way; older directories are removed, the address stays."""
    directory = RunDirectory(temporary / "data")
    directory.prepare()
    first = directory.fresh("postgres", user=choose_user())
    before = first.resolve()
    (first / ".s.PGSQL.5432.lock").write_text("1\n")
    second = directory.fresh("postgres", user=choose_user())
    assert second == first
    assert second.resolve() != before
    assert not before.exists()
    assert list(second.iterdir()) == []


def test_a_link_in_its_place_is_refused(temporary: Path) -> None:
    """Somebody may have put a link under that name: it is neither followed nor removed."""
    directory = RunDirectory(temporary / "data")
    (temporary / "elsewhere").mkdir()
    directory.path.symlink_to(temporary / "elsewhere")
    with pytest.raises(DataUnusable, match="is not a directory of this user"):
        directory.prepare()
    assert list((temporary / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_somebody_elses_directory_is_refused(temporary: Path) -> None:
    """Whoever owns it could swap the socket for his own."""
    directory = RunDirectory(temporary / "data")
    directory.path.mkdir()
    os.chown(directory.path, 65534, 65534)
    with pytest.raises(DataUnusable, match="is not a directory of this user"):
        directory.prepare()


def test_wide_open_modes_are_closed(temporary: Path) -> None:
    """Only the servers' user may pass, whatever the umask was; the sockets' own directory is closed to all others."""
    directory = RunDirectory(temporary / "data")
    directory.path.mkdir()
    directory.path.chmod(0o777)
    directory.prepare()
    assert stat.S_IMODE(directory.path.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert stat.S_IMODE(directory.fresh("valkey", user=choose_user()).stat().st_mode) == 0o700


def test_a_long_temporary_directory_is_avoided(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket's path has at most 107 bytes."""
    deep = scratch / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    assert not RunDirectory(scratch / "data").path.is_relative_to(deep)
