"""Pictures of every page of the console in every language, light and dark: `python -m tools.console_shots READY_FILE FOLDER`.

READY_FILE is what `tokenok up --ready-file` writes; with `--fill` the demo gets something of everything first. Chromium comes from CHROMIUM_BIN or the PATH. Each page is also
measured: what is wider than the window is reported, and so is everything that the browser's console complains about.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from tools.browser import NoChromium, chromium
from tools.console_fill import fill

LANGUAGES: Final = ("en", "zh", "ja", "ko")
THEMES: Final = ("light", "dark")
WIDTHS: Final = (360, 768, 1440)
_HEIGHT: Final = 900
OPEN: Final = ("/", "/models", "/status", "/sign-in", "/sign-up", "/forgot", "/nothing-here")
STAFF: Final = (
    "/console",
    "/console/requests",
    "/console/requests/refused",
    "/console/customers",
    "/console/keys",
    "/console/models",
    "/console/providers",
    "/console/ledger",
    "/console/audit",
    "/console/operators",
    "/console/launch",
    "/console/invoices",
    "/console/invoices?edit=new",
    "/console/settings",
    "/console/routing?model=demo&order=sandbox",
    "/console/prices",
    "/console/prices/1",
    "/console/announcements",
    "/console/announcements?edit=new",
    "/console/orders",
    "/console/offers?edit=new",
    "/console/webhooks",
    "/console/refunds?all=1",
    "/console/refunds/debts",
    "/console/mails",
    "/console/documents",
    "/console/documents/due",
    "/console/receivables",
    "/console/receivables/limits",
    "/console/refunds/requests",
    "/console/endpoints",
    "/console/management-keys",
    "/console/codes",
    "/console/charges?state=all",
    "/console/adjustments",
    "/console/repricing",
    "/console/budgets",
    "/console/work",
    "/console/earnings",
    "/console/money",
    "/console/money/month",
    "/me",
    "/me/second-factor",
)
APP: Final = (
    "",
    "/playground",
    "/keys",
    "/usage",
    "/requests",
    "/requests/refused",
    "/budgets",
    "/statements",
    "/models",
    "/members",
    "/recharge",
    "/documents",
    "/management-keys",
    "/webhooks",
    "/notices",
    "/settings",
)
#: Pages of one thing are found by the first link to one on the page that ends so.
ONES: Final = {
    "/console/requests": re.compile(r"/console/requests/[0-9a-f-]{36}$"),
    "/console/customers": re.compile(r"/console/customers/[0-9a-f-]{36}$"),
    r"/console/customers/[0-9a-f-]{36}": re.compile(r"/console/customers/[0-9a-f-]{36}/statements$"),
    "/console/models": re.compile(r"/console/models/.+$"),
    "/console/invoices": re.compile(r"/console/invoices/[0-9a-f-]{36}$"),
    "/console/endpoints": re.compile(r"/console/endpoints/[0-9a-f-]{36}$"),
    "/console/codes": re.compile(r"/console/codes/[0-9a-f-]{36}$"),
    r"/console/charges\?state=all": re.compile(r"/console/charges/[0-9a-f-]{36}$"),
    "/console/orders": re.compile(r"/console/orders/[0-9a-f-]{36}$"),
    "/console/providers": re.compile(r"/console/providers/[0-9a-f-]{36}$"),
    r"/app/[0-9a-f-]{36}/keys": re.compile(r"/app/[0-9a-f-]{36}/keys/[0-9a-f-]{36}$"),
    r"/app/[0-9a-f-]{36}/recharge": re.compile(r"/app/[0-9a-f-]{36}/orders/[0-9a-f-]{36}$"),
    r"/app/[0-9a-f-]{36}/webhooks": re.compile(r"/app/[0-9a-f-]{36}/webhooks/[0-9a-f-]{36}$"),
    r"/app/[0-9a-f-]{36}/requests": re.compile(r"/app/[0-9a-f-]{36}/requests/[0-9a-f-]{36}$"),
}


def sign_in(page: Page, base: str, email: str, password: str) -> None:
    """As this person."""
    page.goto(f"{base}/sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("main button.primary")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def wanted_of(path: str) -> re.Pattern[str] | None:
    """What a link to a page of one thing looks like on this page; None if it has none."""
    return next((one for end, one in ONES.items() if re.fullmatch(end, path)), None)


def find_ones(page: Page, path: str) -> Iterator[str]:
    """A page of one thing that the page just opened leads to."""
    wanted = wanted_of(path)
    if wanted is None:
        return
    for link in page.locator(".main a[href]").all():
        href = link.get_attribute("href") or ""
        if wanted.search(href):
            yield href
            return


def overflow(page: Page) -> list[str]:
    """What makes the page wider than its window, by its tag and class."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll("body *")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".table, .copy"))
          .slice(0, 5).map((one) => `${one.tagName.toLowerCase()}.${one.className}`)"""
    )
    return found


def visitors(ready: dict[str, Any]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Each kind of visitor with the way in, and the pages that they see."""
    account, customer = f"/app/{ready['account_id']}", f"/console/customers/{ready['account_id']}"
    return [
        ("open", "", "", OPEN),
        ("staff", ready["operator_email"], ready["operator_password"], (*STAFF, customer)),
        ("app", ready["member_email"], ready["member_password"], tuple(f"{account}{one}" for one in APP)),
    ]


def _visit(browser: Browser, ready: dict[str, Any], options: argparse.Namespace) -> list[str]:
    base, problems = ready["console_url"].rstrip("/"), []
    for who, email, password, paths in visitors(ready):
        context = browser.new_context(viewport={"width": options.widths[-1], "height": _HEIGHT})
        page = context.new_page()
        _listen(page, problems)
        if email:
            sign_in(page, base, email, password)
        wanted = [path for path in paths if not options.only or options.only in path]
        todo = list(wanted)
        for path in todo:
            page.goto(base + path)
            todo.extend(one for one in find_ones(page, path) if one not in todo)
        for language in options.languages:
            for theme in options.themes:
                for path in todo:
                    _set(context, base, language=language, theme=theme)
                    problems += _shoot(page, base, path, options, name=f"{who}-{language}-{theme}")
        context.close()
    return problems


def _listen(page: Page, problems: list[str]) -> None:
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: _complained(said, problems))


def _complained(said: Any, problems: list[str]) -> None:
    if said.type == "error" and "nothing-here" not in said.location.get("url", ""):
        problems.append(said.text)


def _set(context: Any, base: str, *, language: str, theme: str) -> None:
    context.add_cookies(
        [
            {"name": "tokenok_language", "value": language, "url": base},
            {"name": "tokenok_theme", "value": theme, "url": base},
        ]
    )


def _shoot(page: Page, base: str, path: str, options: argparse.Namespace, *, name: str) -> list[str]:
    problems = []
    for width in options.widths:
        page.set_viewport_size({"width": width, "height": _HEIGHT})
        page.goto(base + path)
        page.wait_for_load_state("networkidle")
        wide = overflow(page)
        if wide:
            problems.append(f"{path} in {name} is wider than {width}: {', '.join(wide)}")
        short = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "one", path).strip("/").replace("/", "-") or "home"
        page.screenshot(path=options.folder / f"{name}-{short}-{width}.png", full_page=True)
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description="Pictures of every page of the console.")
    parser.add_argument("ready_file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--themes", nargs="+", default=THEMES)
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--only", default="", help="paths that hold this")
    parser.add_argument(
        "--fill", action="store_true", help="first fill the demo with something of everything"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    ready = json.loads(options.ready_file.read_text())
    if options.fill:
        fill(ready)
    try:
        with chromium() as browser:
            problems = _visit(browser, ready, options)
    except NoChromium as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.writelines(f"{one}\n" for one in dict.fromkeys(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
