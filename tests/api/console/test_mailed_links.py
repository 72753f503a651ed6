"""Signing up, a new password and confirming an address, and what those try who ask about somebody else."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import msgspec
import pyotp
import pytest

from application.mail.letters import (
    AddressChanged,
    AddressTaken,
    AlreadyRegistered,
    ConfirmAddress,
    NewSignIn,
    PasswordChanged,
    ResetPassword,
    VerifyEmail,
)
from application.people.email import email_hash, open_email
from application.people.language import keep_language
from application.people.mailed import ASKED_BY_VISITOR_MAX, ASKED_OF_ADDRESS_MAX, TOLD_OF_SIGN_INS_MAX
from application.people.ports import Person
from application.people.sign_in import ACCOUNT_FAILURES_MAX
from domain.members import MemberRole, members_stream
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


@pytest.mark.parametrize("path", ["/forgot", "/sign-up"])
def test_a_link_goes_to_the_host_by_which_somebody_is_found(world: World, path: str) -> None:
    """And not to a host that is written with letters which we fold and names of hosts do not: that is somebody else's."""
    ask(world, path, KNOWN.replace("customer", "custom\u1d31r"))
    assert world.mailbox.letters[-1].to.lower() == KNOWN


def test_an_address_is_shown_as_mail_goes_there(world: World) -> None:
    """In the plain forms of its letters, also where it was typed in wide ones."""
    sign_up(world, "\uff4e\uff45\uff57@custom\u1d31r.example")
    assert NEW in world.get("/me").text.replace("customEr", "customer")


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


def ask_address(world: World, email: str = NEW, password: str = PASSWORD, **more: str) -> httpx.Response:
    return world.post("/me/address", token=world.token("/me"), email=email, password=password, **more)


def follow(world: World, link: str | None = None) -> httpx.Response:
    return world.post(link or world.mailbox.path(), token=world.token("/me"))


def confirm(world: World) -> None:
    """The present address is theirs: it may be written to."""
    world.post("/me/confirm", token=world.token("/me"))
    assert follow(world).status_code == 303


def test_another_address_counts_once_its_link_is_followed(world: World) -> None:
    """Until then nothing changes; from then on everything goes by it, and elsewhere they are signed out."""
    world.as_member("owner")
    elsewhere = world.client.cookies.get("tokenok_session") or ""
    world.as_member("owner")
    assert ask_address(world).headers["location"] == "/me"
    mail = world.mailbox.letters[-1]
    assert (type(mail.letter), mail.to) == (ConfirmAddress, NEW)
    link = world.mailbox.path()
    assert NEW in world.get(link).text
    assert KNOWN in world.get("/me").text
    assert follow(world).headers["location"] == "/me"
    page = world.get("/me").text
    assert NEW in page
    assert KNOWN not in page
    assert '<span class="badge good">Confirmed' in page
    assert NEW in world.get(f"/app/{ACCOUNT}/members").text
    assert len(world.mailbox.letters) == 1, "nobody has confirmed the one before, so it is told nothing"
    world.client.cookies.set("tokenok_session", elsewhere)
    assert world.get("/me").status_code == 303
    assert world.sign_in(KNOWN).status_code == 403
    assert world.sign_in(NEW).status_code == 303
    person = world.members["owner"]
    topics = [one.topic for one in world.process.store.read_stream(members_stream(ACCOUNT))]
    assert topics[-1] == "member.address-changed.v1"
    assert world.process.directory.memberships[person] == {ACCOUNT}


def test_an_operators_address_is_changed_in_the_same_way(world: World) -> None:
    """The fact stands with the operators; role, token and password are what they were."""
    world.as_staff("support")
    before = world.process.directory.staff.operators[world.staff["support"]]
    ask_address(world)
    follow(world)
    after = world.process.directory.staff.operators[world.staff["support"]]
    assert after.pii != before.pii
    assert msgspec.structs.replace(after, pii=before.pii) == before
    assert world.sign_in(NEW).status_code == 303
    assert world.get("/console").status_code == 200


def test_another_address_takes_the_password_and_a_code(world: World) -> None:
    """A browser that was left open is not enough; guesses are counted, and none of them sends anything."""
    world.as_member("owner")
    assert ask_address(world, email="no address").status_code == 400
    assert ask_address(world, password="guess").status_code == 403
    ports, person_id = world.process.people, world.members["owner"]
    seed = ports.codes.new_seed()
    ports.people.set_totp(person_id, seed)
    assert ask_address(world).status_code == 403
    now = datetime.now(UTC)
    assert ask_address(world, code=pyotp.TOTP(seed).at(now)).status_code == 303
    assert ask_address(world, code=pyotp.TOTP(seed).at(now)).status_code == 403
    assert len(world.mailbox.letters) == 1
    for _ in range(ACCOUNT_FAILURES_MAX):
        last = ask_address(world, password="guess")
    assert last.status_code == 429
    follow(world)
    assert ports.people.totp_seed(person_id) == seed


def test_whoever_asks_for_an_address_does_not_learn_whose_it_is(world: World) -> None:
    """The answer is the same; its owner is told, and nothing can be done with it."""
    world.as_member("viewer")
    free, taken = ask_address(world), ask_address(world, email=KNOWN)
    assert (free.status_code, free.text, dict(free.headers)) == (
        taken.status_code,
        taken.text,
        {**taken.headers, "set-cookie": free.headers["set-cookie"]},
    )
    sent = [(type(mail.letter), mail.to) for mail in world.mailbox.letters]
    assert sent == [(ConfirmAddress, NEW), (AddressTaken, KNOWN)]
    assert world.get("/me").text.count(KNOWN) == 0


def test_of_two_who_want_an_address_one_gets_it(world: World) -> None:
    """Whoever follows their link first; asking for it ends nobody else's link."""
    links = []
    for role in ("viewer", "billing"):
        world.sign_in(f"{role}@customer.example")
        ask_address(world)
        links.append(world.mailbox.path())
    assert follow(world, links[0]).status_code == 422, "it is another person's"
    assert follow(world, links[1]).status_code == 303
    world.as_member("viewer")
    late = follow(world, links[0])
    assert late.status_code == 422
    assert "Nothing was changed" in late.text
    assert world.process.people.people.by_email(hash_of(world, NEW)) == person_of(world, "billing")
    assert world.sign_in("viewer@customer.example").status_code == 303


def test_a_link_to_another_address_works_once_for_one_person_and_a_day(world: World) -> None:
    """Not twice, not signed out, not after a newer one, not after a new password, and not when it is too old."""
    world.as_member("viewer")
    ask_address(world, email="first@customer.example")
    first = world.mailbox.path()
    ask_address(world)
    second = world.mailbox.path()
    assert follow(world, first).status_code == 422
    token = world.token("/me")
    cookies = dict(world.client.cookies)
    world.client.cookies.clear()
    assert world.get(second).headers["location"].startswith("/sign-in")
    world.client.cookies.update(cookies)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: world.post(second, token=token).status_code, range(4)))
    assert sorted(answers) == [303, 422, 422, 422]
    ask_address(world, email="third@customer.example")
    world.post("/me/password", token=token, password=PASSWORD, new_password=OTHER_PASSWORD)
    assert follow(world).status_code == 422
    ask_address(world, email="third@customer.example", password=OTHER_PASSWORD)
    with world.process.pool.connection() as connection:
        connection.execute("UPDATE mailed_links SET expires_us = %s", [world.process.clock.now_us()])
    assert follow(world).status_code == 422


def test_what_was_mailed_to_the_address_before_opens_nothing(world: World) -> None:
    """A link to a new password, for instance; and nobody is found by it any more."""
    ask(world, "/forgot", KNOWN)
    reset = world.mailbox.path()
    world.as_member("owner")
    ask_address(world)
    follow(world)
    assert world.get(reset).status_code == 422
    ask(world, "/forgot", KNOWN)
    assert len(world.mailbox.letters) == 2


def test_who_did_not_do_it_takes_the_account_back(world: World) -> None:
    """By the link that went to the address before, whatever was done since: with a new password, and everybody is signed out."""
    world.as_member("owner")
    confirm(world)
    ask_address(world)
    follow(world)
    mail = world.mailbox.letters[-1]
    assert (type(mail.letter), mail.to) == (AddressChanged, KNOWN)
    back = world.mailbox.path()
    ask_address(world, email="second@customer.example")
    follow(world)
    strangers = world.mailbox.path()
    stranger = dict(world.client.cookies)
    world.client.cookies.clear()
    assert KNOWN in world.get(back).text
    token = world.token(back)
    assert world.post(back, token=token, password="short").status_code == 400
    assert world.post(back, token=token, password=OTHER_PASSWORD).headers["location"] == "/sign-in"
    assert world.post(back, token=token, password=OTHER_PASSWORD).status_code == 422
    assert world.get(strangers).status_code == 422
    world.client.cookies.clear()
    world.client.cookies.update(stranger)
    assert world.get("/me").status_code == 303
    assert world.sign_in(NEW).status_code == 403
    assert world.sign_in(KNOWN).status_code == 403
    assert world.sign_in(KNOWN, OTHER_PASSWORD).status_code == 303
    assert KNOWN in world.get("/me").text
    assert isinstance(world.mailbox.letters[-2].letter, PasswordChanged)


def test_a_way_back_does_not_end_an_older_one(world: World) -> None:
    """Whoever changes the address twice cannot use the second way back to close the first."""
    world.as_member("owner")
    confirm(world)
    ask_address(world)
    follow(world)
    back = world.mailbox.path()
    ask_address(world, email="second@customer.example")
    follow(world)
    younger = world.mailbox.path()
    assert world.post(younger, token=world.token(younger), password=OTHER_PASSWORD).status_code == 303
    assert world.post(back, token=world.token(back), password=PASSWORD).status_code == 303
    assert world.sign_in(KNOWN).status_code == 303


def test_nobody_reads_an_address_of_who_was_erased(world: World) -> None:
    """Neither the first nor any later one; the links to it are gone."""
    world.as_member("viewer")
    ask_address(world)
    follow(world)
    ask_address(world, email="third@customer.example")
    link = world.mailbox.path()
    state = world.process.directory.members[ACCOUNT].members[world.members["viewer"]]
    assert world.post("/me/erase", token=world.token("/me"), password=PASSWORD).status_code == 303
    personal = world.process.ports.personal
    assert open_email(personal, world.members["viewer"], state.pii) is None
    assert world.get(link).headers["location"].startswith("/sign-in")
    with world.process.pool.connection() as connection:
        assert connection.execute("SELECT count(*) FROM mailed_links").fetchone() == (0,)


def hash_of(world: World, email: str) -> bytes:
    return email_hash(world.process.ports.hasher, email)


def person_of(world: World, role: MemberRole) -> Person | None:
    return world.process.people.people.get(world.members[role])


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
