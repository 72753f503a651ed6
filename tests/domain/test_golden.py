"""Stored formats never break: one sample of every topic is kept for ever, and reads and writes back the same."""

from pathlib import Path

import pytest

from domain.event import encode
from domain.topics import REGISTRY

SAMPLES = Path(__file__).parent.parent / "golden" / "events"


@pytest.mark.parametrize("topic", sorted(REGISTRY.topics()))
def test_a_stored_event_of_every_topic_reads_and_writes_back_the_same(topic: str) -> None:
    """A topic without a sample, a renamed field, another order or another type fails here."""
    stored = (SAMPLES / f"{topic}.json").read_bytes().rstrip(b"\n")
    event = REGISTRY.decode(topic, stored)
    assert topic == type(event).TOPIC
    assert encode(event) == stored


def test_no_stored_topic_is_forgotten() -> None:
    """A type that was ever stored cannot be removed: its sample has no reader then."""
    assert {path.stem for path in SAMPLES.glob("*.json")} <= set(REGISTRY.topics())
