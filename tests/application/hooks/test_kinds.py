"""What messages say: for every topic that customers are told of, from its golden sample."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from application.eventlog import NewEvent, RecordedEvent
from application.hooks.kinds import KINDS, NAMES, account_of, message_of
from domain.topics import REGISTRY
from tests.fakes import MemoryEventStore

SAMPLES = Path(__file__).parents[2] / "golden" / "events"
ACCOUNT = UUID(int=1)
KNOWN = sorted(KINDS.keys() & set(REGISTRY.topics()))


def recorded(topic: str, *, position: int = 7) -> RecordedEvent:
    state = (SAMPLES / f"{topic}.json").read_bytes().rstrip(b"\n")
    return RecordedEvent(position, UUID(int=2), 1, topic, state, 1_764_000_000_123_456)


def content(topic: str) -> dict[str, Any]:
    one = recorded(topic)
    event = REGISTRY.decode(topic, one.state)
    message = message_of(one, KINDS[topic], event, account_id=ACCOUNT)
    assert message == message_of(one, KINDS[topic], event, account_id=ACCOUNT)
    return dict(msgspec.json.decode(message.body))


@pytest.mark.parametrize("topic", KNOWN)
def test_a_message_has_exactly_what_is_listed(topic: str) -> None:
    """Nothing of who did it, nothing sealed, no hash; each listed field is one of the event."""
    told = content(topic)
    assert (told["type"], told["timestamp"]) == (KINDS[topic].name, "2025-11-24T16:00:00.123456Z")
    assert set(told["data"]) == {"account_id", "position", *KINDS[topic].fields}
    assert set(KINDS[topic].fields) <= set(REGISTRY.topics()[topic].__struct_fields__)
    assert not {"actor", "pii", "secret_hash", "evidence", "payment_ref"} & set(told["data"])


def test_ids_are_in_the_order_of_the_log() -> None:
    """As text too, whatever the position."""
    topic = "key.revoked.v1"
    ids = []
    for position in (9, 10, 99_999_999_999, 2**62):
        one = recorded(topic, position=position)
        event = REGISTRY.decode(topic, one.state)
        ids.append(message_of(one, KINDS[topic], event, account_id=ACCOUNT).message_id)
    assert ids == sorted(ids)


def test_names_of_kinds_are_what_customers_choose_from() -> None:
    """Several facts may be one kind."""
    assert "order.refunded" in NAMES
    assert len(NAMES) < len(KINDS)


def test_a_fact_that_names_no_account_is_of_its_streams_account() -> None:
    """The first fact says whose the stream is; of nobody's nothing is told."""
    store = MemoryEventStore()
    issued, revoked = (recorded(f"key.{verb}.v1") for verb in ("issued", "revoked"))
    event = REGISTRY.decode(revoked.topic, revoked.state)
    store.append([NewEvent(UUID(int=2), 1, issued.topic, issued.state)])
    assert account_of(event, revoked, store) == UUID("0193a5e0-0000-7000-8000-000000000001")
    store.append([NewEvent(UUID(int=3), 1, revoked.topic, revoked.state)])
    lonely = msgspec.structs.replace(revoked, stream_id=UUID(int=3))
    assert account_of(event, lonely, store) is None


def test_the_page_for_customers_names_every_kind_with_its_fields() -> None:
    """docs/webhooks.md: none is missing, and none is there that is not sent."""
    page = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z.-]+)` \| (.*) \|$", page, re.MULTILINE)
    told: dict[str, set[str]] = {}
    for kind in KINDS.values():
        told.setdefault(kind.name, set()).update(kind.fields)
    assert {name: set(re.findall(r"`(\w+)`", fields)) for name, fields in rows} == told
