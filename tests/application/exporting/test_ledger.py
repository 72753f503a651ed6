"""The export for auditors: canonical lines, whole files, and the same bytes each time."""

import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.exporting.folder import SUMS, new_folder
from application.eventlog import LogUnavailable, RecordedEvent
from application.exporting.ledger import LedgerExport, export_ledger
from application.exporting.manifest import MANIFEST, Manifest
from application.exporting.ports import ExportRefused
from domain.ledger.postings import CURRENT_RULES, load_rules, rules_file
from domain.sealing.leaf import leaf
from domain.topics import REGISTRY
from tests.histories import ListLog, history

LOG = ListLog(history(1, steps=120))
HEAD = LOG.head_position()


def _export(place: Path, log: ListLog = LOG, **wanted: object) -> Manifest:
    with new_folder(place) as folder:
        return export_ledger(
            LedgerExport(**wanted),  # type: ignore[arg-type]  # fields by name
            log=log,
            folder=folder,
            registry=REGISTRY,
        )


def _files(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


def _lines(events: Sequence[RecordedEvent]) -> bytes:
    return b"".join(leaf(event) + b"\n" for event in events)


def test_every_event_is_its_leaf_on_a_line_of_its_own(tmp_path: Path) -> None:
    """What is hashed into the tree is what is exported, in the order of the log and without a gap between files."""
    manifest = _export(tmp_path / "export", lines_per_file=50)
    names = [file.name for file in manifest.files]
    assert names == [f"events-{number:06d}.jsonl" for number in range(1, len(names) + 1)]
    assert b"".join((tmp_path / "export" / name).read_bytes() for name in names) == _lines(LOG.events)
    assert {file.events for file in manifest.files[:-1]} == {50}


def test_the_manifest_tells_what_is_there(tmp_path: Path) -> None:
    """Positions, counts and sums of each file and of the whole; the rules are those that the code posts by."""
    manifest = _export(tmp_path / "export", lines_per_file=50)
    stored = (tmp_path / "export" / MANIFEST).read_bytes()
    assert msgspec.json.decode(stored, type=Manifest) == manifest
    assert (manifest.first_position, manifest.last_position, manifest.until_position) == (1, HEAD, HEAD)
    assert manifest.events == len(LOG.events) == sum(file.events for file in manifest.files)
    for file in manifest.files:
        lines = (tmp_path / "export" / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(lines), hashlib.sha256(lines).hexdigest())
        first, *_, last = lines.splitlines()
        assert first.startswith(b'{"position":%d,' % file.first_position)
        assert last.startswith(b'{"position":%d,' % file.last_position)
    assert set(manifest.topics) == set(REGISTRY.topics())
    rules = (tmp_path / "export" / manifest.posting_rules.name).read_bytes()
    assert rules == rules_file(CURRENT_RULES)
    assert load_rules(manifest.posting_rules.version) == load_rules()


@settings(max_examples=30, deadline=None)
@given(
    batch_events=st.integers(1, 400),
    lines_per_file=st.integers(20, 400),
    until_position=st.integers(0, HEAD),
    compressed=st.booleans(),
)
def test_the_same_export_twice_is_equal_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory,
    batch_events: int,
    lines_per_file: int,
    until_position: int,
    compressed: bool,
) -> None:
    """However much is read at once, and however far the log has grown since."""
    place = tmp_path_factory.mktemp("exports")
    wanted = {
        "until_position": until_position,
        "lines_per_file": lines_per_file,
        "compressed": compressed,
    }
    earlier = ListLog()
    earlier.events = [event for event in LOG.events if event.position <= until_position + 2]
    _export(place / "first", earlier, **wanted)
    _export(place / "second", batch_events=batch_events, **wanted)
    assert _files(place / "first") == _files(place / "second")


def test_the_lines_do_not_depend_on_how_they_are_stored(tmp_path: Path) -> None:
    """Compressed or not, in small files or in one: the same lines, and the same sums of them."""
    plain = _export(tmp_path / "plain", lines_per_file=64)
    packed = _export(tmp_path / "packed", lines_per_file=64, compressed=True)
    whole = _export(tmp_path / "whole")
    assert [file.sha256 for file in plain.files] == [file.sha256 for file in packed.files]
    unpacked = b"".join(
        gzip.decompress((tmp_path / "packed" / file.name).read_bytes()) for file in packed.files
    )
    assert (tmp_path / "whole" / whole.files[0].name).read_bytes() == unpacked


def test_an_export_ends_where_it_was_asked_to(tmp_path: Path) -> None:
    """The last line is the last event that is not behind the position, which may be one that no event has."""
    inside, between = LOG.events[30], LOG.events[40]
    assert _export(tmp_path / "at", until_position=inside.position).events == 31
    assert _export(tmp_path / "gap", until_position=between.position + 1).last_position == between.position
    assert _export(tmp_path / "nothing", until_position=0).files == ()


@pytest.mark.parametrize("position", [-1, HEAD + 1])
def test_a_position_outside_the_log_is_refused(tmp_path: Path, position: int) -> None:
    """The same export would be another one once the log has come so far."""
    with pytest.raises(ExportRefused, match="not within the log"):
        _export(tmp_path / "export", until_position=position)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_no_lines_is_refused(tmp_path: Path) -> None:
    """Else there would be no end of files."""
    with pytest.raises(ExportRefused, match="at least one line"):
        _export(tmp_path / "export", lines_per_file=0)


def test_a_log_that_ends_early_is_no_export(tmp_path: Path) -> None:
    """A log that lost its tail while it was read leaves no folder that looks whole."""

    class Shrinking(ListLog):
        def head_position(self) -> int:
            return super().head_position() + 3

    log = Shrinking()
    log.events = LOG.events
    with pytest.raises(LogUnavailable):
        _export(tmp_path / "export", log)
    assert list(tmp_path.iterdir()) == []


def test_the_sums_cover_every_file(tmp_path: Path) -> None:
    """`sha256sum -c` has everything to check: lines as they are stored, manifest and rules."""
    _export(tmp_path / "export", lines_per_file=50, compressed=True)
    files = _files(tmp_path / "export")
    sums = dict(reversed(line.split("  ")) for line in files.pop(SUMS).decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
