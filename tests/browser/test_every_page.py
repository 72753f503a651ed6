"""Every page of the console in Chromium: in each language and at three widths nothing is wider than its window, nothing that
axe calls serious stands in anybody's way, and the browser has nothing to complain about.
"""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.waiting import until
from tools.console_shots import LANGUAGES, WIDTHS, find_ones, overflow, sign_in, visitors, wanted_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
GRAVE = {"serious", "critical"}
NOT_THERE = "/nothing-here"
HEIGHT = 900
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Charts follow the width of their window when it is drawn."""


def visited(page: Page, base: str, paths: tuple[str, ...]) -> list[str]:
    """These, and one page of each kind that they lead to. All that can lead to one must: else it would be looked at by nobody."""
    found = list(paths)
    for path in found:
        page.goto(base + path)
        until(lambda path=path: leads_on(page, path, found))
    return found


def leads_on(page: Page, path: str, found: list[str]) -> bool:
    """Whether the page leads to what it should by now; read models follow within moments, and then the page is opened again."""
    if wanted_of(path) is None:
        return True
    ones = list(find_ones(page, path))
    found.extend(one for one in ones if one not in found)
    if not ones:
        page.reload()
    return bool(ones)


def faults_of(page: Page, where: str) -> list[str]:
    """What a page has against it at every width, in words. Axe looks at the widest and at the narrowest layout."""
    found: list[str] = []
    for width in reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.evaluate(DRAWN)
        found += [f"{where} at {width}: wider than its window: {one}" for one in overflow(page)]
        if width != WIDTHS[1]:
            found += [f"{where} at {width}: {one}" for one in grave_of(page)]
    return found


def grave_of(page: Page) -> list[str]:
    """What axe calls serious or critical."""
    return [
        f"{one['id']} ({one['impact']}): {', '.join(str(node['target']) for node in one['nodes'][:3])}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in GRAVE
    ]


def open_as(browser: Browser, base: str, email: str, password: str) -> tuple[BrowserContext, Page, list[str]]:
    context = browser.new_context(viewport={"width": WIDTHS[-1], "height": HEIGHT}, bypass_csp=True)
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda one: said.append(one.text) if is_complaint(one) else None)
    if email:
        sign_in(page, base, email, password)
    return context, page, said


def is_complaint(said: Any) -> bool:
    return said.type == "error" and NOT_THERE not in said.location.get("url", "")


@pytest.fixture(scope="session")
def found() -> dict[int, list[str]]:
    """The pages of each visitor, once they were looked for."""
    return {}


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", range(3), ids=["anybody", "operator", "member"])
def test_every_page_fits_and_can_be_used_by_everybody(
    product: dict[str, Any], browser: Browser, found: dict[int, list[str]], number: int, language: str
) -> None:
    """At 360, 768 and 1440 pixels."""
    base = product["console_url"].rstrip("/")
    _, email, password, paths = visitors(product)[number]
    context, page, said = open_as(browser, base, email, password)
    if number not in found:
        found[number] = visited(page, base, paths)
    context.add_cookies([{"name": "tokenok_language", "value": language, "url": base}])
    faults: list[str] = []
    for path in found[number]:
        page.set_viewport_size({"width": WIDTHS[-1], "height": HEIGHT})
        page.goto(base + path)
        faults += faults_of(page, f"{path} in {language}")
    context.close()
    assert [*faults, *said] == []


def test_a_policy_of_ours_lets_our_scripts_run_and_nothing_else(
    product: dict[str, Any], browser: Browser
) -> None:
    """With the policy in force: no page makes the browser complain, and the playground streams, is charged and stops."""
    base = product["console_url"].rstrip("/")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda one: said.append(one.text) if is_complaint(one) else None)
    sign_in(page, base, product["member_email"], product["member_password"])
    play = f"{base}/app/{product['account_id']}/playground"
    page.goto(play)
    page.click("main form button.primary")
    page.fill("#prompt", "Hello <b>there</b>")
    page.click("[data-more]")
    page.click("[data-send]")
    until(lambda: page.locator("[data-stop]").is_hidden() and page.locator(".said.assistant").count() == 2)
    assert page.locator(".said.user b").count() == 0
    notes = page.locator("[data-note]").all_inner_texts()
    assert all("credits" in note for note in notes[:2]), notes
    for path in ("", "/usage", "/keys", "/budgets"):
        page.goto(f"{base}/app/{product['account_id']}{path}")
    context.close()
    assert said == []
