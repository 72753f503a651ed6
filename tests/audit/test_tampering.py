"""P21: whatever is changed in a sealed export is found. Found means 1 or 2, never 0 and never a traceback."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenok_audit
from adapters.exporting.folder import SUMS
from tests.application.sealing.sealed_world import LOG_KEY
from tests.application.verify import test_verify as seeded
from tests.audit.exported import copy, export, rewrite, seal
from tests.histories import ListLog

LOG = ListLog(seeded._stored(seeded._story()))


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "gzip"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sealed export in several files; it is sound."""
    place: Path = tmp_path_factory.mktemp("tampering") / "export"
    export(place, LOG, sealed=seal(LOG), lines=5, compressed=request.param)
    assert _audit(place) == 0
    return place


def _audit(place: Path) -> int:
    return tokenok_audit.main([str(place), "--key", LOG_KEY.public.text, "--jobs", "1"])


def _flip(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _lines(place: Path) -> list[bytes]:
    files = sorted(place.glob("events-*"))
    contents = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files
    ]
    return b"".join(contents).splitlines()


def _found_after(path: Path, content: bytes) -> bool:
    """Whether it is found that `path` holds this; it is put back then."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        return _audit(path.parent) in {1, 2}
    finally:
        path.write_bytes(before)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_any_bit_of_any_file(original: Path, data: st.DataObject) -> None:
    """Lines, rules, manifest, checkpoint and sums alike."""
    path = data.draw(st.sampled_from(sorted(original.iterdir())))
    content = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    assert _found_after(path, _flip(content, bit))


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_bit_of_every_byte_of_every_file(original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same without leaving a place out; which bit of a byte it is goes round."""
    for path in sorted(original.iterdir()):
        content = path.read_bytes()
        missed = []
        for place in range(len(content)):
            if not _found_after(path, _flip(content, 8 * place + place % 8)):
                missed.append(place)
            capsys.readouterr()
        assert missed == [], path.name


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_file_that_was_cut_or_went_on(original: Path, data: st.DataObject) -> None:
    """At any place, and by anything."""
    path = data.draw(st.sampled_from(sorted(original.iterdir())))
    content = path.read_bytes()
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    assert _found_after(path, cut)
    assert _found_after(path, content + data.draw(st.binary(min_size=1, max_size=5)))


def test_a_file_that_is_missing_or_new(original: Path, tmp_path: Path) -> None:
    """Each of them; and one more, whatever its name."""
    for path in sorted(original.iterdir()):
        place = copy(original, tmp_path / "missing")
        (place / path.name).unlink()
        assert _audit(place) in {1, 2}
    for name in ("events-000009.jsonl", "events-000009.jsonl.gz", "notes.txt"):
        place = copy(original, tmp_path / "new")
        (place / name).write_bytes(b"")
        assert _audit(place) == 1


def test_files_that_changed_places(original: Path, tmp_path: Path) -> None:
    """With their sums exchanged as well."""
    place = copy(original, tmp_path / "export")
    first, second, *_ = sorted(place.glob("events-*"))
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    assert _audit(place) in {1, 2}
    sums = (place / SUMS).read_text().splitlines()
    digests = {line[66:]: line[:64] for line in sums}
    digests[first.name], digests[second.name] = digests[second.name], digests[first.name]
    (place / SUMS).write_text("".join(f"{digests[name]}  {name}\n" for name in sorted(digests)))
    assert _audit(place) in {1, 2}


Tampering = Callable[[list[bytes], int], list[bytes]]
#: What is done to the line of a number, by somebody who makes manifest and sums fit but has not the log's key.
LINES: dict[str, Tampering] = {
    "deleted": lambda lines, at: lines[:at] + lines[at + 1 :],
    "doubled": lambda lines, at: lines[: at + 1] + lines[at:],
    "exchanged with the next": lambda lines, at: [*lines[:at], *lines[at : at + 2][::-1], *lines[at + 2 :]],
    "moved to the end": lambda lines, at: [*lines[:at], *lines[at + 1 :], lines[at]],
    "put in before another": lambda lines, at: [*lines[:at], lines[-1], *lines[at:]],
    "cut off with all behind it": lambda lines, at: lines[: max(at, 1)],
    "given another time": lambda lines, at: _edited(lines, at, b'"recorded_at_us":1', b'"recorded_at_us":2'),
    "given a blank": lambda lines, at: _edited(lines, at, b'"state":{', b'"state": {'),
}


def _edited(lines: list[bytes], at: int, old: bytes, new: bytes) -> list[bytes]:
    return [*lines[:at], lines[at].replace(old, new), *lines[at + 1 :]]


@pytest.mark.parametrize("how", LINES)
def test_any_line_though_the_sums_were_made_to_fit(original: Path, tmp_path: Path, how: str) -> None:
    """The signed root is what such a log does not have."""
    lines = _lines(original)
    for at in range(len(lines)):
        changed = LINES[how](lines, at)
        if changed != lines:
            place = copy(original, tmp_path / "export")
            rewrite(place, changed)
            assert _audit(place) == 1, at


def test_sums_that_fit_are_no_finding_of_their_own(original: Path, tmp_path: Path) -> None:
    """What the tampering above does beside the lines is lawful: with the same lines nothing is found."""
    place = copy(original, tmp_path / "export")
    rewrite(place, _lines(original))
    assert _audit(place) == 0


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_bytes_for_any_file(original: Path, data: st.DataObject) -> None:
    """Random bytes and random JSON, with nothing made to fit."""
    path = data.draw(st.sampled_from(sorted(original.iterdir())))
    assert _found_after(path, data.draw(st.binary(max_size=200)))


def test_what_is_no_export_at_all(tmp_path: Path) -> None:
    """No folder, an empty one, a file."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for name in ("missing", "empty", "file"):
        assert _audit(tmp_path / name) == 2
