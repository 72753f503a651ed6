"""The queue of messages, in its table."""

import msgspec

from adapters.checkout.inbox import PostgresWebhookQueue
from application.checkout.inbox import Claimed
from application.checkout.ports import Notice
from tests.api.webhooks.conftest import Shop

RAW = b'{"customer": "Ada Lovelace"}'
NOTICE = Notice(event_ref="evt_1", kind="refund.updated", object_ref="re_1", created_us=1, mode="test")


def test_a_message_is_due_when_its_receipt_is_there_and_then_one_workers(shop: Shop) -> None:
    """Kept once; at rest until it is settled; claimed by one; put off, and back when it was claimed too long ago."""
    inbox, queue = shop.ports.inbox, PostgresWebhookQueue(shop.process.pool)
    for raw in (RAW, b"other"):
        inbox.put("stripe", NOTICE, raw)
    assert inbox.read("stripe", "evt_1") == RAW
    assert queue.claim(limit=5, rest_s=60) == []
    inbox.settle("stripe", "evt_1", state="waiting", reason="", order_id=None)
    assert queue.claim(limit=5, rest_s=0) == [Claimed("stripe", "evt_1", 1)]
    assert queue.claim(limit=5, rest_s=60) == [Claimed("stripe", "evt_1", 2)]
    assert queue.claim(limit=5, rest_s=60) == []
    queue.postpone("stripe", "evt_1", wait_s=0, reason="away")
    assert [(row.state, row.reason, row.attempts) for row in queue.page().items] == [("waiting", "away", 2)]
    assert queue.claim(limit=5, rest_s=60) == [Claimed("stripe", "evt_1", 3)]


def test_messages_are_listed_by_state_in_pages(shop: Shop) -> None:
    """Newest first."""
    inbox = shop.ports.inbox
    for number in range(5):
        name = f"evt_{number}"
        inbox.put("stripe", msgspec.structs.replace(NOTICE, event_ref=name), RAW)
        if number % 2:
            inbox.settle("stripe", name, state="parked", reason="why", order_id=None)
    first = inbox.page(limit=3)
    second = inbox.page(limit=3, before_us=first.next_before_us)
    assert [row.event_ref for row in (*first.items, *second.items)] == [
        f"evt_{number}" for number in (4, 3, 2, 1, 0)
    ]
    assert second.next_before_us is None
    assert [row.event_ref for row in inbox.page(state="parked").items] == ["evt_3", "evt_1"]


def test_bytes_are_sealed_and_forgotten(shop: Shop) -> None:
    """No table holds a name in clear; what was handled goes after its days, what waits for somebody stays."""
    inbox, queue = shop.ports.inbox, PostgresWebhookQueue(shop.process.pool)
    for name in ("evt_1", "evt_2"):
        inbox.put("stripe", msgspec.structs.replace(NOTICE, event_ref=name), RAW)
    with shop.process.pool.connection() as connection:
        (found,) = connection.execute(
            "SELECT count(*) FROM webhook_inbox WHERE position('Ada'::bytea in ciphertext) > 0"
        ).fetchone() or (None,)
    assert found == 0
    inbox.settle("stripe", "evt_1", state="handled", reason="", order_id=None)
    queue.forget_bytes(days=0)
    assert (inbox.read("stripe", "evt_1"), inbox.read("stripe", "evt_2")) == (None, RAW)
    assert inbox.read("stripe", "evt_9") is None
