"""Every table of the console is a file too: by its templates, and by what its pages offer."""

import csv
import io
import re
from html import unescape
from pathlib import Path
from typing import Final

from api.console.looking import PAGE_ROWS
from api.console.rendering import TEMPLATES
from application.ledger.wallet_reader import wallet_stream
from domain.budgets.events import BudgetAlertRaised, BudgetSet
from domain.ids import uuid7
from domain.ledger.events import CreditLotGranted
from projections.books_check import PostgresBooksChecks
from tests.api.console.conftest import ACCOUNT, World
from tests.api.console.forms import do, sign_in
from tests.api.console.recharging import credited
from tests.api.console.test_pages import APP, STAFF
from tests.cli_runner import project
from tests.histories import numbered, sample

#: Tables without files, and why.
EXEMPT: Final = {
    "_keys.html": 1,  # a part: whoever puts it on a page offers the files
    "_requests.html": 1,  # likewise
    "workspace/_webhooks.html": 1,  # likewise
    "admin/operators.html": 1,  # what each role may do: a legend
    "workspace/members.html": 1,  # likewise
    "me.html": 2,  # one's own devices and passkeys: forms
    "public/landing.html": 1,  # the beginning of a table that has files on the page behind it
    "admin/money.html": 1,  # a card for each ledger of the page's one file
}
#: Tables that come from parts. A few rows of another page's table say so by a link there.
PARTS: Final = re.compile(r"(?:request_table|key_table|message_table)\(")
OFFERS: Final = re.compile(
    r"parts\.(?:export|table_files)\(|/csv\?month=|>All requests<|_\(\"All requests\"\)"
)
FORM: Final = re.compile(
    r"{% call parts\.command\((?P<command>[^%]*?)\) %}(?P<fields>.*?){% endcall %}"
    r"|<form [^>]*method=\"post\" action=\"(?P<action>[^\"]*)\"(?P<rest>.*?)</form>",
    re.DOTALL,
)
#: Forms that take something away for good, or post something, by the end of their target.
GRAVE: Final = re.compile(
    r"/(?:remove|leave|revoke|rotate|disable|withdraw|cancel|forget|stop|erase|deny|approve)\b"
)
#: Those that need no second look, and why.
HARMLESS: Final = {
    '"/console/do/orders/approve"',  # a card of its own says what is approved
    '"/console/do/postpaid/approve"',  # the panel asks for a decision, and has the other one beside it
    '"/console/do/refunds/approve"',  # likewise
    '"/console/do/credit/approve"',  # likewise
    'base ~ "/do/refund-requests/withdraw"',  # it can be asked for again
}
LINK: Final = re.compile(r'href="([^"]*[?&](?:amp;)?as=(?:csv|json)[^"]*)"')


def test_each_table_is_offered_as_files() -> None:
    """Whoever adds a table to a template adds the links, or says above why it needs none."""
    missing = {}
    for path in sorted(Path(TEMPLATES).rglob("*.html")):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(TEMPLATES).as_posix()
        uses = 0 if name.startswith("_") or "/_" in name else len(PARTS.findall(text))
        tables = text.count("<table") + uses - EXEMPT.get(name, 0)
        if tables > len(OFFERS.findall(text)):
            missing[name] = tables
    assert missing == {}, "tables without files"


def test_no_exemption_outlives_its_table() -> None:
    """A template that is gone, or has fewer tables, is not listed any more."""
    for name, tables in EXEMPT.items():
        assert (TEMPLATES / name).read_text(encoding="utf-8").count("<table") >= tables, name


def offered(world: World, paths: tuple[str, ...]) -> set[str]:
    """The files that these pages link to."""
    found: set[str] = set()
    for path in paths:
        found |= {unescape(one) for one in LINK.findall(world.get(path).text)}
    return found


def test_each_file_that_a_page_offers_is_one(world: World, database_url: str) -> None:
    """To be saved, of the form that was asked for; no cell begins as a formula does."""
    order_id = credited(world, "40")
    token = sign_in(world, "admin")
    assert do(world, "accounts/rename", token, subject_id=str(ACCOUNT), name="=cmd()") == ""
    project(database_url)
    staff = (*STAFF, f"/console/orders/{order_id}", f"/console/customers/{ACCOUNT}/statements")
    check(world, offered(world, staff), at_least=60)
    world.as_member("owner")
    app = tuple(f"/app/{ACCOUNT}{one}" for one in (*APP, "/recharge", "/documents", "/webhooks"))
    check(world, offered(world, app), at_least=16)


def check(world: World, links: set[str], *, at_least: int) -> None:
    assert len(links) >= at_least, sorted(links)
    for link in sorted(links):
        answer = world.get(link)
        form = "csv" if "as=csv" in link else "json"
        assert answer.status_code == 200, link
        assert f'.{form}"' in answer.headers.get("content-disposition", ""), link
        if form == "csv":
            cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))], link
        else:
            assert isinstance(answer.json(), list), link


def test_a_customer_s_file_tells_no_more_than_their_pages(world: World) -> None:
    """No lease, no deployment and no cost of ours."""
    world.as_member("owner")
    for path in ("requests", "models", "usage", "keys"):
        name = {"models": "&table=models", "usage": "&table=usage"}.get(path, "")
        text = world.get(f"/app/{ACCOUNT}/{path}?as=json{name}").text
        for word in ("lease_id", "deployment", "cost_nano", "markup", "secret_hash"):
            assert word not in text, (path, word)


def test_what_takes_something_away_asks_first() -> None:
    """Its form is alone behind a button that opens it, or wants something to be written: without a script too."""
    hasty = []
    for path in sorted(Path(TEMPLATES).rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        for form in FORM.finditer(text):
            target = form["action"] or form["command"].partition(",")[0]
            if (
                not GRAVE.search(target)
                or target in HARMLESS
                or re.search(r"required|parts\.field\(", form[0])
            ):
                continue
            if len(FORM.findall(panel_around(text, form.start()))) != 1:
                hasty.append(f"{path.relative_to(TEMPLATES).as_posix()}: {target}")
    assert not hasty, "\n".join(hasty)


def panel_around(text: str, place: int) -> str:
    """The innermost panel that holds a place of a template; empty if none does."""
    begun: list[tuple[str, int]] = []
    for piece in re.finditer(r"{% call ([\w.]+)\(|{% endcall %}", text):
        if piece[1]:
            begun.append((piece[1], piece.start()))
            continue
        name, start = begun.pop()
        if name == "parts.panel" and start < place < piece.start():
            return text[start : piece.start()]
    return ""


def test_a_file_has_all_of_what_a_page_shows_a_part_of(world: World) -> None:
    """Alerts of budgets and accounts of the ledger; those are told in words, and nothing is called right that nobody has looked at."""
    budget, many = uuid7(), PAGE_ROWS + 1
    of = {"budget_id": budget, "account_id": ACCOUNT, "key_id": None}
    alerts = [sample(BudgetAlertRaised, **of, percent=percent) for percent in range(1, many + 1)]
    lots = [sample(CreditLotGranted, account_id=ACCOUNT, lot_id=uuid7(), source="paid") for _ in range(many)]
    world.process.ports.store.append(
        [
            *numbered(budget, 1, [sample(BudgetSet, **of)]),
            *(new for one in alerts for new in numbered(uuid7(), 1, [one])),
            *numbered(wallet_stream(ACCOUNT), 1, lots),
        ]
    )
    world.project()
    world.as_staff("auditor")
    assert "The newest ones; the file has all." in world.get("/console/budgets").text
    assert len(world.get("/console/budgets?table=budget-alerts&as=json").json()) == many
    assert len(world.get("/console/ledger?table=trial-balance&as=json").json()) == many + 1
    page = world.get("/console/ledger").text
    assert "Credit issued · Paid" in page
    assert f'Credit of a customer · <a href="/console/customers/{ACCOUNT}">Acme</a>' in page
    assert page.count("Not looked at lately") == 2
    assert "the books were not looked at lately" in world.get("/console").text
    PostgresBooksChecks(world.process.pool, clock=world.process.clock).check()
    assert "Not looked at lately" not in world.get("/console/ledger").text
