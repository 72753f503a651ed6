"""Without a script a form that was refused comes back on its page, with what was written in it and with what was wrong."""

import re
from html import unescape

import httpx
import pytest

from api.console.refilling import refilled
from tests.api.console.conftest import ACCOUNT, CONSOLE_URL, World

LONG = 'an <b>hour\'s</b> "work"\r\nand more & more'


def send(world: World, path: str, page: str, **fields: str) -> httpx.Response:
    """As a browser without a script sends it from this page."""
    return world.client.post(
        path,
        data={"_csrf": world.token("/me"), "_once": "1", "back": page.partition("?")[0], **fields},
        headers={"referer": f"{CONSOLE_URL}{page}"},
        follow_redirects=False,
    )


def test_what_was_written_is_still_there(world: World) -> None:
    """In fields, texts and choices; the form is in sight, says what was wrong, and is taken once that is mended."""
    world.as_staff("operator")
    written = {
        "severity": "warning",
        "audience": "accounts",
        "title.en": "x",
        "body.en": LONG,
        "title.zh": "标题",
    }
    page = "/console/announcements?edit=new"
    answer = send(world, "/console/do/announcements/set", page, **written, account_ids="nobody")
    assert answer.status_code == 422
    assert "Account: is the whole name of no account" in answer.text
    body = re.search(r'name="body.en"[^>]*>\n?(.*?)</textarea>', answer.text, re.DOTALL)
    assert body is not None
    assert unescape(body[1]) == LONG
    assert "<b>hour" not in answer.text
    assert 'value="标题"' in answer.text
    assert re.search(r'<option value="warning" selected>', answer.text)
    once = re.findall(r'name="_once" value="([0-9a-f]+)"', answer.text)
    assert "1" not in once, "sent again it is another form"
    mended = send(world, "/console/do/announcements/set", page, **(written | {"account_ids": str(ACCOUNT)}))
    assert mended.status_code == 303


def test_a_panel_that_was_closed_is_open_then(world: World) -> None:
    """Of many panels the one whose form it was."""
    world.as_staff("admin")
    page = f"/console/customers/{ACCOUNT}"
    fields = {"account_id": str(ACCOUNT), "amount": "ten", "source": "goodwill", "reason": "late"}
    answer = send(world, "/console/do/credit/grant", page, **fields)
    assert answer.status_code == 422
    (panel,) = re.findall(r'<details class="act" open>.*?</details>', answer.text, re.DOTALL)
    assert "Grant credit" in panel
    assert 'value="ten"' in panel
    assert '<option value="goodwill" selected>' in panel
    assert '<option value="paid" selected>' not in panel
    assert "Amount: cannot be read" in panel


def test_a_form_that_is_nowhere_leaves_its_words(world: World) -> None:
    """On the page that it leads back to, as before; and no page of others is asked for it."""
    world.as_staff("admin")
    for page in ("/me", "/console/nothing", "//evil.example/x"):
        answer = send(world, "/console/do/accounts/open", page, name="")
        assert answer.status_code == 303, page
        assert answer.headers["location"].startswith("/"), page
        assert not answer.headers["location"].startswith("//"), page


def test_customers_forms_come_back_too(world: World) -> None:
    """A form of the account's own, with the way to pay that was chosen."""
    world.as_member("owner")
    page = f"/app/{ACCOUNT}/keys"
    answer = send(world, f"/app/{ACCOUNT}/do/keys/issue", page, name="ci", rpm="many", models="a, b")
    assert answer.status_code == 422
    assert 'value="ci"' in answer.text
    assert 'value="a, b"' in answer.text
    assert "Requests a minute: cannot be read" in answer.text


def test_an_empty_form_says_which_field_it_is(world: World) -> None:
    """By what stands above the field."""
    world.as_member("owner")
    app = f"/app/{ACCOUNT}"
    billing = {"address": "x", "country": "DE"}
    assert (
        "Company or person: must not be empty"
        in send(world, f"{app}/do/billing/set", f"{app}/settings", **billing).text
    )
    assert "Code: must not be empty" in send(world, f"{app}/do/codes/redeem", f"{app}/recharge", code="").text
    world.as_staff("admin")
    page = f"/console/customers/{ACCOUNT}"
    fields = {"account_id": str(ACCOUNT), "currency": "EUR", "money": "much"}
    answer = send(world, "/console/do/postpaid/propose", page, **fields)
    assert "So much may be unpaid, with tax: cannot be read" in answer.text


FORM = '<details><form method="post" action="/do"><input type="hidden" name="id" value="{id}">{more}</form></details>'


@pytest.mark.parametrize(
    ("more", "sent", "seen"),
    [
        ('<input type="password" name="p">', {"p": "secret"}, '<input type="password" name="p">'),
        (
            '<input type="checkbox" name="c" value="1" checked>',
            {},
            '<input type="checkbox" name="c" value="1">',
        ),
        (
            '<input type="radio" name="r" value="a" checked><input type="radio" name="r" value="b">',
            {"r": "b"},
            '<input type="radio" name="r" value="a"><input type="radio" name="r" value="b" checked>',
        ),
        (
            '<textarea name="t">old &amp; gray</textarea>',
            {"t": "<new>"},
            '<textarea name="t">\n&lt;new&gt;</textarea>',
        ),
        (
            "<input name=n value='1'> &nbsp;&#8209; <!-- kept -->",
            {"n": "2"},
            '<input name="n" value="2"> &nbsp;&#8209; <!-- kept -->',
        ),
    ],
)
def test_every_kind_of_field_is_filled_as_it_was_sent(more: str, sent: dict[str, str], seen: str) -> None:
    """And nothing secret is; the rest of the page stays as it is."""
    page = "<!doctype html>" + FORM.format(id=1, more=more) + FORM.format(id=2, more=more)
    found = refilled(page, action="/do", fields=[("id", "2"), *sent.items()], problem="<p>no</p>")
    filled = (
        FORM.format(id=2, more=seen)
        .replace("<details>", "<details open>")
        .replace("</form>", "<p>no</p></form>")
    )
    assert found == "<!doctype html>" + FORM.format(id=1, more=more) + filled


def test_a_page_without_the_form_is_left_alone() -> None:
    """Of another target, of another thing, or with nothing to write in."""
    for page in (FORM.format(id=3, more='<input name="n">'), FORM.format(id=2, more=""), "<p>nothing</p>"):
        assert refilled(page, action="/do", fields=[("id", "2")], problem="") is None
