"""The canonical line of a stored event."""

import json
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from application.eventlog import RecordedEvent
from domain.sealing.leaf import leaf

STREAM = UUID("0190f3a0-0000-7000-8000-000000000001")


def test_the_form_is_frozen() -> None:
    """A changed byte would make every sealed root and every export of the past wrong."""
    event = RecordedEvent(7, STREAM, 3, "lease.closed.v1", b'{"charges":2}', 1_764_000_000_000_001)
    assert leaf(event) == (
        b'{"position":7,"stream_id":"0190f3a0-0000-7000-8000-000000000001","version":3,'
        b'"topic":"lease.closed.v1","recorded_at_us":1764000000000001,"state":{"charges":2}}'
    )


@given(
    position=st.integers(1, 2**63 - 1),
    version=st.integers(1, 2**63 - 1),
    topic=st.text(st.characters(exclude_categories=["Cs"])),
    recorded_at_us=st.integers(0, 2**53),
    state=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**60), 2**60)),
)
def test_any_json_reader_gets_the_event_back(
    position: int, version: int, topic: str, recorded_at_us: int, state: dict[str, int]
) -> None:
    """The line is JSON whatever the topic and the state are."""
    stored = json.dumps(state, separators=(",", ":")).encode()
    line = leaf(RecordedEvent(position, STREAM, version, topic, stored, recorded_at_us))
    assert json.loads(line) == {
        "position": position,
        "stream_id": str(STREAM),
        "version": version,
        "topic": topic,
        "recorded_at_us": recorded_at_us,
        "state": state,
    }
