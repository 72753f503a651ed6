"""A folder is there whole, or not at all."""

import subprocess
from pathlib import Path

import pytest

from adapters.exporting.folder import SUMS, Folder, new_folder
from application.exporting.ports import ExportRefused


def test_a_folder_is_seen_once_it_is_whole(tmp_path: Path) -> None:
    """Until the block is left nothing has its name; then `sha256sum` agrees with its sums, in sub-folders too."""
    place = tmp_path / "export"
    with new_folder(place) as folder:
        for name, compressed in (("one", False), ("two.gz", True), ("tile/0/000", False)):
            with folder.create(name, compressed=compressed) as file:
                file.write(b"some ")
                file.write(b"bytes")
        assert not place.exists()
    assert (place / "tile/0/000").read_bytes() == b"some bytes"
    done = subprocess.run(["sha256sum", "-c", SUMS], cwd=place, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count(": OK")) == (0, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    """Neither a half export nor a hidden one, whatever it failed of."""

    def export() -> None:
        with new_folder(tmp_path / "export") as folder:
            with folder.create("one") as file:
                file.write(b"bytes")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_failed_is_in_no_sums(tmp_path: Path) -> None:
    """What was not left in peace may be cut anywhere."""

    def write(folder: Folder) -> None:
        with folder.create("one", compressed=True) as file:
            file.write(b"bytes")
            raise ValueError("half")

    with new_folder(tmp_path / "export") as folder:
        with pytest.raises(ValueError, match="half"):
            write(folder)
        assert folder.sums() == {}


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    """An export never mixes with what stood there before."""
    place = tmp_path / "export"
    place.mkdir()
    with pytest.raises(ExportRefused, match="is there already"), new_folder(place):
        pytest.fail("it was opened")
    assert list(place.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """It is said in words, not by a traceback."""
    with pytest.raises(ExportRefused, match="cannot be written"), new_folder(tmp_path / "missing" / "export"):
        pytest.fail("it was opened")
