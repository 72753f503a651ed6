"""Counting together through a real server."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from redis.asyncio import Redis

from adapters.redis_limits import RedisLimitSync
from application.limit_sync import Count, Exchange, LimitSyncUnavailable, Total

ONE, TWO = UUID(int=1), UUID(int=2)
KEY, OTHER = UUID(int=11), UUID(int=12)


@asynccontextmanager
async def two_processes(redis_url: str) -> AsyncIterator[tuple[RedisLimitSync, RedisLimitSync, Redis, str]]:
    prefix = f"test:{secrets.token_hex(6)}:"
    client = Redis.from_url(redis_url)
    try:
        yield (
            RedisLimitSync(client, ONE, prefix=prefix),
            RedisLimitSync(client, TWO, prefix=prefix),
            client,
            prefix,
        )
    finally:
        await client.aclose()


def test_totals_are_those_of_all_processes(redis_url: str) -> None:
    """Requests and tokens add up, tokens may be given back, and asking with nothing new only reads."""

    async def scenario() -> list[Exchange]:
        async with two_processes(redis_url) as (one, two, _, _):
            return [
                await one.exchange(7, [Count(KEY, 3, 1_000, 2), Count(OTHER, 0, 0, 0)]),
                await two.exchange(7, [Count(KEY, 2, -50, 1)]),
                await one.exchange(7, [Count(KEY, 0, 0, 0)]),
            ]

    assert asyncio.run(scenario()) == [
        Exchange([Total(3, 1_000, 2), Total(0, 0, 0)], 1),
        Exchange([Total(5, 950, 3)], 2),
        Exchange([Total(5, 950, 1)], 2),
    ]


def test_each_window_starts_at_nothing(redis_url: str) -> None:
    """Open requests belong to no window."""

    async def scenario() -> Exchange:
        async with two_processes(redis_url) as (one, two, _, _):
            await one.exchange(7, [Count(KEY, 3, 10, 1)])
            return await two.exchange(8, [Count(KEY, 1, 1, 0)])

    assert asyncio.run(scenario()) == Exchange([Total(1, 1, 1)], 2)


@pytest.mark.parametrize("counts", [[], [Count(UUID(int=n), 1, 2**40, 1) for n in range(2_000)]])
def test_none_and_many_counts_are_one_round_trip(redis_url: str, counts: Sequence[Count]) -> None:
    """The answer has as many totals as there were counts, in their order."""

    async def scenario() -> Exchange:
        async with two_processes(redis_url) as (one, _, _, _):
            return await one.exchange(7, counts)

    assert asyncio.run(scenario()) == Exchange([Total(1, 2**40, 1) for _ in counts], 1)


def test_everything_expires(redis_url: str) -> None:
    """A process that dies leaves nothing behind for ever, and its open requests least of all."""

    async def scenario() -> dict[str, int]:
        async with two_processes(redis_url) as (one, _, client, prefix):
            await one.exchange(7, [Count(KEY, 3, 10, 1)])
            names = ("7", "processes", f"open:{ONE.hex}")
            return {name: await client.pttl(prefix + name) for name in names}

    left_ms = asyncio.run(scenario())
    assert 0 < left_ms["7"] <= 180_000
    assert 0 < left_ms["processes"] <= 3_000
    assert 0 < left_ms[f"open:{ONE.hex}"] <= 3_000


def test_a_server_that_is_away_is_said_so() -> None:
    """By one error, whatever the driver raises."""

    async def scenario() -> None:
        client = Redis.from_url("redis://127.0.0.1:1/0")
        try:
            with pytest.raises(LimitSyncUnavailable):
                await RedisLimitSync(client, ONE).exchange(7, [])
        finally:
            await client.aclose()

    asyncio.run(scenario())


def test_the_script_is_loaded_again_after_a_restart(redis_url: str) -> None:
    """A server that has forgotten it gets it once more."""

    async def scenario() -> Exchange:
        async with two_processes(redis_url) as (one, _, client, _):
            await one.exchange(7, [Count(KEY, 1, 1, 0)])
            await client.script_flush()
            return await one.exchange(7, [Count(KEY, 1, 1, 0)])

    assert asyncio.run(scenario()) == Exchange([Total(2, 2, 0)], 1)
