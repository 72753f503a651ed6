"""A customer comes from the first page to an invoice by what the screen shows, and what stands in their mail."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from babel import Locale
from openai import OpenAI
from playwright.sync_api import Browser

from api.console.languages import TAGS
from tests.browser.mailbox import link_in_the_mail_to
from tests.browser.stripe_front import Front
from tests.browser.walker import Walker, walking
from tests.browser.words import LOCALES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1_200)]
PASSWORD = "four words make it long"


@pytest.mark.parametrize("language", LOCALES)
def test_from_the_first_page_to_the_invoice(
    shop: tuple[dict[str, Any], Front], browser: Browser, language: str
) -> None:
    """One address is typed, the one of the console; one link is in a mail."""
    ready, stripe = shop
    with walking(browser, language) as customer:
        customer.page.goto(ready["console_url"])
        open_account(customer, f"kim-{language}@blue.example", ready)
        say_whom_invoices_are_for(customer)
        buy(customer)
        download_invoice(customer)
        api_key = make_key(customer)
        ask(customer, api_key)
        assert set(stripe.answers) == {200}


def open_account(customer: Walker, address: str, ready: dict[str, Any]) -> None:
    """With a link from a mail in the reader's language; the list of what is to do begins with what is done."""
    customer.follow("Open an account")
    customer.write("E-mail address", address)
    customer.press("Send me the link")
    customer.see("Look into your mailbox")
    customer.page.goto(link_in_the_mail_to(address, ready["data"] / "mail"))
    customer.write("Name of the account", "Blue")
    customer.write("Choose a password", PASSWORD)
    customer.press("Open the account")
    customer.see("Welcome. The account is yours.")
    customer.see("Get going")
    assert "1 / 8" in customer.page.get_by_role("main").inner_text()


def say_whom_invoices_are_for(customer: Walker) -> None:
    """From the list of what is to do."""
    with leaving(customer):
        customer.within(customer.page.get_by_role("main")).follow("Settings")
    form = customer.within(customer.page.locator("#billing"))
    form.write("Company or person", "Blue")
    form.write("Postal address", "Beispielallee 2\n20095 Hamburg")
    form.choose("Country", Locale.parse(TAGS[customer.say.language], sep="-").territories["DE"])
    form.press("Save")
    form.see("Complete")


def buy(customer: Walker) -> None:
    """Over the counterpart's own page and back, until the credit is there."""
    customer.follow("Top up")
    customer.pick("Card and other online payment")
    customer.press("Place the order")
    page = customer.page
    page.get_by_role("button").filter(has_text="59.50").click()
    page.wait_for_url("**/checkout/*")
    page.locator(".checkout-pay-btn").click()
    customer.see("Thank you. The credit is yours.")


def download_invoice(customer: Walker) -> None:
    """It shows by itself."""
    link = customer.page.get_by_role("link", name=customer.say("Invoice (PDF)"))
    link.wait_for()
    with customer.page.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def make_key(customer: Walker) -> str:
    """Its secret, shown once."""
    with leaving(customer):
        customer.follow("API keys")
    form = customer.unfold("New API key")
    form.write("Name", "laptop")
    form.press("Make the key")
    customer.arrive("The new API key")
    api_key = customer.page.get_by_role("main").locator("code").first.inner_text()
    customer.follow("I have it")
    return api_key


def ask(customer: Walker, api_key: str) -> None:
    """By the official SDK, with the address and the model of the snippet; then the page tells of it."""
    customer.follow("Overview")
    snippet = customer.unfold("Python").where.inner_text()
    base_url, model = re.search(r'base_url="(.+?)"', snippet), re.search(r'model="(.+?)"', snippet)
    assert base_url is not None
    assert model is not None
    with OpenAI(base_url=base_url[1], api_key=api_key) as client:
        messages: Any = [{"role": "user", "content": "Hello!"}]
        answered = client.chat.completions.create(model=model[1], messages=messages)
    assert answered.choices[0].message.content
    customer.follow("Requests")
    customer.arrive("Requests")
    customer.look_again_until(customer.page.get_by_role("row").filter(has_text=model[1]).count)
    customer.follow("Overview")
    customer.see("Make it safe")


@contextmanager
def leaving(customer: Walker) -> Iterator[None]:
    """A page, for another one that has things of the same names."""
    before = customer.page.url
    yield
    customer.page.wait_for_url(lambda url: url != before)
