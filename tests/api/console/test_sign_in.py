"""The way in, and what those try who should not get in."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pyotp
import pytest

from application.mail.letters import SecondFactorChanged
from application.people.sign_in import ACCOUNT_FAILURES_MAX
from domain import operators
from domain.fact import SYSTEM
from tests.api.console.conftest import ACCOUNT, PASSWORD, World, make_world

STAFF = "admin@staff.example"


def session_of(world: World) -> str:
    return world.client.cookies.get("tokenok_session") or ""


def test_a_password_opens_the_pages_of_ones_role(world: World) -> None:
    """An operator comes to the administration, a member to their account; the address may be written in capitals."""
    assert world.get("/console").headers["location"] == "/sign-in?target=%2Fconsole"
    assert world.sign_in("ADMIN@Staff.Example").headers["location"] == "/"
    assert world.get("/").headers["location"] == "/console"
    assert world.get("/console").status_code == 200
    world.as_member("owner")
    assert world.get("/").headers["location"] == f"/app/{ACCOUNT}"


def test_what_is_wrong_is_not_told(world: World) -> None:
    """A wrong password and an address that nobody has give the same answer, and no session."""
    pages = [world.sign_in(STAFF, "not the password"), world.sign_in("nobody@staff.example")]
    assert [page.status_code for page in pages] == [403, 403]
    texts = [re.sub(r'value="[^"]*"', "", page.text) for page in pages]
    assert texts[0] == texts[1]
    assert not session_of(world)


def test_the_session_is_new_at_each_sign_in(world: World) -> None:
    """What somebody has put into the browser before is not what is signed in afterwards."""
    world.client.cookies.set("tokenok_session", "f" * 64, domain="console.test")
    world.post("/sign-in", email=STAFF, password=PASSWORD)
    first = session_of(world)
    assert first
    assert first != "f" * 64
    world.as_staff("admin")
    assert session_of(world) != first


def test_signing_out_ends_the_session_at_the_server(world: World) -> None:
    """A copy of the cookie opens nothing any more."""
    world.as_staff("admin")
    copied = session_of(world)
    world.post("/sign-out", token=world.token("/console"))
    world.client.cookies.clear()
    world.client.cookies.set("tokenok_session", copied)
    assert world.get("/console").status_code == 303


def test_a_disabled_operator_is_out_at_once(world: World) -> None:
    """Whoever is signed in loses the pages with the role."""
    world.as_staff("support")
    assert world.get("/console").status_code == 200
    staff = world.process.directory.staff
    gone = operators.OperatorDisabled(
        operator_id=world.staff["support"], reason="left", occurred_us=1, actor=SYSTEM.label
    )
    world.process.directory.staff = operators.evolve(staff, gone)
    assert world.get("/console").status_code == 404


def test_after_ten_failures_the_right_password_is_not_looked_at(world: World) -> None:
    """The account is locked for a quarter of an hour; others are not."""
    world.client.cookies.clear()
    token = world.token()
    for _ in range(ACCOUNT_FAILURES_MAX):
        assert world.post("/sign-in", token=token, email=STAFF, password="guess").status_code == 403
    assert world.post("/sign-in", token=token, email=STAFF, password=PASSWORD).status_code == 429
    assert world.sign_in("support@staff.example").status_code == 303


def test_another_role_counts_at_once(world: World) -> None:
    """For whoever is signed in; and nobody but a superadmin gives one."""
    world.as_staff("support")
    theirs = session_of(world)
    account = f"/app/{ACCOUNT}"
    role = {"operator_id": str(world.staff["support"]), "role": "admin"}
    assert world.post("/console/do/operators/change", token=world.token("/me"), **role).status_code == 403
    world.as_staff("admin")
    world.post("/console/do/operators/change", token=world.token("/me"), **role | {"role": "auditor"})
    world.client.cookies.set("tokenok_session", theirs, domain="console.test")
    assert world.get("/console").status_code == 200
    look = {"account_id": str(ACCOUNT), "reason": "asked", "minutes": "30"}
    assert world.post("/console/do/support/begin", token=world.token("/me"), **look).status_code == 403
    assert world.get(account).status_code == 404


def test_nobody_is_locked_out_of_a_browser_of_theirs(world: World) -> None:
    """However often somebody else fails with their address; in that browser one fails as often, and no more."""
    world.as_staff("admin")
    browser = world.client.cookies["tokenok_browser"]
    world.client.cookies.clear()
    token = world.token()
    for _ in range(ACCOUNT_FAILURES_MAX):
        world.post("/sign-in", token=token, email=STAFF, password="guess")
    assert world.post("/sign-in", token=token, email=STAFF, password=PASSWORD).status_code == 429
    world.client.cookies.set("tokenok_browser", browser)
    assert world.post("/sign-in", token=token, email=STAFF, password=PASSWORD).status_code == 303
    world.client.cookies.delete("tokenok_session")
    token = world.token()
    for _ in range(ACCOUNT_FAILURES_MAX):
        assert world.post("/sign-in", token=token, email=STAFF, password="guess").status_code == 403
    assert world.post("/sign-in", token=token, email=STAFF, password=PASSWORD).status_code == 429
    other = world.post("/sign-in", token=token, email="support@staff.example", password=PASSWORD)
    assert other.status_code == 303, "it counts for its own person"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", ""]
)
def test_nobody_is_sent_to_another_site(world: World, target: str) -> None:
    """Only a path of ours is where one goes on."""
    world.client.cookies.clear()
    answer = world.post("/sign-in", email=STAFF, password=PASSWORD, target=target)
    assert answer.headers["location"] == "/"


def test_one_goes_on_to_a_path_in_any_script(world: World) -> None:
    """What a header cannot hold is escaped, and nothing of a question is lost where a code is owed."""
    world.as_staff("admin")
    assert world.get("/sign-in?target=/%E5%90%8D").headers["location"] == "/%E5%90%8D"
    take_second_factor(world)
    world.client.cookies.clear()
    asked = world.post("/sign-in", email=STAFF, password=PASSWORD, target="/console/requests?a=1&b=2")
    page = world.client.get(asked.headers["location"]).text
    assert 'name="target" value="/console/requests?a=1&amp;b=2"' in page


def take_second_factor(world: World) -> tuple[str, list[str]]:
    """The seed, and the recovery codes."""
    page = world.client.get("/me/second-factor").text
    found = re.search(r'name="seed" value="([A-Z2-7]+)"', page)
    assert found is not None
    seed = found[1]
    answer = world.post(
        "/me/second-factor",
        token=world.token("/me"),
        seed=seed,
        code=pyotp.TOTP(seed).now(),
        password=PASSWORD,
    )
    assert answer.status_code == 200, answer.text
    return seed, re.findall(r"<li>([0-9a-f]{5}-[0-9a-f]{5})</li>", answer.text)


def test_a_second_factor_is_asked_for_and_each_code_works_once(world: World) -> None:
    """With the password alone one gets nowhere; the code that was used to set it up does not open either."""
    world.as_staff("admin")
    seed, codes = take_second_factor(world)
    assert len(codes) == 10
    assert seed not in world.client.get("/me").text
    assert world.sign_in(STAFF).headers["location"] == "/sign-in/code?target=%2F"
    assert world.get("/console").status_code == 303
    token = world.token("/sign-in/code")
    used = world.post("/sign-in/code", token=token, code=pyotp.TOTP(seed).now())
    assert used.status_code == 403
    right = world.post("/sign-in/code", token=token, code=codes[0])
    assert right.headers["location"] == "/"
    assert world.get("/console").status_code == 200
    world.sign_in(STAFF)
    again = world.post("/sign-in/code", token=world.token("/sign-in/code"), code=codes[0])
    assert again.status_code == 403


def test_codes_cannot_be_tried_out(world: World) -> None:
    """After ten wrong ones no code is looked at, whoever has the password."""
    world.as_staff("admin")
    _, codes = take_second_factor(world)
    world.sign_in(STAFF)
    token = world.token("/sign-in/code")
    for number in range(ACCOUNT_FAILURES_MAX):
        assert world.post("/sign-in/code", token=token, code=f"{number:06}").status_code == 403
    assert world.post("/sign-in/code", token=token, code=codes[1]).status_code == 429


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_superadmin_lets_in_who_has_lost_their_authenticator(world: World, *, is_lost: bool) -> None:
    """By a new link that says so; any other leaves the second factor as it is. The log tells which it was."""
    world.as_staff("support")
    take_second_factor(world)
    world.as_staff("admin")
    form = {"operator_id": str(world.staff["support"])} | ({"ends_second_factor": "true"} if is_lost else {})
    page = world.post("/console/do/operators/invite", token=world.token("/me"), **form).text
    link = re.search(r"/join/[0-9a-f]+", page)
    assert link is not None
    world.client.cookies.clear()
    token = world.token(link[0])
    assert world.post(link[0], token=token, email="support@staff.example", password=PASSWORD).is_redirect
    answer = world.sign_in("support@staff.example")
    assert answer.headers["location"] == ("/" if is_lost else "/sign-in/code?target=%2F")


def test_guesses_at_the_same_moment_are_counted_as_those_in_a_row(world: World) -> None:
    """Of passwords and of codes: no more than ten are looked at, however many come at once."""
    world.as_staff("admin")
    take_second_factor(world)
    world.sign_in(STAFF)
    token = world.token("/sign-in/code")

    def guess(number: int) -> int:
        return world.post("/sign-in/code", token=token, code=f"{number:06}").status_code

    def guess_password(number: int) -> int:
        return world.post("/sign-in", token=token, email=STAFF, password=f"guess {number}").status_code

    with ThreadPoolExecutor(16) as threads:
        assert sorted(threads.map(guess, range(32))) == [403] * 10 + [429] * 22
    world.client.cookies.clear()
    token = world.token()
    with ThreadPoolExecutor(16) as threads:
        assert sorted(threads.map(guess_password, range(32))) == [403] * 10 + [429] * 22


def test_a_second_factor_is_not_replaced_without_a_code_of_it(world: World) -> None:
    """The password alone takes no other one; nor can codes be tried out where it is ended, or given new recovery codes."""
    world.as_staff("admin")
    seed, codes = take_second_factor(world)
    assert world.get("/me/second-factor").headers["location"] == "/me"
    token, fresh = world.token("/me"), pyotp.random_base32()
    again = {"seed": fresh, "code": pyotp.TOTP(fresh).now(), "password": PASSWORD}
    assert world.post("/me/second-factor", token=token, **again).status_code == 422
    assert world.process.people.people.totp_seed(world.staff["admin"]) == seed
    renewed = world.post("/me/second-factor/codes", token=token, password=PASSWORD, code=codes[0])
    assert len(set(re.findall(r"<li>([0-9a-f]{5}-[0-9a-f]{5})</li>", renewed.text)) - set(codes)) == 10
    for path in ("codes", "end"):
        assert (
            world.post(f"/me/second-factor/{path}", token=token, password=PASSWORD, code=codes[1]).status_code
            == 403
        )
    for _ in range(ACCOUNT_FAILURES_MAX):
        last = world.post("/me/second-factor/end", token=token, password=PASSWORD, code="000000")
    assert last.status_code == 429
    assert "10 recovery codes are left." in world.client.get("/me").text


def test_who_did_not_change_the_second_factor_is_told(world: World) -> None:
    """That it is there, that its recovery codes are others, and that it is gone; nothing of what was refused."""
    world.as_staff("admin")
    world.post("/me/confirm", token=world.token("/me"))
    path = world.mailbox.path()
    world.post(path, token=world.token(path))
    before = len(world.mailbox.letters)
    _, codes = take_second_factor(world)
    token = world.token("/me")
    renewed = world.post("/me/second-factor/codes", token=token, password=PASSWORD, code=codes[0])
    fresh = re.findall(r"<li>([0-9a-f]{5}-[0-9a-f]{5})</li>", renewed.text)
    world.post("/me/second-factor/end", token=token, password=PASSWORD, code="000000")
    world.post("/me/second-factor/end", token=token, password=PASSWORD, code=fresh[0])
    told = [one.letter for one in world.mailbox.letters[before:]]
    assert [one.change for one in told if isinstance(one, SecondFactorChanged)] == [
        "on",
        "recovery_codes",
        "off",
    ]
    assert len(told) == 3


def test_a_new_password_ends_every_other_session(world: World) -> None:
    """Here one stays; elsewhere, and with the old password, one is out."""
    world.as_staff("admin")
    elsewhere = session_of(world)
    world.as_staff("admin")
    new = "another long password"
    answer = world.post("/me/password", token=world.token("/me"), password=PASSWORD, new_password=new)
    assert answer.headers["location"] == "/me"
    assert world.get("/console").status_code == 200
    world.client.cookies.clear()
    world.client.cookies.set("tokenok_session", elsewhere)
    assert world.get("/console").status_code == 303
    assert world.sign_in(STAFF).status_code == 403
    assert world.sign_in(STAFF, new).status_code == 303


def test_a_device_can_be_signed_out_from_another_one(world: World) -> None:
    """The list names both; nobody ends a session of somebody else."""
    world.as_staff("support")
    others = session_of(world)
    world.as_staff("admin")
    first = session_of(world)
    world.as_staff("admin")
    page = world.client.get("/me").text
    (first_id,) = re.findall(r'name="session_id" value="([0-9a-f-]+)"', page)
    token = world.token("/me")
    world.post("/me/close-session", token=token, session_id=first_id)
    support = world.process.tools.sign_in.session(others)
    assert support is not None
    world.post("/me/close-session", token=token, session_id=str(support.session_id))
    assert world.process.tools.sign_in.session(first) is None
    assert world.process.tools.sign_in.session(others) is not None
    second = session_of(world)
    world.as_staff("admin")
    world.post("/me/close-other-sessions", token=world.token("/me"))
    assert world.process.tools.sign_in.session(second) is None
    assert world.process.tools.sign_in.session(others) is not None
    assert world.get("/me").status_code == 200


def test_an_invitation_lets_in_once(world: World) -> None:
    """From the operator's form to the newcomer's first page; the link is dead then, and a weak password does not use it up."""
    world.as_staff("admin")
    shown = world.post(
        "/console/do/members/invite",
        token=world.token("/console"),
        account_id=str(ACCOUNT),
        role="viewer",
    )
    found = re.search(rf"/join/{ACCOUNT}/[0-9a-f]+", shown.text)
    assert found is not None, shown.text
    link = found[0]
    world.client.cookies.clear()
    token = world.token(link)
    weak = world.post(link, token=token, email="new@customer.example", password="short")
    assert weak.status_code == 400
    taken = world.post(link, token=token, email="owner@customer.example", password=PASSWORD)
    assert taken.status_code == 422
    joined = world.post(link, token=token, email="new@customer.example", password=PASSWORD)
    assert joined.headers["location"] == f"/app/{ACCOUNT}"
    world.client.cookies.clear()
    assert world.get(link).status_code == 422


def test_somebody_with_an_account_joins_another_as_themselves(world: World) -> None:
    """Signed in, the link asks for no password, and gives none to whoever made it."""
    world.as_staff("admin")
    other = UUID(int=0xB)
    shown = world.post(
        "/console/do/members/invite", token=world.token("/console"), account_id=str(other), role="owner"
    )
    found = re.search(rf"/join/{other}/[0-9a-f]+", shown.text)
    assert found is not None
    world.as_member("developer")
    assert 'name="password"' not in world.client.get(found[0]).text
    world.post(found[0], token=world.token("/me"))
    members = world.process.directory.members[other].members
    assert {one.person_id for one in members.values()} == {world.members["developer"]}


def test_operators_can_be_made_to_have_a_second_factor(database_url: str) -> None:
    """Whoever has none is led to set it up, and sees, does and looks into nothing before; members are not concerned."""
    with make_world(database_url, operators_need_second_factor="on") as world:
        world.as_staff("admin")
        path = f"/console/customers/{ACCOUNT}"
        assert world.get(path).headers["location"] == "/me/second-factor"
        page = world.get("/me/second-factor").text
        assert "Operators need a second factor here" in page
        assert world.get(path, **{"hx-request": "true"}).status_code == 403
        token = world.token("/me")
        before = world.process.store.head_position()
        begin = {"account_id": str(ACCOUNT), "reason": "asked"}
        answer = world.post("/console/do/support/begin", token=token, **begin)
        assert answer.headers["location"] == "/me/second-factor"
        assert world.process.store.head_position() == before
        take_second_factor(world)
        assert world.get(path).status_code == 200
        world.post("/console/do/support/begin", token=token, **begin)
        assert world.get(f"/app/{ACCOUNT}").status_code == 200
        world.process.people.people.set_totp(world.staff["admin"], None)
        assert world.get(f"/app/{ACCOUNT}").status_code == 404
        world.as_member("owner")
        assert world.get(f"/app/{ACCOUNT}").status_code == 200


def test_who_looks_after_people_sees_who_has_a_second_factor(world: World) -> None:
    """And how many passkeys; to anybody else it would say whom to attack."""
    world.process.people.people.set_totp(world.members["viewer"], "S" * 32)
    world.process.people.people.set_totp(world.staff["support"], "S" * 32)
    with world.process.pool.connection() as connection:
        connection.execute(
            "INSERT INTO passkeys VALUES ('x', %s, 'key', 0, 'Laptop', 0)", [world.members["viewer"]]
        )
    for sign_in, page, sees in (
        (lambda: world.as_member("owner"), f"/app/{ACCOUNT}/members?table=members&as=json", True),
        (lambda: world.as_member("billing"), f"/app/{ACCOUNT}/members?table=members&as=json", False),
        (lambda: world.as_staff("admin"), "/console/operators?table=operators&as=json", True),
        (lambda: world.as_staff("auditor"), "/console/operators?table=operators&as=json", False),
    ):
        sign_in()
        rows = world.get(page).json()
        assert ("Second factor" in world.get(page.partition("?")[0]).text) == sees
        if sees:
            found = {one["role"]: (one["second_factor"], one["passkeys"]) for one in rows}
            assert found.pop("viewer" if "viewer" in found else "support")[0] is True
            assert set(found.values()) == {(False, 0)}
        else:
            assert all("second_factor" not in one for one in rows)
    world.as_member("owner")
    assert "1 passkey" in world.get(f"/app/{ACCOUNT}/members").text
