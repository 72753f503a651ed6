"""Pain 17: limits that vanish with Redis."""

import pytest

from tests.api.v1.gateway_world import World, ask
from tests.api.v1.test_idempotency import OtherGateway, other
from tests.waiting import until

__all__ = ["other"]

PAID_FOR = 3


@pytest.fixture
def hold_nano(world: World) -> int:
    """What one of these requests holds."""
    answer = world.chat(ask())
    return round(float(answer.headers["x-tokenok-hold"]) * 1e9)


def known(gateway: OtherGateway, secret: str) -> bool:
    headers = {"authorization": f"Bearer {secret}"}
    return gateway.client.get("/v1/models", headers=headers).status_code == 200


def test_credit_ends_where_it_ends(world: World, other: OtherGateway, hold_nano: int) -> None:
    """Elsewhere: "Redis was away, and everybody spent without a limit." Here money never was in Redis."""
    secret = world.new_key("No Redis", amount_nano=PAID_FOR * hold_nano)
    until(lambda: known(other, secret))
    answers = []
    while not answers or answers[-1].status_code == 200:
        answers.append(other.ask(ask(), secret=secret, key=f"no-redis-{len(answers)}"))
    *served, refused = answers
    charges_nano = [world.charge(answer.headers["x-request-id"]).charge_nano for answer in served]
    assert len(served) >= PAID_FOR
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "insufficient_quota")
    left_nano = PAID_FOR * hold_nano - sum(charges_nano)
    assert 0 <= left_nano < hold_nano
    assert refused.json()["error"]["available_nano"] == left_nano


def test_a_limit_still_limits(world: World, other: OtherGateway) -> None:
    """Elsewhere: "The limiter failed open." Here a process that hears of no other goes on by its own count."""
    secret = world.new_key("Limited", amount_nano=10**9, rpm=1)
    until(lambda: known(other, secret))
    answers = [other.ask(ask(), secret=secret, key=f"limited-{n}") for n in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
