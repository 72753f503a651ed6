"""Files that are put in place whole."""

from pathlib import Path

import pytest

from adapters.sealing.files import LocalFiles


def test_files_come_back(tmp_path: Path) -> None:
    """Folders are made as they are needed; nothing else is left lying about."""
    files = LocalFiles(tmp_path / "log")
    assert files.read("checkpoint") is None
    files.write({"checkpoint": b"one", "tile/0/x001/234": b"two", "tile/0/x001/235.p/7": b"three"})
    files.write({"checkpoint": b"four"})
    assert files.read("checkpoint") == b"four"
    assert files.read("tile/0/x001/234") == b"two"
    assert files.read("tile/0/x001/235.p/7") == b"three"
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["234", "7", "checkpoint"]


def test_a_partial_and_a_full_tile_do_not_stand_in_each_others_way(tmp_path: Path) -> None:
    """A reader that asks below a file is told that there is nothing."""
    files = LocalFiles(tmp_path)
    files.write({"tile/0/000": b"full", "tile/0/001.p/3": b"partial"})
    assert files.read("tile/0/000/3") is None
    files.remove(["tile/0/001.p", "tile/0/002.p"])
    assert files.read("tile/0/001.p/3") is None
    assert files.read("tile/0/000") == b"full"


def test_a_directory_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    """Where a file stands in place of the directory nothing is taken for written."""
    (tmp_path / "log").write_bytes(b"")
    with pytest.raises(OSError, match="exists"):
        LocalFiles(tmp_path / "log").write({"checkpoint": b""})
