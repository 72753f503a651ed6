"""What pages show and what their forms do, with the real use cases behind them."""

import re
from uuid import UUID

import pytest

from api.console.languages import LANGUAGES, TAGS
from application.people.email import open_email
from tests.api.console.conftest import ACCOUNT, OTHER, World

STAFF = (
    "/console",
    "/console?span=quarter",
    "/console/requests",
    f"/console/requests?state=charged&model=x&account={OTHER}&day=2026-02-30&before=x",
    "/console/customers",
    "/console/customers?q=acme",
    f"/console/customers/{ACCOUNT}",
    "/console/keys",
    "/console/keys?q=%25%25",
    "/console/models",
    "/console/providers",
    "/console/ledger",
    "/console/audit",
    "/console/audit?kind=account&day=2026-11-29",
    "/console/operators",
    "/console/launch",
    "/console/invoices",
    "/console/invoices?edit=new&series=x&before=x",
    "/console/settings",
    f"/console/customers/{ACCOUNT}/statements",
    "/console/routing",
    "/console/routing?model=x&who=x&operation=x&prompt=x&order=a,b&alone=1&sort=cheapest",
    "/console/prices",
    "/console/announcements",
    "/console/announcements?edit=new",
    "/console/orders",
    f"/console/orders?needy=1&status=placed&provider=manual&reference=x&account={OTHER}&before=x",
    "/console/orders?account=acme",
    "/console/orders?account=nobody",
    "/console/offers?edit=new",
    "/console/webhooks",
    "/console/webhooks?state=parked",
    "/console/refunds",
    f"/console/refunds?all=1&account={OTHER}&before=x",
    "/console/refunds/debts",
    "/console/refunds/debts?after=x",
    "/console/mails",
    "/console/mails?state=parked",
    "/console/mails?before=x",
    "/console/documents",
    f"/console/documents?kind=invoice&account={OTHER}&order=x&number=x&before=x",
    "/console/documents/due",
    "/console/documents/due?after=x",
    "/console/receivables",
    "/console/receivables?overdue=1&after=x",
    "/console/receivables/limits",
    "/console/receivables/limits?after=x",
    "/console/refunds/requests",
    f"/console/refunds/requests?state=all&account={OTHER}&after=x",
    "/console/endpoints",
    f"/console/endpoints?failing=1&account={OTHER}&after=x",
    "/console/management-keys",
    f"/console/management-keys?account={OTHER}&after=x",
    "/console/codes",
    "/console/codes?before=x",
    "/console/charges",
    f"/console/charges?state=all&account={OTHER}&after=x",
    "/console/adjustments",
    f"/console/adjustments?state=waiting&account={OTHER}&ref=x",
    "/console/repricing",
    "/console/repricing?alias=x&from=2026-11-01&until=2026-11-02&new=1",
    "/console/budgets",
    "/console/earnings",
    "/console/earnings?by=day&span=day",
    "/console/money",
    "/console/money/month",
    "/console/money/month?month=x",
    "/me",
    "/me/second-factor",
)
APP = (
    "",
    "/requests",
    "/usage?by=key&span=day",
    "/keys",
    "/keys?q=x&state=revoked&after=x",
    "/management-keys",
    "/webhooks",
    "/documents?kind=invoice&before=x",
    "/recharge",
    "/usage?from=2026-11-01&until=2026-11-02&by=day",
    "/models",
    "/statements",
    "/statements?month=x",
    "/members",
    "/budgets",
    "/settings",
    "/notices",
    "/playground",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_in_the_language_of_its_reader(world: World, language: str) -> None:
    """With the tag by which browsers choose the shapes of its letters; nothing is left unfilled."""
    world.as_staff("admin")
    pages = [world.get(path, **{"accept-language": f"xx, {language}-XX;q=0.8"}) for path in STAFF]
    world.as_member("owner")
    pages += [world.get(f"/app/{ACCOUNT}{path}", **{"accept-language": language}) for path in APP]
    for page in pages:
        assert page.status_code == 200, page.url
        assert f'<html lang="{TAGS[language]}"' in page.text
        assert "%(" not in re.sub(r"<pre.*?</pre>", "", page.text, flags=re.DOTALL), page.url


def test_a_choice_of_language_stays(world: World) -> None:
    """Of the browser before signing in, of the person afterwards; one that we do not write is none."""
    world.client.cookies.clear()
    world.post("/preferences", language="ja", back="/sign-in")
    assert '<html lang="ja"' in world.client.get("/sign-in").text
    world.as_staff("admin")
    world.post(
        "/preferences", token=world.token("/me"), language="ko", theme="dark", zone="Asia/Tokyo", back="/me"
    )
    page = world.client.get("/me").text
    assert '<html lang="ko" data-theme="dark"' in page
    world.client.cookies.clear()
    world.as_staff("admin")
    assert '<html lang="ko" data-theme="dark"' in world.client.get("/me").text
    answer = world.post("/preferences", token=world.token("/me"), language="tlh", back="//evil.example")
    assert answer.headers["location"] == "/"
    assert '<html lang="en"' in world.client.get("/me").text


def test_from_a_new_account_to_a_revoked_key(world: World) -> None:
    """By forms alone: open, grant, issue, limit, revoke; what is shown once is in the answer and nowhere else."""
    world.as_staff("admin")
    token = world.token("/me")
    opened = world.post(
        "/console/do/accounts/open", token=token, name="Blue", then="/console/customers/{id}", _once="one"
    )
    account = opened.headers["location"].rpartition("/")[2]
    grant = {"account_id": account, "amount": "1,250.5", "reason": "paid", "source": "paid", "_once": "two"}
    for _ in range(2):
        assert world.post("/console/do/credit/grant", token=token, **grant).status_code == 303
    page = world.client.get(f"/console/customers/{account}").text
    assert "Blue" in page
    assert page.count("1,250.50") == 1, "sent twice, granted once"
    issued = world.post(
        "/console/do/keys/issue",
        token=token,
        account_id=account,
        name="CI",
        rpm="60",
        models="a, b",
        _once="three",
    )
    (secret,) = re.findall(r"tk_live_[0-9A-Za-z]{49}", issued.text)
    world.project()
    page = world.client.get(f"/console/customers/{account}").text
    assert secret not in page
    assert "60 requests/min · 2 models" in page
    (key,) = [one for one in world.process.directory.keys.values() if str(one.account_id) == account]
    assert key.limits.models == ("a", "b")
    world.post("/console/do/keys/revoke", token=token, key_id=str(key.key_id), reason="leaked")
    assert world.process.directory.keys[key.key_id].revoked


def test_a_refusal_says_why_and_changes_nothing(world: World) -> None:
    """On the page that the form was on, in the reader's words, with the stable code's meaning."""
    world.as_staff("admin")
    token = world.token("/me")
    back = f"/console/customers/{ACCOUNT}"
    answer = world.post(
        "/console/do/credit/grant",
        token=token,
        account_id=str(ACCOUNT),
        amount="a lot",
        reason="x",
        back=back,
    )
    assert answer.status_code == 422
    assert "Something in this form cannot be read." in answer.text
    assert "Amount: cannot be read" in answer.text
    assert "Something in this form" not in world.client.get(back).text, "said once"
    live = world.client.post(
        "/console/do/operators/disable",
        data={"_csrf": token, "operator_id": str(world.staff["admin"]), "reason": "x"},
        headers={"hx-request": "true"},
    )
    assert live.status_code == 422
    assert "There is always a superadmin" in live.text


def test_members_make_keys_of_their_own_account_only(world: World) -> None:
    """Whatever the form says of the account; a key of somebody else is as if it were not there."""
    world.as_staff("admin")
    token = world.token("/me")
    world.post("/console/do/keys/issue", token=token, account_id=str(OTHER), name="theirs")
    (theirs,) = [one for one in world.process.directory.keys.values() if one.account_id == OTHER]
    world.as_member("developer")
    token = world.token("/me")
    base = f"/app/{ACCOUNT}/do/keys"
    made = world.post(
        f"{base}/issue",
        token=token,
        name="ours",
        account_id=str(OTHER),
        key_id=str(UUID(int=77)),
        denied_providers="x",
    )
    assert "tk_live_" in made.text
    (ours,) = [one for one in world.process.directory.keys.values() if one.account_id == ACCOUNT]
    assert ours.key_id != UUID(int=77)
    assert ours.limits.denied_providers == ("x",)  # what narrows a key is its owners' to choose
    for verb in ("limit", "rotate", "revoke"):
        fields = {"key_id": str(theirs.key_id), "reason": "mine", "rpm": "1"}
        assert world.post(f"{base}/{verb}", token=token, **fields).status_code == 404
    kept = world.process.directory.keys[theirs.key_id]
    assert (kept.revoked, kept.limits.rpm, kept.secrets) == (False, None, theirs.secrets)
    assert world.get(f"/app/{OTHER}/keys").status_code == 404


def test_an_admin_of_an_account_cannot_raise_themselves(world: World) -> None:
    """Neither by changing their role nor by an invitation; and the last owner stays."""
    world.as_member("admin")
    token = world.token("/me")
    base = f"/app/{ACCOUNT}/do/members"
    me, owner = str(world.members["admin"]), str(world.members["owner"])
    world.post(f"{base}/change", token=token, person_id=me, role="owner")
    world.post(f"{base}/remove", token=token, person_id=owner)
    assert "/join/" not in world.post(f"{base}/invite", token=token, role="owner").text
    members = world.process.directory.members[ACCOUNT].members
    assert members[world.members["admin"]].role == "admin"
    assert members[world.members["owner"]].role == "owner"


def test_who_is_removed_is_out_at_once(world: World) -> None:
    """Also where they are signed in."""
    world.as_member("viewer")
    viewer = world.client.cookies.get("tokenok_session") or ""
    assert world.get(f"/app/{ACCOUNT}").status_code == 200
    world.as_member("owner")
    token = world.token("/me")
    world.post(f"/app/{ACCOUNT}/do/members/remove", token=token, person_id=str(world.members["viewer"]))
    world.client.cookies.clear()
    world.client.cookies.set("tokenok_session", viewer)
    assert world.get(f"/app/{ACCOUNT}").status_code == 404


def test_addresses_are_read_from_their_envelopes(world: World) -> None:
    """Operators and members see whom they work with; the log and the tables have no address in the clear."""
    world.as_member("owner")
    assert "billing@customer.example" in world.client.get(f"/app/{ACCOUNT}/members").text
    members = world.process.directory.members[ACCOUNT].members
    billing = members[world.members["billing"]]
    opened = open_email(world.process.ports.personal, billing.person_id, billing.pii)
    assert opened == "billing@customer.example"
    with world.process.pool.connection() as connection:
        for statement in (
            "SELECT 1 FROM stored_events WHERE position('customer.example'::bytea IN state) > 0",
            "SELECT 1 FROM people WHERE people::text LIKE '%%customer.example%%'",
            "SELECT 1 FROM people_sessions WHERE people_sessions::text LIKE '%%customer.example%%'",
        ):
            assert connection.execute(statement).fetchone() is None


def test_ones_accounts_are_found_by_their_names(world: World) -> None:
    """On the pages that are of no account too; a name is nobody's format, and in no language of ours."""
    name = "100% Requests <b>\u05e9"
    world.as_member("owner")
    world.post(f"/app/{ACCOUNT}/settings/rename", token=world.token("/me"), name=name)
    page = world.client.get("/me", headers={"accept-language": "zh"}).text
    assert f'href="/app/{ACCOUNT}"' in page
    assert "<bdi" in page
    assert "100% Requests &lt;b&gt;\u05e9" in page
    assert str(OTHER) not in page


def test_the_first_page_tells_of_today_and_of_each_key(world: World) -> None:
    """What was spent today and this month, by model and by key."""
    world.as_member("owner")
    overview = world.client.get(f"/app/{ACCOUNT}").text
    for text in ("Spent today", "this month", "By model", "By key"):
        assert text in overview, text
