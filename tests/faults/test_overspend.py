"""Many clients, two processes, little money: nothing is served that was not paid for, nothing paid lies idle."""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from adapters.eventstore.store import PostgresEventStore
from application.accounts import open_account
from application.catalogue import point_alias, publish_prices
from application.keys import issue_key
from application.ledger.grant_credit import GrantCredit, grant_credit
from bootstrap import ports_of
from domain.catalogue.prices import PriceText
from domain.fact import SYSTEM
from domain.ids import uuid7
from settings import Settings, from_environment
from tests.application.ledger.books import require_sound
from tests.faults.conftest import Product, rows

CLIENTS = 64
PAID_FOR = 10
FLAT = "flat"
FLAT_NANO = 2_000_000
FLAT_PER_MILLION = "2000"
BODY = {"model": "demo-fast", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 16}


def settings_of(product: Product) -> Settings:
    key_file = Path(product.root, "data/master.key")
    return from_environment(
        {"DATABASE_URL": product.ready["database_url"], "TOKENOK_MASTER_KEY": key_file.read_text().strip()}
    )


def new_account(product: Product, amount_nano: int) -> tuple[str, str]:
    """An open account with credit: its id and a key."""
    with ports_of(settings_of(product)) as ports:
        account_id = uuid7()
        command = open_account.OpenAccount(name="Round", account_id=account_id)
        open_account.handle(command, actor=SYSTEM, ports=ports)
        lot = GrantCredit(
            account_id=account_id,
            lot_id=uuid7(),
            amount_nano=amount_nano,
            source="promo",
            reason="round",
            granted_by="test",
        )
        grant_credit(lot, store=ports.store, clock=ports.clock)
        issued = issue_key.handle(
            issue_key.IssueKey(account_id=account_id, name="k"), actor=SYSTEM, ports=ports
        )
        return str(account_id), issued.secret.reveal()


def offer_flat(product: Product) -> None:
    """An alias whose requests all cost the same, known before: money for ten is money for exactly ten."""
    price = PriceText(input="0", cached_input="0", cache_write="0", output="0", request=FLAT_PER_MILLION)
    with ports_of(settings_of(product)) as ports:
        point_alias.handle(point_alias.PointAlias(alias=FLAT, target="demo-fast"), actor=SYSTEM, ports=ports)
        publish_prices.handle(
            publish_prices.PublishPrices(entries={FLAT: price}, note="flat"), actor=SYSTEM, ports=ports
        )


class Answered(NamedTuple):
    """An answer, and when it had come, in microseconds since 1970."""

    answer: httpx.Response
    at_us: int


async def send(
    client: httpx.AsyncClient, base_url: str, key: str, *, model: str = "demo-fast"
) -> httpx.Response:
    """One request; a key or a model that a process has not heard of yet is offered again."""
    for _ in range(200):
        answer = await client.post(
            f"{base_url}/chat/completions",
            json=BODY | {"model": model},
            headers={"authorization": f"Bearer {key}"},
        )
        if answer.status_code not in (401, 404):
            return answer
        await asyncio.sleep(0.05)
    return answer


async def storm(base_url: str, key: str, *, model: str = "demo-fast") -> list[Answered]:
    limits = httpx.Limits(max_connections=CLIENTS)

    async def one(client: httpx.AsyncClient) -> Answered:
        answer = await send(client, base_url, key, model=model)
        return Answered(answer, time.time_ns() // 1000)

    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        return await asyncio.gather(*(one(client) for _ in range(CLIENTS)))


def facts(product: Product, topic: str, account_id: str) -> list[dict[str, Any]]:
    """The account's events of one kind."""
    found = rows(
        product,
        """SELECT convert_from(state, 'UTF8')::jsonb FROM stored_events
           WHERE topic = %s AND convert_from(state, 'UTF8')::jsonb->>'account_id' = %s""",
        topic,
        account_id,
    )
    return [state for (state,) in found]


def worst_case_nano(product: Product) -> int:
    """What one request holds, as the product itself says."""
    answer = asyncio.run(_one(product.ready["base_url"], product.ready["api_key"]))
    return round(float(answer.headers["x-tokenok-hold"]) * 1e9)


async def _one(base_url: str, key: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await send(client, base_url, key)


ROUNDS = [
    pytest.param(2, id="quick"),
    pytest.param(100, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(3000)]),
]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_money_for_ten_serves_no_more_than_was_paid_for(product: Product, rounds: int) -> None:
    """64 clients over two processes: charges never exceed the credit, and a refusal means that too little was left.

    No account is overdrawn after any event. That idle credit of another process is never a reason to refuse is
    shown directly by `tests/application/ledger/test_recall_on_postgres.py`.
    """
    hold_nano = worst_case_nano(product)
    for _ in range(int(os.environ.get("FAULT_ROUNDS", rounds))):
        account_id, key = new_account(product, PAID_FOR * hold_nano)
        answers = [one.answer for one in asyncio.run(storm(product.ready["base_url"], key))]
        served = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 402]
        assert len(served) + len(refused) == CLIENTS, sorted({answer.status_code for answer in answers})
        charged = facts(product, "lease.usage-charged.v1", account_id)
        spent_nano = sum(one["charge_nano"] for one in charged)
        assert len(charged) == len(served)
        assert spent_nano <= PAID_FOR * hold_nano
        assert len(served) >= PAID_FOR, "a paid request was refused while its credit lay idle"
        for answer in refused:
            error = answer.json()["error"]
            assert error["available_nano"] < error["required_nano"]
    with PostgresEventStore(product.ready["database_url"]) as store:
        require_sound(store)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_money_for_ten_serves_exactly_ten(product: Product, rounds: int) -> None:
    """64 clients over two processes, each request at one known price: ten are served, whoever holds the credit.

    A refusal that came while the log still had credit for a whole request free would be one with idle credit: free
    credit only ever shrinks here, so it would have lain idle from the beginning.
    """
    offer_flat(product)
    for _ in range(int(os.environ.get("FAULT_ROUNDS", rounds))):
        account_id, key = new_account(product, PAID_FOR * FLAT_NANO)
        answers = asyncio.run(storm(product.ready["base_url"], key, model=FLAT))
        by_status = Counter(one.answer.status_code for one in answers)
        assert by_status == {200: PAID_FOR, 402: CLIENTS - PAID_FOR}
        admitted_us = [one["occurred_us"] for one in facts(product, "lease.request-admitted.v1", account_id)]
        assert len(admitted_us) == PAID_FOR
        for one in answers:
            if one.answer.status_code == 402:
                assert max(admitted_us) <= one.at_us, "refused while credit for a request lay idle"
        charged = facts(product, "lease.usage-charged.v1", account_id)
        assert sum(one["charge_nano"] for one in charged) == PAID_FOR * FLAT_NANO
    with PostgresEventStore(product.ready["database_url"]) as store:
        require_sound(store)
