"""A customer buys credit in a real browser, at a payment provider's page that nobody here wrote."""

from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.installation import Operator
from tests.browser.shop import bill_to_acme
from tests.browser.stripe_front import Front
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SEEN_MS_MAX: Final = 60_000


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_recharge_over_the_hosted_page_to_the_invoice(
    browser: Browser, shop: tuple[dict[str, Any], Front], scripts: bool
) -> None:
    """Recharge, hosted checkout, return, credit, invoice: the whole way in the browser, and the credit is there once."""
    ready, stripe = shop
    with Operator(ready) as operator:
        bill_to_acme(operator, ready["account_id"])
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
        order = operator.ask(f"/orders/{order_id}")
        assert (order["status"], order["credits_nano"]) == ("credited", 51_000_000_000)
        _until_there(page, page.get_by_role("link", name="Invoice (PDF)"))
        with page.expect_download() as download:
            page.get_by_role("link", name="Invoice (PDF)").click()
        assert download.value.path().read_bytes().startswith(b"%PDF-")
        context.close()


def _until_credited(page: Page, *, scripts: bool) -> None:
    """The page changes by itself where scripts run; where none do, one looks again."""
    thanks = page.get_by_text("Thank you. The credit is yours.")
    if scripts:
        thanks.wait_for()
        return
    _until_there(page, thanks)


def _until_there(page: Page, wanted: Locator) -> None:
    """By looking again and again, as people do."""

    def looked() -> int:
        page.reload()
        return wanted.count()

    until(looked)
