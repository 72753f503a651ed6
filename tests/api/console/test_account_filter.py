"""Filters by account take a name: of one that fits the list is shown, of several operators choose."""

from uuid import UUID

import pytest

from application.accounts import open_account
from application.ledger.wallet_reader import load_wallet
from domain.fact import SYSTEM
from domain.ids import uuid7
from tests.api.console.conftest import ACCOUNT, World
from tests.api.console.forms import do, sign_in

NORTH, NORTHERN, SOUTH = UUID(int=0xD1), UUID(int=0xD2), UUID(int=0xD3)


@pytest.fixture
def named(world: World) -> World:
    """Some accounts more, and an operator who looks."""
    for account_id, name in ((NORTH, "North"), (NORTHERN, "Northern Light"), (SOUTH, "South & North")):
        command = open_account.OpenAccount(name=name, account_id=account_id)
        open_account.handle(command, actor=SYSTEM, ports=world.process.ports)
    world.refresh()
    world.as_staff("auditor")
    return world


@pytest.mark.parametrize(
    ("typed", "account_id"),
    [("north", NORTH), (" Northern ", NORTHERN), ("south", SOUTH), ("light", NORTHERN)],
)
def test_a_name_that_fits_one_account_is_put_in_its_place(named: World, typed: str, account_id: UUID) -> None:
    """Exactly, by its beginning, or by what it holds; the other filters stay, also for files."""
    answer = named.get(f"/console/orders?status=open&account={typed}&as=csv")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/orders?status=open&as=csv&account={account_id}"


def test_of_several_the_operator_chooses(named: World) -> None:
    """As links to the list that was asked for."""
    page = named.get("/console/requests?account=nort&state=charged")
    assert page.status_code == 200
    for account_id in (NORTH, NORTHERN):
        assert f"/console/requests?state=charged&amp;account={account_id}" in page.text
    assert str(SOUTH) not in page.text, "its name does not begin so"


def test_a_name_of_nobody_is_not_everybody(named: World) -> None:
    """Nothing is listed that was not asked for; what was typed cannot be markup."""
    page = named.get("/console/documents?account=<b>nobody</b>")
    assert page.status_code == 200
    assert "No account is called so" in page.text
    assert "<b>nobody" not in page.text


def test_ids_still_do(named: World) -> None:
    """As they were taken before; one that nobody has stays as it was typed."""
    assert named.get(f"/console/orders?account={ACCOUNT}").status_code == 200
    assert f'value="{UUID(int=0xDD)}"' in named.get(f"/console/orders?account={UUID(int=0xDD)}").text


def test_the_field_shows_the_name_of_the_id_that_the_list_has(named: World) -> None:
    """And stays with that account when the form is sent again, though another one has its name."""
    page = named.get(f"/console/orders?account={NORTH}").text
    assert 'name="account" type="text" value="North"' in page
    assert f'name="account_shown" value="{NORTH}"' in page
    twin = open_account.OpenAccount(name="North", account_id=UUID(int=0xD4))
    open_account.handle(twin, actor=SYSTEM, ports=named.process.ports)
    named.refresh()
    again = named.get(f"/console/orders?status=open&account=North&account_shown={NORTH}")
    assert again.headers["location"] == f"/console/orders?status=open&account={NORTH}"
    other = named.get(f"/console/orders?account=South&account_shown={NORTH}")
    assert other.headers["location"] == f"/console/orders?account={SOUTH}", "somebody typed another name"


def test_names_are_not_for_guessing(world: World) -> None:
    """Who may not see the list learns nothing of what accounts are called."""
    world.as_member("owner")
    asked = world.get("/console/orders?account=Acme")
    assert asked.status_code in {303, 403, 404}
    assert "account=0" not in asked.headers.get("location", "")


def test_a_form_takes_the_whole_name_of_one_account(named: World) -> None:
    """As an id; what begins so, or is called so twice, is not guessed at, for money may move. Another operator sees no difference."""
    token = sign_in(named, "admin")
    wanted = {"direction": "credit", "amount": "1", "reason": "goodwill"}

    def adjust(account: str, **more: str) -> str:
        return do(named, "credit/adjust", token, account_id=account, _once=uuid7().hex, **wanted, **more)

    assert adjust(" north ") == ""
    wallet = load_wallet(named.process.store, NORTH).wallet
    assert sum(wallet.lots.values()) == 10**9
    assert "is the whole name of no account" in adjust("Northern")
    twin = open_account.OpenAccount(name="North", account_id=UUID(int=0xD4))
    open_account.handle(twin, actor=SYSTEM, ports=named.process.ports)
    named.refresh()
    assert "is the name of several accounts" in adjust("North")
    assert adjust("North", account_shown=str(NORTH)) == ""
    assert adjust(str(SOUTH)) == ""
    page = named.get(f"/console/adjustments?account={NORTH}").text
    assert page.count(f'<input type="hidden" name="account_shown" value="{NORTH}">') == 2, "form and filter"


def test_an_announcement_names_its_accounts(named: World) -> None:
    """By names or ids in one field; the list names them again."""
    token = sign_in(named, "admin")
    words = {"title.en": "Hello", "body.en": "You.", "severity": "info", "audience": "accounts"}
    send = f"north, {SOUTH} {NORTHERN},, {ACCOUNT}"
    assert do(named, "announcements/set", token, account_ids=send, **words) == ""
    (one,) = named.process.directory.announcements.by_id.values()
    assert set(one.account_ids) == {NORTH, SOUTH, NORTHERN, ACCOUNT}
    page = named.get("/console/announcements").text
    assert f'href="/console/customers/{NORTH}" title="{NORTH}">North</a>' in page
    assert "is the whole name of no account" in do(
        named, "announcements/set", token, account_ids="North, Nobody", **words
    )


def test_the_simulator_takes_a_name(named: World) -> None:
    """Of an account; of none it says so."""
    assert "Asked as South &amp; North." in named.get("/console/routing?model=x&who=south+%26+north").text
    assert "There is no account of this name" in named.get("/console/routing?model=x&who=nobody").text
