"""The whole product as it is started, some requests behind it, and a browser in front of it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.browser.installation import Operator, up
from tests.browser.shop import bill_to_acme, open_shop
from tests.browser.shop import shop as open_for_business
from tests.browser.stripe_front import Front
from tools.browser import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all; without one the tests fail."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What its ready file says."""
    with up(tmp_path_factory.mktemp("browser"), "--port", "0") as ready:
        yield _used(ready)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Front]]:
    """Where credit is sold: what the ready file says, and what stands before the counterpart."""
    with open_for_business(tmp_path_factory.mktemp("shop")) as (ready, stripe), Operator(ready) as operator:
        open_shop(operator)
        yield ready, stripe


def _used(ready: dict[str, Any]) -> dict[str, Any]:
    """With what pages tell of: requests, credit on offer and ordered, a buyer, a budget, something announced."""
    headers = {"authorization": f"Bearer {ready['api_key']}"}
    with httpx.Client(base_url=ready["base_url"], headers=headers, timeout=60, trust_env=False) as client:
        for number in range(12):
            body = {"model": "demo", "messages": [{"role": "user", "content": f"Hello {number}"}]}
            assert client.post("/chat/completions", json=body).is_success
    account_id = ready["account_id"]
    with Operator(ready) as operator:
        open_shop(operator)
        bill_to_acme(operator, account_id)
        operator("/orders/place", account_id=account_id, currency="EUR", amount_minor=5_000, country="DE")
        operator("/budgets/set", account_id=account_id, amount_nano=10**10, window="day", enforcement="hard")
    return ready
