"""The archive's directory: whole files or none, and none that is another."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.archive.files import ArchiveDirectory
from application.archive.segment import Manifest, SegmentDamaged, SegmentMissing
from tests.application.archive.test_segment import MANIFEST

LINES = [b'{"n":%d}' % number for number in range(1000)]


def written(path: Path, lines: Sequence[bytes] = LINES) -> Manifest:
    """A segment on disk, and a manifest that fits it."""
    with ArchiveDirectory(path).writing() as segment:
        for line in lines:
            segment.write(line)
        found = segment.finish(MANIFEST.file)
    return Manifest(
        file=MANIFEST.file,
        first_position=1,
        last_position=len(lines),
        events=len(lines),
        plain_bytes=found.plain_bytes,
        plain_sha256=found.plain_sha256,
        compressed_bytes=found.compressed_bytes,
        compressed_sha256=found.compressed_sha256,
        first_leaf=0,
        tree_root="",
        tree_peaks=[],
        previous_sha256="",
    )


def test_lines_are_read_back(tmp_path: Path) -> None:
    """In order, as they were, compressed; the same lines make the same bytes."""
    manifest = written(tmp_path / "made" / "on demand")
    assert list(ArchiveDirectory(tmp_path / "made" / "on demand").lines(manifest)) == LINES
    assert (tmp_path / "made" / "on demand" / manifest.file).stat().st_size == manifest.compressed_bytes
    assert manifest.compressed_bytes < manifest.plain_bytes == sum(map(len, LINES)) + len(LINES)
    assert written(tmp_path / "again") == manifest


def test_a_write_that_breaks_off_leaves_no_name(tmp_path: Path) -> None:
    """What has the segment's name is whole; the next write goes over what was left."""
    with pytest.raises(TypeError), ArchiveDirectory(tmp_path).writing() as segment:
        segment.write("no bytes")  # type: ignore[arg-type]
    assert not (tmp_path / MANIFEST.file).exists()
    assert list(ArchiveDirectory(tmp_path).lines(written(tmp_path))) == LINES
    assert [file.name for file in tmp_path.iterdir()] == [MANIFEST.file]


@pytest.mark.parametrize("place", [0, 5, -1, -5, 100])
def test_a_changed_byte_is_found_before_a_line_is_read(tmp_path: Path, place: int) -> None:
    """Wherever it stands."""
    manifest = written(tmp_path)
    changed = bytearray((tmp_path / manifest.file).read_bytes())
    changed[place] ^= 1
    (tmp_path / manifest.file).write_bytes(changed)
    with pytest.raises(SegmentDamaged, match=manifest.file):
        next(ArchiveDirectory(tmp_path).lines(manifest))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """So is the setting, where none is set."""
    with pytest.raises(SegmentMissing, match=MANIFEST.file):
        next(ArchiveDirectory(tmp_path).lines(MANIFEST))
    with pytest.raises(SegmentMissing, match=r"\.manifest\.json"):
        ArchiveDirectory(tmp_path).manifest(MANIFEST.file)
    with pytest.raises(SegmentMissing, match="ARCHIVE_DIR"):
        next(ArchiveDirectory(None).lines(MANIFEST))


def test_a_manifest_is_kept_beside_its_segment(tmp_path: Path) -> None:
    """Byte for byte."""
    files = ArchiveDirectory(tmp_path)
    files.put_manifest(MANIFEST.file, MANIFEST.encode())
    assert files.manifest(MANIFEST.file) == MANIFEST.encode()
