"""The whole product as it is started, some requests behind it, and a browser in front of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.furnished import furnish
from tests.browser.installation import Operator, up
from tests.browser.shop import open_shop
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
        furnish(ready)
        yield ready


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Front]]:
    """Where credit is sold: what the ready file says, and what stands before the counterpart."""
    with open_for_business(tmp_path_factory.mktemp("shop")) as (ready, stripe), Operator(ready) as operator:
        open_shop(operator)
        yield ready, stripe
