"""Pains 4 and 16: what open requests take, and that it comes back however they end."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.api.v1.gateway_world import World, ask
from tests.waiting import until

ENDINGS = (
    "cut_mid_stream",
    "error_event_mid_stream",
    "status_500",
    "status_400",
    "usage_missing",
    "usage_int64",
)
SLOW = {"chunk_ms": 500}


@contextmanager
def open_stream(world: World, key: str) -> Iterator[None]:
    """A request of which something was seen and which goes on; leaving it is leaving the gateway."""
    with world.client.stream(
        "POST",
        "/v1/chat/completions",
        json=ask("demo-fast", stream=True, script=SLOW),
        headers={"authorization": f"Bearer {key}"},
    ) as answer:
        lines = answer.iter_lines()  # kept: an iterator that is dropped closes the connection
        next(lines)
        yield


def code_of(answer: httpx.Response) -> str:
    """Of a refusal."""
    return str(answer.json()["error"]["code"])


def test_credit_that_is_held_is_not_called_missing(world: World) -> None:
    """Elsewhere: "It told me to top up with money on the account." Here: held by a request that is open, and then it works."""
    needed = float(world.chat(ask()).headers["x-tokenok-hold"]) * 1e9
    key = world.new_key("Held", amount_nano=round(needed * 1.5))
    with open_stream(world, key):
        refused = world.chat(ask(), key=key)
        assert (refused.status_code, code_of(refused)) == (402, "credit_held")
    assert until(lambda: world.chat(ask(), key=key).status_code == 200)


def test_no_ending_keeps_its_place(world: World) -> None:
    """Elsewhere: "Too many parallel requests, with none running." Here a key of one at a time is never locked out."""
    key = world.new_key("One at a time", amount_nano=10**10, concurrency=1)
    for stream in (False, True):
        for fault in ENDINGS:
            assert world.chat(ask(f"alone/{fault}", stream=stream), key=key).status_code != 429, fault
    with open_stream(world, key):
        assert world.chat(ask(), key=key).status_code == 429
    assert until(lambda: world.chat(ask(), key=key).status_code == 200)
