"""Signing up, a new password and confirming an address, and what those try who ask about somebody else."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from application.mail.letters import AlreadyRegistered, NewSignIn, PasswordChanged, ResetPassword, VerifyEmail
from application.people.email import email_hash
from application.people.language import keep_language
from application.people.mailed import ASKED_BY_VISITOR_MAX, ASKED_OF_ADDRESS_MAX, TOLD_OF_SIGN_INS_MAX
from application.people.sign_in import ACCOUNT_FAILURES_MAX
from tests.api.console.conftest import ACCOUNT, CONSOLE_URL, PASSWORD, World, make_world

NEW = "new@customer.example"
KNOWN = "owner@customer.example"
OTHER_PASSWORD = "a different long password"


def ask(world: World, path: str, email: str) -> httpx.Response:
    world.client.cookies.clear()
    return world.post(path, email=email)


def sign_up(world: World, email: str = NEW, name: str = "Blue Ltd") -> httpx.Response:
    assert ask(world, "/sign-up", email).status_code == 200
    link = world.mailbox.path()
    return world.post(link, token=world.token(link), name=name, password=PASSWORD)


def test_from_an_address_to_an_account_of_ones_own(world: World) -> None:
    """The mail's link, a name and a password: signed in as the owner of a new account, with the address confirmed."""
    answer = sign_up(world)
    account = answer.headers["location"].removeprefix("/app/")
    mail = world.mailbox.letters[-1]
    assert (type(mail.letter), mail.to, mail.locale) == (VerifyEmail, NEW, "en")
    assert world.mailbox.links()[-1].startswith(f"{CONSOLE_URL}/sign-up/")
    page = world.client.get(f"/app/{account}").text
    assert "Blue Ltd" in page
    assert '<span class="badge good">Confirmed' in world.client.get("/me").text
    (member,) = world.process.directory.members[world.uuid(account)].members.values()
    assert member.role == "owner"
    assert world.sign_in(NEW).status_code == 303


def test_mails_and_documents_speak_the_language_of_who_signed_up(world: World) -> None:
    """That of the page on which they did it, for as long as they choose no other."""
    world.client.headers["accept-language"] = "ja"
    sign_up(world)
    people = world.process.people.people
    person = people.by_email(email_hash(world.process.ports.hasher, NEW))
    assert person is not None
    assert person.locale == "ja"
    keep_language(people, person.person_id, "ko")
    assert people.get(person.person_id) == person


def test_nothing_is_kept_of_who_does_not_follow_the_link(world: World) -> None:
    """No account, no person, no event: only the link, which names nobody."""
    before = world.process.store.head_position()
    ask(world, "/sign-up", NEW)
    assert world.process.store.head_position() == before
    with world.process.pool.connection() as connection:
        row = connection.execute("SELECT string_agg(m::text, ' ') FROM mailed_links AS m").fetchone()
    assert row is not None
    assert "customer" not in row[0]


@pytest.mark.parametrize("path", ["/sign-up", "/forgot"])
def test_the_answer_is_the_same_for_every_address(world: World, path: str) -> None:
    """Known or not: page, status and headers; what differs is in the mailbox of whose address it is."""
    known, unknown = ask(world, path, KNOWN), ask(world, path, "who@customer.example")
    pages = [
        re.sub(r'value="[0-9a-f]+"', "", one.text.replace(KNOWN, "").replace("who@customer.example", ""))
        for one in (known, unknown)
    ]
    assert pages[0] == pages[1]
    assert known.status_code == unknown.status_code == 200
    sent = [(type(mail.letter), mail.to) for mail in world.mailbox.letters]
    if path == "/sign-up":
        assert sent == [(AlreadyRegistered, KNOWN), (VerifyEmail, "who@customer.example")]
    else:
        assert sent == [(ResetPassword, KNOWN)]


def test_who_is_known_is_not_opened_a_second_time(world: World) -> None:
    """Their mail leads to the sign-in and holds no secret."""
    ask(world, "/sign-up", KNOWN)
    letter = world.mailbox.letters[-1].letter
    assert letter == AlreadyRegistered(
        sign_in_link=f"{CONSOLE_URL}/sign-in", reset_link=f"{CONSOLE_URL}/forgot"
    )


def test_a_link_of_a_mail_works_once(world: World) -> None:
    """Also when its form is sent several times at the same moment: one account, one person."""
    ask(world, "/sign-up", NEW)
    link = world.mailbox.path()
    token = world.token(link)
    accounts = len(world.process.directory.accounts)

    def follow(_: int) -> int:
        return world.post(link, token=token, name="Blue", password=PASSWORD).status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(threads.map(follow, range(4)))
    assert statuses[0] == 303
    assert set(statuses[1:]) == {422}
    assert len(world.process.directory.accounts) == accounts + 1
    world.client.cookies.clear()
    assert world.get(link).status_code == 422


def test_opening_the_page_of_a_link_uses_nothing_up(world: World) -> None:
    """Programs open mails too."""
    ask(world, "/sign-up", NEW)
    link = world.mailbox.path()
    assert [world.get(link).status_code for _ in range(3)] == [200, 200, 200]
    weak = world.post(link, token=world.token(link), name="Blue", password="short")
    assert weak.status_code == 400
    assert world.get(link).status_code == 200


def test_a_new_password_by_mail_ends_every_session(world: World) -> None:
    """The old one is none any more, the link neither, and other links to the same person are dead too."""
    world.as_member("owner")
    elsewhere = world.client.cookies.get("tokenok_session") or ""
    ask(world, "/forgot", KNOWN)
    older = world.mailbox.path()
    ask(world, "/forgot", KNOWN)
    link = world.mailbox.path()
    assert world.get(older).status_code == 422
    token = world.token(link)
    answer = world.post(link, token=token, password=OTHER_PASSWORD)
    assert answer.headers["location"] == "/sign-in"
    assert world.post(link, token=token, password="once more, and long").status_code == 422
    world.client.cookies.set("tokenok_session", elsewhere)
    assert world.get("/me").status_code == 303
    assert isinstance(world.mailbox.letters[-1].letter, PasswordChanged)
    assert world.sign_in(KNOWN).status_code == 403
    assert world.sign_in(KNOWN, OTHER_PASSWORD).status_code == 303


def test_failures_of_others_do_not_keep_out_who_has_set_a_new_password(world: World) -> None:
    """The link proves who they are, in this browser."""
    world.client.cookies.clear()
    token = world.token()
    for _ in range(ACCOUNT_FAILURES_MAX):
        world.post("/sign-in", token=token, email=KNOWN, password="guess")
    ask(world, "/forgot", KNOWN)
    link = world.mailbox.path()
    world.post(link, token=world.token(link), password=OTHER_PASSWORD)
    assert world.post("/sign-in", email=KNOWN, password=OTHER_PASSWORD).status_code == 303


def test_a_link_to_a_new_password_is_over_after_half_an_hour(world: World) -> None:
    """The table says until when; then it opens nothing."""
    ask(world, "/forgot", KNOWN)
    link, now_us = world.mailbox.path(), world.process.clock.now_us()
    assert world.get(link).status_code == 200
    with world.process.pool.connection() as connection:
        row = connection.execute("SELECT expires_us FROM mailed_links").fetchone()
        assert row is not None
        assert row[0] <= now_us + 30 * 60 * 1_000_000
        connection.execute("UPDATE mailed_links SET expires_us = %s", [now_us])
    assert world.get(link).status_code == 422


def test_the_host_that_a_browser_says_is_not_in_the_mail(world: World) -> None:
    """Only what was configured: nobody gets a victim's link sent to a site of theirs."""
    world.client.cookies.clear()
    values = {"_csrf": world.token("/forgot"), "email": KNOWN}
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    world.client.post("/forgot", data=values, headers=headers, follow_redirects=False)
    assert world.mailbox.links()[-1].startswith(f"{CONSOLE_URL}/reset/")


def test_a_mailbox_is_not_flooded(world: World) -> None:
    """After three mails there is the same answer and no mail; after twenty wishes a visitor is told to wait."""
    world.client.cookies.clear()
    token = world.token("/forgot")
    answers = [world.post("/forgot", token=token, email=KNOWN) for _ in range(ASKED_OF_ADDRESS_MAX + 2)]
    assert {one.status_code for one in answers} == {200}
    assert len(world.mailbox.letters) == ASKED_OF_ADDRESS_MAX
    for number in range(ASKED_BY_VISITOR_MAX - len(answers)):
        assert world.post("/sign-up", token=token, email=f"n{number}@x.example").status_code == 200
    assert world.post("/sign-up", token=token, email="last@x.example").status_code == 429


def test_a_link_for_one_thing_opens_no_other(world: World) -> None:
    """The secret of a sign-up resets no password, and none confirms for another."""
    ask(world, "/sign-up", NEW)
    secret = world.mailbox.path().rpartition("/")[2]
    for path in ("/reset", "/confirm"):
        assert world.get(f"{path}/{secret}").status_code == 422
    assert world.get(f"/sign-up/{'0' * 64}").status_code == 422


def test_fields_that_the_form_does_not_have_change_nothing(world: World) -> None:
    """Nobody gives themselves a role, credit, or another's account by them."""
    ask(world, "/sign-up", NEW)
    link = world.mailbox.path()
    extra = {
        "account_id": str(ACCOUNT),
        "role": "admin",
        "email": KNOWN,
        "person_id": str(world.members["owner"]),
        "amount_nano": "1",
        "confirmed_us": "1",
    }
    answer = world.post(link, token=world.token(link), name="Blue", password=PASSWORD, **extra)
    account = world.uuid(answer.headers["location"].removeprefix("/app/"))
    assert account != ACCOUNT
    (member,) = world.process.directory.members[account].members.values()
    assert member.person_id not in world.members.values()
    assert world.sign_in(NEW).status_code == 303


def test_an_address_is_confirmed_by_its_owner(world: World) -> None:
    """Whoever joined by a link asks for a mail; opening its page confirms nothing, its button does, once."""
    world.as_member("viewer")
    assert "Not confirmed" in world.client.get("/me").text
    world.post("/me/confirm", token=world.token("/me"))
    link = world.mailbox.path()
    assert world.mailbox.letters[-1].to == "viewer@customer.example"
    world.get(link)
    assert "Not confirmed" in world.client.get("/me").text
    token = world.token("/me")
    assert world.post(link, token=token).headers["location"] == "/me"
    assert "Not confirmed" not in world.client.get("/me").text
    assert world.post(link, token=token).status_code == 422


def test_what_people_write_comes_back_as_text(world: World) -> None:
    """A name with markup is shown, and is none that is run; one that cannot be shown is refused."""
    name = "<img src=x onerror=alert(1)>"
    account = sign_up(world, name=name).headers["location"]
    page = world.client.get(account).text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    ask(world, "/sign-up", "other@customer.example")
    link = world.mailbox.path()
    hidden = world.post(link, token=world.token(link), name="a\u202eb", password=PASSWORD)
    assert hidden.status_code == 400


def test_signing_up_can_be_closed(database_url: str) -> None:
    """Pages and forms refuse, links that were mailed before too; a new password is still to be had."""
    with make_world(database_url, sign_up="closed") as world:
        assert world.get("/sign-up").status_code == 403
        assert ask(world, "/sign-up", NEW).status_code == 403
        assert world.get(f"/sign-up/{'0' * 64}").status_code == 403
        assert "/sign-up" not in world.client.get("/sign-in").text
        assert world.get("/forgot").status_code == 200
        assert world.mailbox.letters == []


@pytest.mark.parametrize(("console_url", "with_mail"), [("", True), (CONSOLE_URL, False)])
def test_without_mail_or_an_address_of_ours_nothing_is_mailed(
    database_url: str, console_url: str, *, with_mail: bool
) -> None:
    """The pages say so, and the sign-in names the other way."""
    with make_world(database_url, console_url=console_url, with_mail=with_mail) as world:
        for path in ("/sign-up", "/forgot"):
            answer = world.get(path)
            assert answer.status_code == 403, path
        assert "Whoever invited you" in world.client.get("/sign-in").text


def told(world: World) -> list[NewSignIn]:
    return [one.letter for one in world.mailbox.letters if isinstance(one.letter, NewSignIn)]


def test_a_sign_in_in_a_new_browser_is_told_once(world: World) -> None:
    """With where it came from; not of the first browser of all, and of none that was seen before."""
    sign_up(world)
    assert told(world) == []
    world.client.headers["user-agent"] = "Firefox on a tram"
    world.sign_in(NEW)
    browser = world.client.cookies["tokenok_browser"]
    (letter,) = told(world)
    assert (letter.agent, letter.sessions_link) == ("Firefox on a tram", f"{CONSOLE_URL}/me")
    assert letter.address
    world.post("/sign-out")
    world.post("/sign-in", email=NEW, password=PASSWORD)
    assert world.client.cookies["tokenok_browser"] == browser
    assert len(told(world)) == 1


def test_nobody_is_drowned_in_mails_about_sign_ins(world: World) -> None:
    """So many in a quarter of an hour, however many browsers there are."""
    sign_up(world)
    for _ in range(TOLD_OF_SIGN_INS_MAX + 2):
        assert world.sign_in(NEW).status_code == 303
    assert len(told(world)) == TOLD_OF_SIGN_INS_MAX


def test_an_address_that_nobody_has_confirmed_is_told_nothing(world: World) -> None:
    """It may be somebody else's."""
    for _ in range(2):
        assert world.sign_in(KNOWN).status_code == 303
    assert told(world) == []


def test_the_second_of_two_at_once_is_a_browser_that_is_known(world: World) -> None:
    """One mail, whatever comes at the same time; each person has browsers of their own."""
    browsers = world.process.people.browsers
    owner, viewer = world.members["owner"], world.members["viewer"]
    assert browsers.meet(owner, b"a" * 32, now_us=1) == "first"
    with ThreadPoolExecutor(4) as pool:
        met = list(pool.map(lambda now_us: browsers.meet(owner, b"b" * 32, now_us=now_us), range(2, 6)))
    assert sorted(met) == ["known", "known", "known", "new"]
    assert browsers.meet(viewer, b"b" * 32, now_us=7) == "first"
