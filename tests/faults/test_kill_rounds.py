"""Kill -9 under load, again and again: what clients saw, what the sandbox served and what the ledger charged agree."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from adapters.eventstore.store import PostgresEventStore
from application.verify import render_text, verify
from domain.topics import REGISTRY
from projections.pool import projection_pool
from projections.snapshot import ReadModelReader
from tests.faults.conftest import Product, rows

CLIENTS = 16
BODY = {"model": "demo", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 24}
TARGETS = ("gateway", "worker", "postgres", "everything")
ROUND_S = 1.5


class Load:
    """Clients that go on whatever happens, and remember which answers they saw to their end."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._stop = asyncio.Event()
        self.completed: list[str] = []

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=30) as client:
            await asyncio.gather(*(self._client(client, number) for number in range(CLIENTS)))

    def stop(self) -> None:
        self._stop.set()

    async def _client(self, client: httpx.AsyncClient, number: int) -> None:
        while not self._stop.is_set():
            try:
                await self._request(client, is_stream=bool(number & 1))
            except (httpx.HTTPError, OSError):
                await asyncio.sleep(0.05)

    async def _request(self, client: httpx.AsyncClient, *, is_stream: bool) -> None:
        ready = self._product.ready
        async with client.stream(
            "POST",
            f"{ready['base_url']}/chat/completions",
            json={**BODY, "stream": is_stream},
            headers={"authorization": f"Bearer {ready['api_key']}"},
        ) as answer:
            body = await answer.aread()
        is_whole = answer.status_code == 200 and (b"data: [DONE]" in body if is_stream else True)
        if is_whole:
            self.completed.append(answer.headers["x-request-id"])
        elif answer.status_code != 200:
            await asyncio.sleep(0.02)


def hurt(product: Product, target: str, chance: random.Random, served: Counter[str]) -> None:
    """Do it; what the sandbox has served so far goes to `served` before the sandbox itself is ended."""
    if target == "everything":
        port = product.port
        product.kill_gateways_for_good()
        served.update(sandbox_requests(product))
        product.kill_everything()
        product.start(port=port)
        return
    marker = {"gateway": "gateway_main", "worker": "-m worker", "postgres": "-k "}[target]
    pids = product.pids(marker)
    if pids:
        number = signal.SIGQUIT if target == "postgres" else signal.SIGKILL  # Postgres: immediate stop
        os.kill(min(pids) if target == "postgres" else chance.choice(pids), number)


async def rounds_under_load(
    product: Product, rounds: int, chance: random.Random, served: Counter[str]
) -> list[str]:
    load = Load(product)
    running = asyncio.create_task(load.run())
    for _ in range(rounds):
        await asyncio.sleep(chance.uniform(0.3, 1.0) * ROUND_S)
        await asyncio.to_thread(hurt, product, chance.choice(TARGETS), chance, served)
    await served_again(product)
    load.stop()
    await running
    return load.completed


async def served_again(product: Product) -> None:
    """Until one more request is served, after everything that was done to it."""
    deadline = time.monotonic() + 120
    async with httpx.AsyncClient(timeout=30) as client:
        while True:
            try:
                answer = await client.post(
                    f"{product.ready['base_url']}/chat/completions",
                    json=BODY,
                    headers={"authorization": f"Bearer {product.ready['api_key']}"},
                )
                if answer.status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, product.log.read_text()[-4000:]
            await asyncio.sleep(0.1)


def sandbox_requests(product: Product) -> Counter[str]:
    """Our request ids that the sandbox accepted."""
    counted: Counter[str] = Counter()
    after = 0
    while lines := _journal_page(product, after):
        for line in lines:
            if line["event"] == "accepted" and line["request_id"]:
                counted[line["request_id"]] += 1
        after = lines[-1]["n"]
    return counted


def _journal_page(product: Product, after: int) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{product.sandbox_url}/_sandbox/journal", params={"after": after, "limit": 5000}, timeout=60
    )
    page: Any = answer.json()
    lines: list[dict[str, Any]] = page["lines"] if isinstance(page, dict) else page
    return lines


ROUNDS = [
    pytest.param(4, id="quick"),
    pytest.param(200, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(5000)]),
]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_nothing_is_lost_doubled_or_invented(product: Product, rounds: int, record_property: Any) -> None:
    """0 lost, 0 double, 0 phantom deductions, and the ledger verifies."""
    seed = int(os.environ.get("FAULT_SEED", "20261124"))
    rounds = int(os.environ.get("FAULT_ROUNDS", rounds))
    served: Counter[str] = Counter()
    completed = asyncio.run(rounds_under_load(product, rounds, random.Random(seed), served))
    served.update(sandbox_requests(product))
    charged = Counter(
        request_id
        for (request_id,) in rows(
            product,
            """SELECT convert_from(state, 'UTF8')::jsonb->>'request_id' FROM stored_events
               WHERE topic = 'lease.usage-charged.v1'""",
        )
    )
    record_property("completed", len(completed))
    record_property("charged", sum(charged.values()))
    print(f"seed {seed}, {rounds} rounds: {len(completed)} completed, {sum(charged.values())} charged")  # noqa: T201
    assert len(completed) > rounds
    assert not [one for one in completed if one not in charged], "lost deductions"
    assert not [one for one, times in charged.items() if times > 1], "double deductions"
    assert not [one for one in charged if one not in served], "phantom deductions"
    assert verification(product) == []


def verification(product: Product) -> list[str]:
    """What `ledger verify` finds wrong."""
    url = product.ready["database_url"]
    with PostgresEventStore(url) as store, projection_pool(url, size_max=2) as pool:
        report = verify(store, REGISTRY, ReadModelReader(pool))
    return [] if report.ok else [render_text(report)]
