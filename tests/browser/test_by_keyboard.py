"""Somebody without a mouse, and somebody whose browser runs no scripts."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.walker import Walker, walking

pytestmark = [pytest.mark.browser, pytest.mark.slow]
STOPS_MAX = 80
FOCUSED = """() => { const one = document.activeElement; return one === document.body ? "" :
    (one.labels?.[0]?.innerText || one.getAttribute("aria-label") || one.innerText || one.name || "").trim(); }"""
#: A focused thing must be seen to be so: an outline or a shadow that the same thing has not without focus.
MARKED = """() => { const one = document.activeElement, look = getComputedStyle(one);
    return look.outlineStyle !== "none" || look.boxShadow !== "none"; }"""


def tab_to(page: Page, name: str) -> None:
    """On and on, until the focus is there, and can be seen to be."""
    for _ in range(STOPS_MAX):
        if page.evaluate(FOCUSED) == name:
            assert page.evaluate(MARKED), f"nobody sees that {name} has the focus"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not lead to {name}")


def test_a_key_is_made_with_the_keyboard_alone(product: dict[str, Any], browser: Browser) -> None:
    """Tab, Enter and Space, from the address of the console to the secret; the first stop of a page skips its navigation."""
    with walking(browser, "en") as member:
        page = member.page
        page.goto(product["console_url"])
        tab_to(page, "Sign in")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sign-in")
        tab_to(page, "E-mail address")
        page.keyboard.type(product["member_email"])
        tab_to(page, "Password")
        page.keyboard.type(product["member_password"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/app/*")
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED) == "Skip to content"
        tab_to(page, "API keys")
        page.keyboard.press("Enter")
        page.wait_for_url("**/keys")
        tab_to(page, "New API key")
        page.keyboard.press("Space")
        tab_to(page, "Name")
        page.keyboard.type("by keyboard")
        tab_to(page, "Make the key")
        page.keyboard.press("Space")
        member.arrive("The new API key")
        assert page.get_by_role("main").locator("code").first.inner_text().startswith("tk_")
        tab_to(page, "I have it")
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_contain_text("by keyboard")


def test_forms_work_without_scripts(product: dict[str, Any], browser: Browser) -> None:
    """Coming in, a key, a budget, a refusal, and leaving. The key serves a request."""
    with walking(browser, "en", scripts=False) as member:
        come_in(member, product)
        member.follow("API keys")
        form = member.unfold("New API key")
        form.write("Name", "no scripts")
        form.press("Make the key")
        api_key = member.page.get_by_role("main").locator("code").first.inner_text()
        member.follow("I have it")
        member.see("no scripts")
        budget_without_scripts(member)
        member.unfold("Owner").press("Sign out")
        member.see("You are signed out.")
    headers = {"authorization": f"Bearer {api_key}"}
    body = {"model": "demo", "messages": [{"role": "user", "content": "Hello"}]}
    url = f"{product['base_url']}/chat/completions"
    assert httpx.post(url, json=body, headers=headers, trust_env=False, timeout=60).is_success


def come_in(member: Walker, product: dict[str, Any]) -> None:
    """As the owner of the account."""
    member.page.goto(product["console_url"])
    member.follow("Sign in")
    member.write("E-mail address", product["member_email"])
    member.write("Password", product["member_password"])
    member.press("Sign in")
    member.see("Overview")


def budget_without_scripts(member: Walker) -> None:
    """One that cannot be meant is refused on the page that it was written on; one that can is there."""
    for amount, answer in (("none", re.compile("cannot be read")), ("12.50", re.compile("12.50"))):
        member.follow("Budgets and alerts")
        form = member.unfold("New budget")
        form.write("Amount in credits", amount)
        form.press("Set the budget")
        expect(member.page.locator("body")).to_contain_text(answer)
