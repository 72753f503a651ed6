"""Passkeys on real routes: added by whoever is known already, good for one answer each, and nobody else's."""

import html
import json
import re
from collections.abc import Callable
from uuid import UUID

import httpx
import msgspec
import pyotp
import pytest

from application.clock import Clock
from application.people.passkeys import (
    PER_PERSON_MAX,
    VALID_US,
    Passkey,
    PasskeyRefused,
    new_challenge,
    sign_in_with_passkey,
)
from application.people.sign_in import ADDRESS_FAILURES_MAX, Visitor
from tests.api.console.authenticator import Authenticator
from tests.api.console.conftest import CONSOLE_URL, PASSWORD, World, make_world

WAY = "/sign-in/passkey"
_OPTIONS = re.compile(r'data-options="([^"]+)"')


@pytest.fixture
def key() -> Authenticator:
    return Authenticator(origin=CONSOLE_URL, rp_id="console.test")


def options_on(page: httpx.Response) -> str:
    found = _OPTIONS.search(page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def begin(world: World, **fields: str) -> httpx.Response:
    values = {"name": "Laptop", "password": PASSWORD, **fields}
    return world.post("/me/passkeys/new", token=world.token("/me"), **values)


def add(world: World, key: Authenticator) -> httpx.Response:
    """To whoever is signed in."""
    answer = key.make(options_on(begin(world)))
    return world.post("/me/passkeys", token=world.token("/me"), answer=answer)


def prove(world: World, key: Authenticator, target: str = "/console") -> httpx.Response:
    """In a fresh browser."""
    world.client.cookies.clear()
    answer = key.prove(options_on(world.get(WAY)))
    return world.post(WAY, answer=answer, target=target)


def test_a_passkey_lets_its_owner_in(world: World, key: Authenticator) -> None:
    """Added after the password, it opens the console where they wanted to go, and says when it was used."""
    world.as_staff("support")
    assert add(world, key).headers["location"] == "/me"
    assert "Laptop" in world.client.get("/me").text
    assert prove(world, key, "/console/keys").headers["location"] == "/console/keys"
    assert world.get("/console").status_code == 200
    (kept,) = passkeys_of(world, world.staff["support"])
    assert (kept.sign_count, kept.used_us is None) == (1, False)


def passkeys_of(world: World, person_id: UUID) -> list[Passkey]:
    ports = world.process.tools.passkeys
    assert ports is not None
    return ports.passkeys.of(person_id)


def test_it_stands_for_password_and_code(world: World, key: Authenticator) -> None:
    """Whoever is asked for codes gives one to add it, and none to come in by it."""
    seed = pyotp.random_base32()
    world.process.people.people.set_totp(world.staff["support"], seed)
    world.as_staff("support")
    assert world.post("/sign-in/code", code=pyotp.TOTP(seed).now()).status_code == 303
    assert begin(world, code="000000").status_code == 403
    world.process.people.people.set_totp(
        world.staff["support"], seed
    )  # the code of this half minute was used
    page = begin(world, code=pyotp.TOTP(seed).now())
    answer = key.make(options_on(page))
    assert world.post("/me/passkeys", token=world.token("/me"), answer=answer).status_code == 303
    assert prove(world, key).headers["location"] == "/console"
    assert world.get("/console").status_code == 200


def test_nobody_adds_one_without_the_password(world: World) -> None:
    """A browser that was left open is not enough."""
    world.as_staff("support")
    assert begin(world, password="another password").status_code == 403
    assert begin(world, name=" ").status_code == 400


@pytest.mark.parametrize(
    "forge",
    [
        lambda key: setattr(key, "origin", "https://console.test.evil.example"),
        lambda key: setattr(key, "origin", "http://console.test"),
        lambda key: setattr(key, "verifies", False),
        lambda key: setattr(key, "rp_id", "evil.example"),
        lambda key: setattr(key, "user_handle", UUID(int=5).bytes),
        lambda key: setattr(key, "credential_id", b"credential-2"),
        lambda key: setattr(key, "count", 0),
        lambda key: key.__dict__.update(_key=Authenticator(origin="", rp_id="")._key),
    ],
    ids=[
        "other site",
        "no TLS",
        "not verified",
        "other name",
        "other person",
        "other key",
        "copied",
        "forged",
    ],
)
def test_what_does_not_hold_lets_nobody_in(
    world: World, key: Authenticator, forge: Callable[[Authenticator], None]
) -> None:
    """A false page, a stolen device that asked for no finger, a copy that lags behind, a key of somebody's own."""
    world.as_staff("support")
    add(world, key)
    assert prove(world, key).status_code == 303
    forge(key)
    answer = prove(world, key)
    assert answer.status_code == 403
    assert "That did not work." in answer.text
    assert world.get("/console").status_code == 303


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", "\0", '{"id": 5}', "x" * 20_000, "[" * 9_000])
def test_any_input_is_refused_plainly(world: World, answer: str) -> None:
    world.client.cookies.clear()
    world.get(WAY)
    assert world.post(WAY, answer=answer).status_code == 403


def test_an_answer_counts_once_and_for_the_page_that_asked(world: World, key: Authenticator) -> None:
    """The same answer again, with its cookie, one to another page's challenge, and one without a cookie get nowhere."""
    key.counts = False  # only the challenge tells
    world.as_staff("support")
    add(world, key)
    world.client.cookies.clear()
    page = world.get(WAY)
    cookie = world.client.cookies["tokenok_passkey"]
    answer = key.prove(options_on(page))
    assert world.post(WAY, answer=answer).status_code == 303
    world.client.cookies.clear()
    world.client.cookies.set("tokenok_passkey", cookie, domain="console.test", path="/")
    token = world.token()
    assert world.post(WAY, token=token, answer=answer).status_code == 403, "again"
    other = key.prove(options_on(world.get(WAY)))
    world.get(WAY)
    assert world.post(WAY, answer=other).status_code == 403, "another page's"
    world.client.cookies.clear()
    assert world.post(WAY, answer=other).status_code == 403, "no cookie"
    assert prove(world, key).status_code == 303, "and it works all the same"


def test_what_was_asked_of_one_person_adds_nothing_to_another(world: World, key: Authenticator) -> None:
    """Nor does an answer to the sign-in page add anything."""
    world.as_staff("support")
    answer = key.make(options_on(begin(world)))
    cookie = world.client.cookies["tokenok_passkey"]
    world.as_staff("finance")
    world.client.cookies.set("tokenok_passkey", cookie, domain="console.test", path="/")
    assert world.post("/me/passkeys", token=world.token("/me"), answer=answer).status_code == 403
    assert passkeys_of(world, world.staff["finance"]) == []
    world.client.cookies.clear()
    assert world.post("/me/passkeys", answer=answer).status_code == 401


def test_a_known_passkey_is_not_added_again(world: World, key: Authenticator) -> None:
    """Not to somebody else either, whatever the browser was asked to exclude."""
    world.as_staff("support")
    assert add(world, key).status_code == 303
    assert json.loads(options_on(begin(world)))["excludeCredentials"]
    assert add(world, key).status_code == 403
    world.as_staff("finance")
    assert add(world, key).status_code == 403
    key.user_handle = world.staff["support"].bytes
    assert prove(world, key).status_code == 303
    assert len(passkeys_of(world, world.staff["support"])) == 1


def test_a_removed_passkey_opens_nothing(world: World, key: Authenticator) -> None:
    """Its owner removes it; nobody else can."""
    world.as_staff("support")
    add(world, key)
    name = key.credential_id.hex()
    world.as_staff("finance")
    world.post("/me/passkeys/remove", token=world.token("/me"), credential_id=name)
    assert prove(world, key).status_code == 303
    world.post("/me/passkeys/remove", token=world.token("/me"), credential_id="no hex")
    world.post("/me/passkeys/remove", token=world.token("/me"), credential_id=name)
    assert prove(world, key).status_code == 403


def test_as_many_as_one_may_have(world: World) -> None:
    world.as_staff("support")
    ports = world.process.tools.passkeys
    assert ports is not None
    for number in range(PER_PERSON_MAX):
        one = Passkey(
            credential_id=b"%d" % number,
            person_id=world.staff["support"],
            public_key=b"k",
            sign_count=0,
            name="n",
            made_us=number,
        )
        ports.passkeys.add(one)
    more = Authenticator(origin=CONSOLE_URL, rp_id="console.test", credential_id=b"more")
    assert "You have twenty passkeys." in add(world, more).text


def test_guessing_is_locked_by_address(world: World, key: Authenticator) -> None:
    """As many failures as with passwords; then what holds is not looked at either."""
    world.as_staff("support")
    add(world, key)
    sign_in, visitor = world.process.tools.sign_in, Visitor(address="testclient")
    for _ in range(ADDRESS_FAILURES_MAX):
        sign_in.knock(visitor)
    answer = prove(world, key)
    assert answer.status_code == 429


class Later(msgspec.Struct, frozen=True):
    """A clock that is ahead."""

    clock: Clock
    by_us: int

    def now_us(self) -> int:
        return self.clock.now_us() + self.by_us


@pytest.mark.parametrize("by_us", [VALID_US + 1_000_000, -1_000_000])
def test_a_challenge_grows_old(world: World, key: Authenticator, by_us: int) -> None:
    """And one from the future is none of ours."""
    world.as_staff("support")
    add(world, key)
    tools = world.process.tools
    assert tools.passkeys is not None
    challenge = new_challenge(tools.sign_in)
    answer = key.prove(tools.passkeys.authenticators.options_to_prove(challenge.value))
    later = msgspec.structs.replace(tools.sign_in, clock=Later(tools.sign_in.clock, by_us))
    with pytest.raises(PasskeyRefused):
        sign_in_with_passkey(
            answer, challenge, sign_in=later, ports=tools.passkeys, visitor=Visitor(address="a")
        )


def test_who_did_not_add_it_is_told(world: World, key: Authenticator) -> None:
    """By mail, at an address that was confirmed."""
    world.as_staff("support")
    add(world, key)
    assert world.mailbox.letters == []
    world.post("/me/confirm", token=world.token("/me"))
    path = world.mailbox.path()
    world.post(path, token=world.token(path))
    other = Authenticator(origin=CONSOLE_URL, rp_id="console.test", credential_id=b"second")
    assert add(world, other).status_code == 303
    assert type(world.mailbox.letters[-1].letter).__name__ == "PasskeyAdded"
    before = len(world.mailbox.letters)
    for _ in range(2):  # the second time there is none any more
        world.post("/me/passkeys/remove", token=world.token("/me"), credential_id=b"second".hex())
    assert [type(one.letter).__name__ for one in world.mailbox.letters[before:]] == ["PasskeyRemoved"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8100", "http://console.test", "https://[::1]"])
def test_addresses_without_passkeys_do_not_offer_them(database_url: str, url: str) -> None:
    """Browsers keep none for a bare IP address or without TLS."""
    with make_world(database_url, console_url=url) as world:
        assert "passkey" not in world.client.get("/sign-in").text
        assert world.get(WAY).status_code == 404
        world.as_staff("support")
        assert "asskey" not in world.client.get("/me").text
        assert begin(world).status_code == 404
