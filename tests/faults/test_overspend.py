"""Many clients, two processes, little money: nothing is served that was not paid for, nothing paid lies idle."""

import asyncio
import os
from pathlib import Path

import httpx
import pytest

from adapters.eventstore.store import PostgresEventStore
from application.accounts import open_account
from application.keys import issue_key
from application.ledger.grant_credit import GrantCredit, grant_credit
from bootstrap import ports_of
from domain.fact import SYSTEM
from domain.ids import uuid7
from settings import from_environment
from tests.application.ledger.books import require_sound
from tests.faults.conftest import Product, rows

CLIENTS = 64
PAID_FOR = 10
BODY = {"model": "demo-fast", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 16}


def new_account(product: Product, amount_nano: int) -> tuple[str, str]:
    """An open account with credit: its id and a key."""
    key_file = Path(product.root, "data/master.key")
    settings = from_environment(
        {"DATABASE_URL": product.ready["database_url"], "TOKENOK_MASTER_KEY": key_file.read_text().strip()}
    )
    with ports_of(settings) as ports:
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


async def send(client: httpx.AsyncClient, base_url: str, key: str) -> httpx.Response:
    """One request; a key that a process has not heard of yet is offered again."""
    for _ in range(200):
        answer = await client.post(
            f"{base_url}/chat/completions", json=BODY, headers={"authorization": f"Bearer {key}"}
        )
        if answer.status_code != 401:
            return answer
        await asyncio.sleep(0.05)
    return answer


async def storm(base_url: str, key: str) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        return await asyncio.gather(*(send(client, base_url, key) for _ in range(CLIENTS)))


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
        answers = asyncio.run(storm(product.ready["base_url"], key))
        served = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 402]
        assert len(served) + len(refused) == CLIENTS, sorted({answer.status_code for answer in answers})
        charged = rows(
            product,
            """SELECT (convert_from(state, 'UTF8')::jsonb->>'charge_nano')::bigint FROM stored_events
               WHERE topic = 'lease.usage-charged.v1' AND convert_from(state, 'UTF8')::jsonb->>'account_id' = %s""",
            account_id,
        )
        spent_nano = sum(amount for (amount,) in charged)
        assert len(charged) == len(served)
        assert spent_nano <= PAID_FOR * hold_nano
        assert len(served) >= PAID_FOR, "a paid request was refused while its credit lay idle"
        for answer in refused:
            error = answer.json()["error"]
            assert error["available_nano"] < error["required_nano"]
    with PostgresEventStore(product.ready["database_url"]) as store:
        require_sound(store)
