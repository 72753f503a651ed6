"""Pain 10: a database that grows with what passes through it."""

from uuid import uuid4

from tests.api.v1.gateway_world import World, ask

LONG_CHARS = 200_000
FIGURES_BYTES = 64
"""Longer figures, and nothing else."""


def stored(world: World, request_id: str) -> bytes:
    """All that the log keeps of one request."""
    world.ending(request_id)
    log = world.ports.store.read_log(after_position=0, limit=100_000)
    return b"".join(one.state for one in log if request_id.encode() in one.state)


def test_a_record_does_not_grow_with_its_request(world: World) -> None:
    """Elsewhere: "The request log filled the database." Here a prompt of 200 kB leaves what a short one does."""
    key, word = world.new_key("Long prompts", amount_nano=10**12), uuid4().hex
    text = (word + " ") * (LONG_CHARS // len(word))
    short, long = (
        world.chat(ask(messages=[{"role": "user", "content": content}]), key=key) for content in (word, text)
    )
    assert (short.status_code, long.status_code) == (200, 200)
    records = [stored(world, answer.headers["x-request-id"]) for answer in (short, long)]
    assert 0 < len(records[1]) <= len(records[0]) + FIGURES_BYTES
    assert all(word.encode() not in record for record in records)
