"""Whoever has just started an empty installation comes to a customer's first paid request by what the screen shows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from playwright.sync_api import Browser

from application.catalogue.presets.library import read_preset
from tests.browser.installation import sandbox, up
from tests.browser.walker import Walker, walking
from tests.browser.words import LOCALES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1_200)]
SECRET = "sk-at-the-provider-0123456789"
PASSWORD = "four words make it long"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What the ready file of an installation says in which there is nothing, and nobody."""
    with up(tmp_path, "--no-demo", "--port", "0", ALLOW_PRIVATE_UPSTREAMS="127.0.0.1") as ready:
        yield ready


PRESET_MODELS = frozenset(read_preset("openai").roles.values())


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a company that has models and takes one key."""
    with sandbox(
        tmp_path_factory.mktemp("provider"), api_key=SECRET, models=sorted(PRESET_MODELS)
    ) as address:
        yield address


@pytest.mark.parametrize("language", LOCALES)
def test_from_nothing_to_the_first_paid_request(
    empty: dict[str, Any], provider: str, browser: Browser, language: str
) -> None:
    """One address is typed: the one that the terminal shows. The rest is there to be clicked."""
    with walking(browser, language) as admin:
        admin.page.goto(empty["first_sign_in_url"])
        come_in(admin)
        connect(admin, provider)
        sell(admin)
        api_key, base_url = make_customer(admin, done=6)
        call_from_the_page(admin, api_key)
        charge = first_request_of(base_url, api_key)
        admin.follow("Requests")
        admin.arrive("Requests")
        rows = admin.page.get_by_role("row").filter(has_text="fast")
        admin.look_again_until(lambda: rows.count() == 2)
        assert charge > 0


def test_by_a_preset_a_key_and_a_customer_are_all_that_is_missing(
    empty: dict[str, Any], provider: str, browser: Browser
) -> None:
    """Behind a proxy of one's own: the preset brings the models that customers ask for by the provider's names. In one language, since
    the walk above takes the other forms in all of them."""
    with walking(browser, "zh") as admin:
        admin.page.goto(empty["first_sign_in_url"])
        come_in(admin)
        form = admin.unfold("Enable from a preset")
        form.choose("Provider", "OpenAI")
        form.write("Your key there", SECRET)
        form.write("Address of a proxy", provider)
        form.press("Enable")
        admin.see("%(done)s of %(all)s steps", done=6, all=10)
        api_key, base_url = make_customer(admin, done=6)
        call_from_the_page(admin, api_key)
        with OpenAI(base_url=base_url, api_key=api_key) as client:
            assert {one.id for one in client.models.list()} == PRESET_MODELS


def come_in(admin: Walker) -> None:
    """The first superadmin, who lands where the launch begins."""
    admin.write("E-mail address", "root@shop.example")
    admin.write("Choose a password", PASSWORD)
    admin.press("Set password and go on")
    admin.see("Welcome. You are an operator of this installation now.")
    admin.see("%(done)s of %(all)s steps", done=0, all=10)


def connect(admin: Walker, provider: str) -> None:
    """A provider that no preset knows, our key there, and an answer."""
    form = admin.unfold("Another provider")
    form.write("Name", "acme")
    form.write("Address", provider)
    form.press("Add it")
    admin.see("%(done)s of %(all)s steps", done=1, all=10)
    form = admin.unfold("New credential")
    form.write("Your key there", "sk-mistyped")
    form.press("Keep it")
    admin.see("The provider does not take this secret.")
    form.write("Your key there", SECRET)
    form.press("Keep it")
    admin.see("The provider answered and takes the secrets.")
    admin.see("%(done)s of %(all)s steps", done=3, all=10)


def sell(admin: Walker) -> None:
    """A model there, what it costs here, and under which name it is asked for."""
    form = admin.unfold("Add a model of %(name)s", name="acme")
    form.write("Model there", "sandbox-fast")
    form.press("Add the model")
    admin.see("%(done)s of %(all)s steps", done=4, all=10)
    form = admin.unfold("New price")
    form.write("Name for customers", "fast")
    form.write("Input", "0.5")
    form.write("Output", "1.5")
    form.write("Note", "The first prices")
    form.press("Publish")
    admin.see("%(done)s of %(all)s steps", done=5, all=10)
    form = admin.unfold("New model")
    assert form.where.get_by_label(admin.say("Name for customers")).input_value() == "fast"
    form.choose("Deployment", "acme / sandbox-fast")
    form.press("Make it")
    admin.see("%(done)s of %(all)s steps", done=6, all=10)


def make_customer(admin: Walker, *, done: int) -> tuple[str, str]:
    """With credit that was paid for; the key that the page shows once, and where to use it."""
    form = admin.unfold("New account")
    form.write("Name", "Blue")
    form.press("Open the account")
    admin.see("%(done)s of %(all)s steps", done=done + 1, all=10)
    form = admin.unfold("Grant credit")
    form.write("Amount in credits", "10")
    form.choose("Source", admin.say("Paid"))
    form.write("Reason", "Paid by wire")
    form.press("Grant")
    admin.see("%(done)s of %(all)s steps", done=done + 2, all=10)
    form = admin.unfold("New API key")
    form.write("Name", "laptop")
    form.press("Make the key")
    admin.arrive("The new API key")
    api_key = admin.page.get_by_role("main").locator("code").first.inner_text()
    admin.follow("I have it")
    admin.see("%(done)s of %(all)s steps", done=done + 3, all=10)
    shown = re.search(r"curl (\S+/v1)/chat/completions", admin.page.get_by_role("main").inner_text())
    assert shown is not None
    return api_key, shown[1]


def call_from_the_page(admin: Walker, api_key: str) -> None:
    """With the key, from the page."""
    form = admin.within(admin.page.locator("#call"))
    form.write("API key", api_key)
    form.press("Send the request")
    admin.see("Everything is ready")


def first_request_of(base_url: str, api_key: str) -> float:
    """By the official SDK, as a customer's program; what it cost in credits."""
    with OpenAI(base_url=base_url, api_key=api_key) as client:
        answered = client.chat.completions.with_raw_response.create(
            model="fast", messages=[{"role": "user", "content": "Hello!"}]
        )
        assert answered.parse().choices[0].message.content
        return float(answered.headers["x-tokenok-charge"])
