"""A customer buys credit in a real browser, at a payment provider's page that nobody here wrote."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.emulate import ROOT, emulate
from tests.browser.stripe_front import SECRET, Front, front
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ENDPOINT_SECRET: Final = "whsec_of_our_endpoint_0123456789"
READY_S_MAX: Final = 120
SEEN_MS_MAX: Final = 60_000
SEED: Final = """
stripe:
  webhooks:
    - url: {hook}
      events: ["*"]
      secret: {secret}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or what CHROMIUM_BIN names."""
    binary = os.environ.get("CHROMIUM_BIN") or shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        pytest.fail("no Chromium: install it (apt-get install chromium), or set CHROMIUM_BIN")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=binary, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield launched
        launched.close()


@contextmanager
def up(folder: Path, **environment: str) -> Iterator[dict[str, Any]]:
    """`tokenok up` with the demo's account; what its ready file says."""
    ready_file = folder / "ready.json"
    command = [sys.executable, "-m", "cli", "up", "--port", environment.pop("PORT")]
    command += ["--console-port", environment.pop("CONSOLE_PORT")]
    command += ["--data", str(folder / "data"), "--ready-file", str(ready_file)]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with (folder / "up.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT / "src", env={**inherited, **environment}, stdout=log, stderr=log
        )
    try:
        until(lambda: ready_file.exists() or process.poll() is not None, within_s=READY_S_MAX)
        assert process.poll() is None, (folder / "up.log").read_text()[-4_000:]
        yield json.loads(ready_file.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


class Operator:
    """Commands over the API."""

    def __init__(self, ready: dict[str, Any]) -> None:
        origin = ready["base_url"].removesuffix("/v1")
        self._client = httpx.Client(
            base_url=f"{origin}/api/admin", headers={"authorization": f"Bearer {ready['operator_token']}"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def __call__(self, path: str, **body: Any) -> dict[str, Any]:
        key = {"idempotency-key": f"{path}{len(json.dumps(body))}"}
        answered = self._client.post(path, json=body, headers=key)
        assert answered.is_success, answered.text
        found: dict[str, Any] = answered.json()
        return found


def open_shop(operator: Operator, account_id: str) -> str:
    """Credit on offer, somebody who sells it, and a buyer; the seller's id."""
    operator(
        "/offers/set",
        currency="EUR",
        rate_num=10_000_000,
        packages=[{"amount_minor": 5_000, "bonus_nano": 1_000_000_000}],
        min_minor=500,
        max_minor=100_000,
        taxes=[{"country": "DE", "rate_ppm": 190_000}],
    )
    seller_id = "00000000-0000-0000-0000-0000000005e1"
    operator(
        "/sellers/set",
        seller_id=seller_id,
        legal_name="Tokenok GmbH",
        address=["Musterweg 1", "10115 Berlin"],
        country="DE",
        tax_ids=[{"kind": "vat", "value": "DE123456789"}],
        zone="Europe/Berlin",
        email="billing@tokenok.example",
    )
    operator("/series/open", seller_id=seller_id, kind="invoice", prefix="INV-")
    operator(
        "/billing/set",
        account_id=account_id,
        buyer_name="Acme GmbH",
        address=["Beispielallee 2", "20095 Hamburg"],
        country="DE",
        email="books@acme.example",
    )
    return seller_id


def two_ports() -> tuple[int, int]:
    one, other = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    with closing(one), closing(other):
        return one.getsockname()[1], other.getsockname()[1]


@contextmanager
def shop(folder: Path) -> Iterator[tuple[dict[str, Any], Front]]:
    """Everything that runs, with the counterpart as Stripe."""
    port, console_port = two_ports()
    with front() as stripe, emulate(SEED.format(hook=stripe.hook, secret=SECRET)) as address:
        stripe.emulate, stripe.secret = address, ENDPOINT_SECRET
        stripe.gateway = f"http://127.0.0.1:{port}/webhooks/stripe"
        environment = {
            "PORT": str(port),
            "CONSOLE_PORT": str(console_port),
            "PUBLIC_URL": f"http://127.0.0.1:{console_port}",
            "STRIPE_SECRET_KEY": "sk_live_walk",
            "STRIPE_WEBHOOK_SECRET": ENDPOINT_SECRET,
            "STRIPE_API_BASE": stripe.url,
        }
        with up(folder, **environment) as ready:
            yield ready, stripe


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_recharge_over_the_hosted_page_to_the_invoice(
    browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    """Recharge, hosted checkout, return, credit, invoice: the whole way in the browser, and the credit is there once."""
    with shop(tmp_path) as (ready, stripe), Operator(ready) as operator:
        seller_id = open_shop(operator, ready["account_id"])
        home = f"{ready['console_url'].rstrip('/')}/app/{ready['account_id']}"
        context = browser.new_context(java_script_enabled=scripts, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(SEEN_MS_MAX)
        page.goto(f"{home}/recharge")
        page.fill("#email", ready["member_email"])
        page.fill("#password", ready["member_password"])
        page.click("main button.primary")
        page.wait_for_url(f"{home}/recharge")
        page.check('input[name="provider"][value="stripe"]')
        page.get_by_role("button", name="Place the order").click()
        page.wait_for_url(f"{home}/orders/*")
        order_page = page.url
        order_id = order_page.rpartition("/")[2]
        expect(page.get_by_role("main")).to_contain_text("59.50")
        page.get_by_role("button", name="Pay").click()
        page.wait_for_url("**/checkout/*")
        expect(page.locator("body")).to_contain_text("59.50")
        page.locator(".checkout-pay-btn").click()
        page.wait_for_url(order_page)
        _until_credited(page, scripts=scripts)
        assert set(stripe.answers) == {200}, stripe.answers
        context.clear_cookies(name="tokenok_flash")
        balance = httpx.get(
            f"{ready['base_url'].removesuffix('/v1')}/api/admin/orders/{order_id}",
            headers={"authorization": f"Bearer {ready['operator_token']}"},
        ).json()
        assert (balance["status"], balance["credits_nano"]) == ("credited", 51_000_000_000)
        operator("/invoices/order", order_id=order_id, seller_id=seller_id)
        page.reload()
        with page.expect_download() as download:
            page.get_by_role("link", name="Invoice (PDF)").click()
        assert download.value.path().read_bytes().startswith(b"%PDF-")
        context.close()


def _until_credited(page: Any, *, scripts: bool) -> None:
    """The page changes by itself where scripts run; where none do, one looks again."""
    thanks = page.get_by_text("Thank you. The credit is yours.")
    if scripts:
        thanks.wait_for()
        return
    until_s = time.monotonic() + SEEN_MS_MAX / 1_000
    while not thanks.count():
        assert time.monotonic() < until_s, page.content()
        page.get_by_role("link", name="Look again").click()
