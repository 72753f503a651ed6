"""Lines and manifests: what comes back is what went in, and nothing else comes back."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.archive.segment import (
    Manifest,
    Range,
    SegmentDamaged,
    Unarchivable,
    decode_manifest,
    event_of,
    line_of,
    manifest_name,
    segment_name,
)
from application.eventlog import RecordedEvent

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)
events = st.builds(
    RecordedEvent,
    st.integers(1, 1 << 62),
    st.uuids(),
    st.integers(1, 1 << 62),
    texts,
    values.map(msgspec.json.encode),
    st.integers(-(1 << 60), 1 << 60),
)

MANIFEST = Manifest(
    file=segment_name(Range(1, 7)),
    first_position=1,
    last_position=7,
    events=7,
    plain_bytes=700,
    plain_sha256="a" * 64,
    compressed_bytes=70,
    compressed_sha256="b" * 64,
    first_leaf=0,
    tree_root="c" * 64,
    tree_peaks=["d" * 64, "e" * 64, "f" * 64],
    previous_sha256="",
)


@given(events)
def test_an_event_comes_back_from_its_line(event: RecordedEvent) -> None:
    """Whatever its topic and its state, and the line is one line."""
    line = line_of(event)
    assert b"\n" not in line
    assert event_of(line) == event


@pytest.mark.parametrize(
    "state", [b"", b"x", b"{", b"\xff", b"{}\n", b'{"a":\n1}', b'{},"position":8', b" {}"]
)
def test_what_would_not_come_back_is_refused(state: bytes) -> None:
    """A state that is no compact JSON stays in the database, by name of its position."""
    with pytest.raises(Unarchivable, match="position 7"):
        line_of(RecordedEvent(7, UUID(int=1), 1, "a.b.v1", state, 0))


def test_a_manifest_comes_back_from_its_bytes() -> None:
    """To the byte, since the next one has its hash."""
    assert decode_manifest(MANIFEST.encode()) == MANIFEST
    assert MANIFEST.encode().endswith(b"}\n")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        MANIFEST.encode()[:-1],
        MANIFEST.encode().replace(b"v1", b"v2"),
        MANIFEST.encode().replace(b'{"', b'{ "', 1),
        MANIFEST.encode().replace(b'{"', b'{"more":1,"', 1),
    ],
)
def test_another_manifest_is_refused(raw: bytes) -> None:
    """Also one that says the same in another form."""
    with pytest.raises(SegmentDamaged):
        decode_manifest(raw)


def test_names_sort_as_positions_do() -> None:
    """So a listing of the directory reads in order, and a manifest stands beside its segment."""
    names = [segment_name(Range(first, first + 9)) for first in (1, 10, 200, 3_000_000)]
    assert names == sorted(names)
    assert manifest_name(names[0]) == "events-000000000000001-000000000000010.manifest.json"
