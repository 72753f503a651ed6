"""What members do with their account: keys, budgets, whom invoices are for, their data and the account's end."""

import json
import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import unescape
from uuid import UUID

import msgspec
import psycopg
import pytest

from api.console.looking import PAGE_ROWS
from api.console.pages import Pages
from api.console.workspace.settings import billing_of, country_names
from application.announcements import set_announcement
from application.keys import issue_key
from application.members import remove_member
from application.people.email import open_email
from application.queries import PAGE_ROWS_MAX
from application.reports.period import SLOT_US
from domain.announcements import Words
from domain.budgets.budget import Budget
from domain.budgets.events import BudgetAlertRaised, BudgetSet
from domain.fact import SYSTEM, Actor
from domain.ids import uuid7
from domain.keys.key import ApiKey
from domain.ledger.events import RequestAdmitted
from domain.members import LastOwner
from domain.support import SupportAccessBegun, support_stream
from projections.usage import ALL_USES
from tests.api.console.conftest import ACCOUNT, OTHER, PASSWORD, World
from tests.api.console.forms import do, sign_in
from tests.histories import numbered, sample

BASE = f"/app/{ACCOUNT}"
BUYER = {
    "buyer_name": "Blue GmbH",
    "address": "Street 1\r\n\r\n10115 Berlin",
    "country": "DE",
    "is_business": "true",
    "tax_id.kind": "vat",
    "tax_id.value": "DE123456789",
    "email": "invoices@blue.example",
}


def own_key(world: World, account: UUID = ACCOUNT) -> ApiKey:
    (key,) = [one for one in world.process.directory.keys.values() if one.account_id == account]
    return key


def with_key(world: World, **fields: str) -> tuple[ApiKey, str]:
    """As the owner; the key, and a token for more forms."""
    world.as_member("owner")
    token = world.token("/me")
    world.post(f"{BASE}/do/keys/issue", token=token, name="CI", **fields)
    return own_key(world), token


def budget_of(world: World) -> Budget:
    (budget,) = world.process.directory.budgets.values()
    return budget


def test_a_key_has_a_page_with_everything_that_can_be_done_to_it(world: World) -> None:
    """Its end can be set and lifted, its limits too; a leaked secret is replaced without any overlap."""
    key, token = with_key(world)
    page = f"{BASE}/keys/{key.key_id}"
    assert "CI" in world.client.get(page).text
    form = {"token": token, "key_id": str(key.key_id), "back": page}
    world.post(f"{BASE}/do/keys/expire", **form, expires="2030-01-01T00:00")
    assert own_key(world).expires_us == 1_893_456_000_000_000
    world.post(f"{BASE}/do/keys/expire", **form, expires="")
    assert own_key(world).expires_us is None
    world.post(f"{BASE}/do/keys/limit", **form, rpm="60")
    assert own_key(world).limits.rpm == 60
    shown = world.post(f"{BASE}/do/keys/rotate", **form, overlap_s="0")
    assert len(re.findall(r"tk_live_[0-9A-Za-z]{49}", shown.text)) == 1
    now_us = world.process.clock.now_us()
    alive = [
        one for one in own_key(world).secrets if one.valid_until_us is None or one.valid_until_us > now_us
    ]
    assert len(alive) == 1
    assert alive[0].secret_hash != key.secrets[0].secret_hash


def test_a_key_of_another_account_has_no_page(world: World) -> None:
    """As if it were not there."""
    world.as_staff("admin")
    world.post("/console/do/keys/issue", token=world.token("/me"), account_id=str(OTHER), name="theirs")
    theirs = own_key(world, OTHER)
    world.as_member("owner")
    assert world.get(f"{BASE}/keys/{theirs.key_id}").status_code == 404


def test_keys_are_listed_in_pages_and_found(world: World) -> None:
    """Newest first; by name, by how the secret begins, by id and by state. What a form has just changed shows at once."""
    names = ["first", *(str(number) for number in range(PAGE_ROWS))]
    for name in names:
        issue_key.handle(
            issue_key.IssueKey(account_id=ACCOUNT, name=name), actor=SYSTEM, ports=world.process.ports
        )
    world.project()
    world.as_member("owner")
    world.refresh()
    token, keys = world.token("/me"), f"{BASE}/keys"
    ids = _listed(world, keys)
    assert [_name(world, one) for one in ids] == names[:0:-1]
    (older,) = _listed(world, f"{keys}?after={ids[-1]}")
    assert _name(world, older) == "first"
    beginning = world.process.directory.keys[older].secrets[0].prefix
    for q in ("FIRST", beginning, str(older)):
        assert _listed(world, f"{keys}?q={q}") == [older]
    assert _listed(world, f"{keys}?q=nothing") == []
    world.post(f"{BASE}/do/keys/revoke", token=token, key_id=str(older), reason="left")
    assert ">Revoked<" in world.client.get(f"{keys}?q=first").text
    world.project()
    assert _listed(world, f"{keys}?state=revoked") == [older]


def test_the_request_log_is_filtered_by_a_key_as_people_call_it(world: World) -> None:
    """By its name; where several keys match, one of them has to be chosen; a key of others is none."""
    world.as_staff("admin")
    world.post("/console/do/keys/issue", token=world.token("/me"), account_id=str(OTHER), name="theirs")
    world.as_member("owner")
    token = world.token("/me")
    for name in ("CI one", "CI two"):
        world.post(f"{BASE}/do/keys/issue", token=token, name=name)
    world.project()
    page = world.client.get(f"{BASE}/requests?key=ci&state=charged").text
    assert "Several keys match" in page
    chosen = re.findall(r"key=([0-9a-f-]{36})", page)
    assert sorted(_name(world, UUID(one)) for one in chosen) == ["CI one", "CI two"]
    assert ">CI one<" in world.client.get(f"{BASE}/requests?key={_named(world, 'CI one')}").text
    assert "Several keys match" not in world.client.get(f"{BASE}/requests?key=CI+one").text
    for key in ("theirs", str(own_key(world, OTHER).key_id)):
        page = world.client.get(f"{BASE}/requests?key={key}").text
        assert "Nothing matches" in page
        assert ">theirs<" not in page
    operators_find_keys_of_everybody(world)


def operators_find_keys_of_everybody(world: World) -> None:
    """By the same words; what fits no key shows nothing, and not everything."""
    theirs = own_key(world, OTHER)
    admitted = sample(RequestAdmitted, account_id=OTHER, key_id=theirs.key_id, alias="their-model")
    world.process.ports.store.append(numbered(uuid7(), 1, [admitted]))
    world.project()
    world.as_staff("auditor")
    for key in ("theirs", theirs.secrets[0].prefix, str(theirs.key_id)):
        assert "their-model" in world.get(f"/console/requests?key={key}").text
    for key in ("nobody", "ci"):
        assert world.get(f"/console/requests?key={key}&as=json").json() == []
    page = world.get("/console/requests?key=ci").text
    assert "Several keys match" in page
    assert "their-model" not in page
    assert page.count('<span class="muted">Acme</span>') == 2


def _listed(world: World, path: str) -> list[UUID]:
    rows = re.findall(rf'href="{BASE}/keys/([0-9a-f-]{{36}})"', world.client.get(path).text)
    return [UUID(one) for one in rows]


def _name(world: World, key_id: UUID) -> str:
    return world.process.ports.names.get([key_id])[key_id]


def _named(world: World, name: str) -> UUID:
    return next(one for one in world.process.directory.keys if _name(world, one) == name)


def test_a_budget_is_set_changed_and_removed(world: World) -> None:
    """Of all keys together; the amount in credits, the alerts in percent."""
    world.as_member("developer")
    token, do = world.token("/me"), f"{BASE}/do/budgets"
    terms = {"amount": "50", "window": "month", "zone": "Asia/Tokyo", "enforcement": "hard"}
    world.post(f"{do}/set", token=token, **terms, alert_percents="50, 100", key_id="", hours="")
    budget = budget_of(world)
    assert (budget.account_id, budget.key_id, budget.amount_nano) == (ACCOUNT, None, 50 * 10**9)
    assert (budget.window.zone, budget.alert_percents) == ("Asia/Tokyo", (50, 100))
    again = terms | {"amount": "1,000.5", "budget_id": str(budget.budget_id)}
    world.post(f"{do}/set", token=token, **again, alert_percents="80")
    assert budget_of(world).amount_nano == 1_000_500_000_000
    world.post(f"{do}/remove", token=token, budget_id=str(budget.budget_id), reason="over")
    assert budget_of(world).removed


def test_nobody_touches_budgets_and_keys_of_others(world: World) -> None:
    """Neither by their ids, nor with an account's id in the form."""
    world.as_staff("admin")
    token = world.token("/me")
    terms = {"amount_nano": "1000", "window": "day", "enforcement": "hard"}
    world.post("/console/do/budgets/set", token=token, account_id=str(OTHER), **terms)
    world.post("/console/do/keys/issue", token=token, account_id=str(OTHER), name="theirs")
    theirs, key = budget_of(world), own_key(world, OTHER)
    world.as_member("owner")
    token, do = world.token("/me"), f"{BASE}/do/budgets"
    form = {"token": token, "amount": "5", "window": "day", "enforcement": "soft"}
    assert world.post(f"{do}/set", **form, key_id=str(key.key_id)).status_code == 404
    assert world.post(f"{do}/set", **form, budget_id=str(theirs.budget_id)).status_code == 404
    refused = world.post(f"{do}/remove", token=token, budget_id=str(theirs.budget_id), reason="x")
    assert refused.status_code == 404
    assert budget_of(world) == theirs
    world.post(f"{do}/set", **form, account_id=str(OTHER))
    mine = [one for one in world.process.directory.budgets.values() if one.account_id == ACCOUNT]
    assert len(mine) == 1


def test_an_account_is_named_anew(world: World) -> None:
    """By who looks after members; a name that cannot be shown is refused, and nothing else can be named by it."""
    world.as_member("admin")
    token, path = world.token("/me"), f"{BASE}/settings/rename"
    world.post(path, token=token, name="Bluer", subject_id=str(OTHER))
    assert "Bluer" in world.client.get(BASE).text
    assert world.process.ports.names.get([OTHER])[OTHER] == "Acme"
    world.post(path, token=token, name="a\u202eb")
    assert "Bluer" in world.client.get(f"{BASE}/settings").text


def test_whom_invoices_are_for(world: World) -> None:
    """Lines of the address and the tax number as they are; what a register said is not for the customer to say."""
    world.as_member("billing")
    vat = {"vat": '{"valid": true, "checked_us": 1, "reference": "x"}', "vat.valid": "true"}
    world.post(f"{BASE}/do/billing/set", token=world.token("/me"), **BUYER, **vat)
    profile, buyer = billing_of(Pages(world.process.tools), ACCOUNT)
    assert profile is not None
    assert buyer is not None
    assert (profile.vat, profile.is_business) == (None, True)
    assert buyer.address == ("Street 1", "10115 Berlin")
    assert buyer.tax_id is not None
    assert buyer.tax_id.value == "DE123456789"
    assert "Blue GmbH" in world.client.get(f"{BASE}/settings").text


def test_a_wrong_tax_number_is_refused(world: World) -> None:
    """On the page that the form was on, and nothing is kept."""
    world.as_member("billing")
    wrong = BUYER | {"tax_id.value": "123", "back": f"{BASE}/settings"}
    answer = world.post(f"{BASE}/do/billing/set", token=world.token("/me"), **wrong)
    assert "Tax number: is no number of this kind" in answer.text
    assert billing_of(Pages(world.process.tools), ACCOUNT) == (None, None)


def test_what_is_still_to_be_done_is_told_by_facts(world: World) -> None:
    """Each step is done when the log says so, and not before."""
    world.as_member("owner")

    def done() -> int:
        found = re.search(r'class="small num">(\d+) / 8<', world.client.get(BASE).text)
        assert found is not None
        return int(found[1])

    assert done() == 0
    key, token = with_key(world)
    world.project()
    assert done() == 1
    terms = {"amount": "5", "window": "day", "enforcement": "hard", "alert_percents": "80"}
    world.post(f"{BASE}/do/budgets/set", token=token, **terms)
    assert done() == 3, "limits, and alerts"
    world.post(f"{BASE}/do/billing/set", token=token, **BUYER)
    assert done() == 4
    world.post(f"{BASE}/do/keys/revoke", token=token, key_id=str(key.key_id), reason="x")
    assert done() == 3


def test_an_account_takes_its_data_along(world: World) -> None:
    """People, keys, budgets and buyer; no secret, no hash, and only for those who look after members."""
    _, token = with_key(world)
    world.post(f"{BASE}/do/billing/set", token=token, **BUYER)
    world.project()
    answer = world.client.get(f"{BASE}/settings/export")
    found = msgspec.json.decode(answer.content)
    assert {one["email"] for one in found["members"]} >= {"owner@customer.example"}
    assert found["billing"]["buyer"]["name"] == "Blue GmbH"
    assert found["keys"][0]["name"] == "CI"
    assert "secret_hash" not in answer.text
    assert own_key(world).secrets[0].secret_hash not in answer.text
    assert str(OTHER) not in answer.text
    world.as_member("developer")
    assert world.get(f"{BASE}/settings/export").status_code == 403


def test_an_account_takes_along_all_alerts_and_looks(world: World) -> None:
    """However many: what is read page by page does not end with the first page."""
    budget, many = uuid7(), PAGE_ROWS_MAX + 1
    of = {"budget_id": budget, "account_id": ACCOUNT, "key_id": None}
    alerts = [sample(BudgetAlertRaised, **of, percent=percent) for percent in range(1, many + 1)]
    looks = [sample(SupportAccessBegun, account_id=ACCOUNT, access_id=uuid7()) for _ in range(many)]
    world.process.ports.store.append(
        [
            *numbered(budget, 1, [sample(BudgetSet, **of)]),
            *(new for one in alerts for new in numbered(uuid7(), 1, [one])),
            *numbered(support_stream(ACCOUNT), 1, looks),
        ]
    )
    world.project()
    world.as_member("owner")
    found = msgspec.json.decode(world.client.get(f"{BASE}/settings/export").content)
    assert {one["percent"] for one in found["alerts"]} == set(range(1, many + 1))
    assert len(found["looks_of_support"]) == many


def test_an_owner_ends_the_account_for_good(world: World) -> None:
    """With its name and the own password, and not before; afterwards it is closed and nobody can read who it was."""
    with_key(world)
    path = f"{BASE}/settings/erase"
    token = world.token("/me")
    for name, password, status in (("Other", PASSWORD, 422), ("Acme", "wrong", 403)):
        assert world.post(path, token=token, name=name, password=password).status_code == status
    assert world.process.directory.accounts[ACCOUNT].status == "open"
    world.as_member("admin")
    refused = world.post(path, token=world.token("/me"), name="Acme", password=PASSWORD)
    assert refused.status_code == 403
    world.as_member("owner")
    erased = world.post(path, token=world.token("/me"), name="Acme", password=PASSWORD)
    assert erased.headers["location"] == "/me"
    account = world.process.directory.accounts[ACCOUNT]
    assert (account.status, account.erased) == ("closed", True)
    owner = world.process.directory.members[ACCOUNT].members[world.members["owner"]]
    assert open_email(world.process.ports.personal, owner.person_id, owner.pii), "people are apart"


@pytest.mark.parametrize("tag", ["en", "zh-Hans", "ja", "ko"])
def test_countries_have_names_in_every_language(tag: str) -> None:
    """Each once, by its two letters."""
    names = dict(country_names(tag))
    assert len(names) > 200
    assert {"DE", "CN", "JP", "KR", "US"} <= set(names)
    assert "EU" not in names


def test_what_is_told_is_new_until_it_was_seen(world: World) -> None:
    """Counted in the menu, urgent ones on every page; of another account nothing is told."""
    for title, accounts in (("Maintenance tonight", (ACCOUNT,)), ("For the others", (OTHER,))):
        command = set_announcement.SetAnnouncement(
            texts={"en": Words(title=title, body="<b>At ten</b>\nfor an hour")},
            severity="critical",
            audience="accounts",
            account_ids=accounts,
        )
        set_announcement.handle(command, actor=SYSTEM, ports=world.process.ports)
    world.as_member("viewer")
    world.refresh()
    page = world.client.get(f"{BASE}/models").text
    assert '<span class="count num">1</span>' in page
    assert "Maintenance tonight" in page
    notices = world.client.get(f"{BASE}/notices").text
    assert "&lt;b&gt;At ten&lt;/b&gt;" in notices
    assert "For the others" not in notices
    answer = world.post("/me/notices-seen", token=world.token("/me"), back=f"{BASE}/models")
    assert answer.headers["location"] == f"{BASE}/models"
    page = world.client.get(f"{BASE}/models").text
    assert 'class="count' not in page
    assert "Maintenance tonight" not in page
    assert "Maintenance tonight" in world.client.get(f"{BASE}/notices").text


def test_keys_that_end_soon_are_told(world: World) -> None:
    """Within two weeks, and not those that were never meant to last a day."""
    now_us = world.process.clock.now_us()
    for days, told in ((0.5, False), (3, True)):
        soon = datetime.fromtimestamp(now_us / 1e6 + days * 86_400, tz=UTC).strftime("%Y-%m-%dT%H:%M")
        world.as_member("owner")
        world.post(f"{BASE}/do/keys/issue", token=world.token("/me"), name=f"CI {days}", expires=soon)
        world.project()
        assert (f"The key CI {days} ends soon" in world.client.get(f"{BASE}/notices").text) is told


def test_a_person_erases_themselves(world: World) -> None:
    """With the password: a member of nothing, nobody who can sign in, and an address that nobody can read."""
    world.as_member("developer")
    me = world.members["developer"]
    member = world.process.directory.members[ACCOUNT].members[me]
    wrong = world.post("/me/erase", token=world.token("/me"), password="wrong")
    assert wrong.status_code == 403
    assert me in world.process.directory.members[ACCOUNT].members
    gone = world.post("/me/erase", token=world.token("/me"), password=PASSWORD)
    assert gone.headers["location"] == "/sign-in"
    assert me not in world.process.directory.members[ACCOUNT].members
    assert open_email(world.process.ports.personal, me, member.pii) is None
    assert world.sign_in("developer@customer.example").status_code == 403
    assert world.get("/me").status_code == 303


def test_the_last_owner_and_operators_are_not_erased(world: World) -> None:
    """An owner hands over or closes first; an operator is disabled by another. Nothing changes."""
    world.as_member("owner")
    token = world.token("/me")
    refused = world.post("/me/erase", token=token, password=PASSWORD)
    assert "An account keeps at least one owner." in refused.text
    assert world.members["owner"] in world.process.directory.members[ACCOUNT].members
    owner = {"person_id": str(world.members["viewer"]), "role": "owner"}
    world.post(f"{BASE}/do/members/change", token=token, **owner)
    assert world.post("/me/erase", token=token, password=PASSWORD).status_code == 303
    world.as_staff("support")
    assert world.post("/me/erase", token=world.token("/me"), password=PASSWORD).status_code == 403
    assert world.sign_in("support@staff.example").status_code == 303


def test_of_two_owners_who_leave_at_once_one_stays(world: World) -> None:
    """Each removes the other at the same moment: the account is not left without one."""
    world.as_member("owner")
    token = world.token("/me")
    second = {"person_id": str(world.members["admin"]), "role": "owner"}
    world.post(f"{BASE}/do/members/change", token=token, **second)
    actors = [Actor("member", world.members[one]) for one in ("owner", "admin")]

    def leave(actor: Actor) -> str:
        assert actor.person_id is not None
        command = remove_member.RemoveMember(account_id=ACCOUNT, person_id=actor.person_id)
        try:
            remove_member.handle(command, actor=actor, ports=world.process.ports)
        except LastOwner:
            return "stays"
        return "leaves"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(leave, actors)) == ["leaves", "stays"]


def make_models(world: World) -> None:
    """One that takes chats, and before it by name one that does not."""
    token = sign_in(world, "admin")
    do(world, "providers/register", token, name="acme", base_url="https://api.example.com/v1")
    (provider_id,) = world.process.directory.providers
    for name, serves in (("an-embedder", "embeddings"), ("chatty", "chat")):
        settings = {
            "upstream_model": name,
            "context_tokens": "1000",
            "output_tokens_max": "100",
            "serves": serves,
        }
        assert do(world, "deployments/add", token, provider_id=str(provider_id), **settings) == ""
        made = [
            one for one in world.process.directory.deployments.values() if one.spec.upstream_model == name
        ]
        assert do(world, "routes/set", token, alias=name, **{"target.0": str(made[0].deployment_id)}) == ""
        price = {"alias": name, "price.input": "1", "price.output": "2", "note": "first"}
        assert do(world, "prices/publish", token, **price) == ""
    world.as_member("owner")


def test_usage_shows_the_dearest_and_its_file_all(world: World) -> None:
    """Of 150 models those that cost most, though their names come last; what the page leaves out it says."""
    world.project()
    table = ALL_USES[1]
    slot_us = world.process.ports.clock.now_us() // SLOT_US * SLOT_US
    sums = ["n * 1000000" if name == "charge_nano" else "1" for name in table.sums]
    with psycopg.connect(world.process.settings.database_url) as connection:
        connection.execute(
            f"INSERT INTO {table.name} (account_id, slot_us, alias, {', '.join(table.sums)}) "
            f"SELECT %s, %s, 'm' || lpad(n::text, 3, '0'), {', '.join(sums)} FROM generate_series(1, 150) n",
            (ACCOUNT, slot_us),
        )
    world.as_member("viewer")
    page = world.get(f"{BASE}/usage").text
    assert "The 100 dearest; the file has all" in page
    assert re.findall(r'<span class="mono">(m\d+)', page) == [f"m{n:03}" for n in range(150, 50, -1)]
    lines = world.get(f"{BASE}/usage?by=alias&as=csv").text.splitlines()
    assert len(lines) == 151
    overview = world.get(BASE).text
    assert "m150" in overview
    assert "m001" not in overview


def test_what_is_copied_can_be_read_by_what_it_is_for(world: World) -> None:
    """Settings of tools and programs are whole: JSON, TOML and Python as they stand there; the model is one that takes chats."""
    make_models(world)
    page = world.get(BASE).text
    pieces = dict(
        re.findall(
            r"<summary>([\w ]+)</summary><div class=\"copy\"><pre[^>]*><code>(.*?)</code>", page, re.DOTALL
        )
    )
    settings = json.loads(unescape(pieces["opencode"]))
    assert settings["model"] == "tokenok/chatty"
    assert settings["provider"]["tokenok"]["models"] == {"chatty": {"name": "chatty"}}
    assert tomllib.loads(unescape(pieces["Codex"]))["model"] == "chatty"
    compile(unescape(pieces["Python"]), "snippet", "exec")
    named = re.findall(r'export ANTHROPIC_\w*MODEL="(.*)"', unescape(pieces["Claude Code"]))
    assert named == ["chatty", "chatty"], "what it does in the background asks for a model of its own"


def test_everybody_may_leave_and_the_last_owner_stays(world: World) -> None:
    """Whatever their role allows, and out at once; of another account there is nothing to leave."""
    for role in ("viewer", "developer", "admin"):
        world.sign_in(f"{role}@customer.example")
        assert "Leave the account" in world.get(f"/app/{ACCOUNT}/members").text
        answer = world.post(f"/app/{ACCOUNT}/leave", token=world.token("/me"))
        assert answer.headers["location"] == "/"
        assert world.get(f"/app/{ACCOUNT}").status_code == 404
    world.as_member("owner")
    answer = world.post(f"/app/{ACCOUNT}/leave", token=world.token("/me"))
    assert answer.headers["location"] == f"/app/{ACCOUNT}/members"
    assert "An account keeps at least one owner." in world.get(f"/app/{ACCOUNT}/members").text
    assert world.get(f"/app/{OTHER}/members").status_code == 404
    assert world.post(f"/app/{OTHER}/leave", token=world.token("/me")).status_code == 404
    roles = {one.role for one in world.process.directory.members[ACCOUNT].members.values()}
    assert roles == {"owner", "billing"}
