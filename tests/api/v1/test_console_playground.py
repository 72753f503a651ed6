"""The console's playground through a real gateway: answers, charges, and whose key it is."""

import asyncio
import json
import re
from collections.abc import Iterator
from uuid import UUID

import httpx
import msgspec
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from adapters.people.passwords import ArgonPasswords
from adapters.playground.gateway import HttpChatGateway
from application.accounts import open_account
from application.members import invite_member
from application.people.join import Who, join_as_somebody_new
from application.playground.ports import GatewayAway
from bootstrap import make_people, open_pool
from console_app import make_console
from console_process import ConsoleProcess
from demo_seed import ACCOUNT_ID
from domain.fact import SYSTEM
from domain.members import MemberRole
from domain.secret import Secret
from tests.api.v1.gateway_world import World

PASSWORD = "a long enough password"
CONSOLE = "https://console.test"
PAGE = f"/app/{ACCOUNT_ID}/playground"
MODEL = "demo"


class Browser(msgspec.Struct, frozen=True):
    """Somebody signed in."""

    client: TestClient[Litestar]
    process: ConsoleProcess

    def post(self, path: str, **fields: object) -> httpx.Response:
        found = re.search(r'name="_csrf" value="([0-9a-f]+)"', self.client.get("/me").text)
        assert found is not None
        return self.client.post(path, data={"_csrf": found[1], **fields}, follow_redirects=False)

    def ask(self, text: str, *, model: str = MODEL, **more: object) -> list[dict[str, object]]:
        """The events of a streamed answer."""
        messages = json.dumps([{"role": "user", "content": text}])
        answer = self.post(f"{PAGE}/ask", model=model, messages=messages, **more)
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
        return [json.loads(data) for data in lines if data != "[DONE]"]


@pytest.fixture
def browser(world: World) -> Iterator[Browser]:
    settings = msgspec.structs.replace(world.settings, gateway_url=world.url, console_url=CONSOLE)
    cheap = ArgonPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with open_pool(settings) as pool:
        people = msgspec.structs.replace(make_people(settings, pool), passwords=cheap)
        email = _member(world, "developer", people)
        process = ConsoleProcess(settings, people=people, settle_s=0)
        with TestClient(make_console(process), base_url=CONSOLE) as client:
            opened = Browser(client, process)
            page = client.get("/sign-in").text
            found = re.search(r'name="_csrf" value="([0-9a-f]+)"', page)
            assert found is not None
            client.post("/sign-in", data={"_csrf": found[1], "email": email, "password": PASSWORD})
            yield opened


def _member(world: World, role: MemberRole, people: object) -> str:
    command = invite_member.InviteMember(account_id=ACCOUNT_ID, role=role)
    link = invite_member.handle(command, actor=SYSTEM, ports=world.ports).link.reveal()
    email = f"{world.ports.ids.new()}@customer.example"
    who = Who(email=email, password=Secret(PASSWORD))
    join_as_somebody_new(ACCOUNT_ID, link.rpartition("/")[2], who, ports=world.ports, people=people)  # type: ignore[arg-type]  # as made above
    return email


def keys_of(browser: Browser) -> list[str]:
    names = browser.process.ports.names
    keys = [one for one in browser.process.directory.keys.values() if one.account_id == ACCOUNT_ID]
    return [name for name in names.get([one.key_id for one in keys]).values() if name == "Playground"]


def test_an_answer_comes_as_it_is_made_and_tells_its_charge(world: World, browser: Browser) -> None:
    """With a key of its own that no page shows; the charge on the page is the charge in the log."""
    assert "Open it anew" in str(browser.ask("too early")[0]["error"])
    started = browser.post(f"{PAGE}/start")
    (cookie,) = [one for one in started.headers.get_list("set-cookie") if "tokenok_playground" in one]
    assert {"HttpOnly", "Secure", f"Path={PAGE}", "SameSite=strict"} <= set(cookie.split("; "))
    secret = cookie.partition("=")[2].partition(";")[0]
    assert secret not in browser.client.get(PAGE).text
    events = browser.ask("Hello!")
    assert len(events) > 2
    (usage,) = [one["usage"] for one in events if one.get("usage")]
    assert isinstance(usage, dict)
    assert usage["cost"] > 0
    view = browser.process.directory.api_key(browser.process.ports.hasher.digest(secret.encode()))
    assert view is not None
    assert (view.account_id, view.limits.rpm) == (ACCOUNT_ID, 60)


def test_without_a_script_answers_come_side_by_side(browser: Browser) -> None:
    """Several models at once; one that is not there says so beside the others, and markup is text."""
    browser.post(f"{PAGE}/start")
    answer = browser.post(PAGE, model=[MODEL, "nothing"], prompt="<b>Hello</b>", tokens_max="50")
    assert answer.status_code == 200
    assert "&lt;b&gt;Hello&lt;/b&gt;" in answer.text
    assert "<b>Hello" not in answer.text
    assert len(re.findall(r'class="said"', answer.text)) == 2
    assert "nothing" in answer.text
    bad = browser.post(PAGE, model=MODEL, prompt="x", tokens_max="0")
    assert bad.status_code == 400


def test_leaving_ends_the_key(browser: Browser) -> None:
    """At once, everywhere."""
    browser.post(f"{PAGE}/start")
    secret = browser.client.cookies.get("tokenok_playground", path=PAGE) or ""
    browser.post(f"{PAGE}/end")
    view = browser.process.directory.api_key(browser.process.ports.hasher.digest(secret.encode()))
    assert view is None
    late = browser.post(PAGE, model=MODEL, prompt="<i>a long question")
    assert "&lt;i&gt;a long question</textarea>" in late.text, "what was written is not lost with the key"


def test_a_key_of_another_account_is_none(world: World, browser: Browser) -> None:
    """Whatever a browser sends as the cookie: a stranger's key does not play here."""
    other = open_account.OpenAccount(name="Other", account_id=UUID(int=0xBEEF))
    open_account.handle(other, actor=SYSTEM, ports=world.ports)
    theirs = world.new_key("theirs", amount_nano=10**9)
    browser.client.cookies.set("tokenok_playground", theirs, domain="console.test", path=PAGE)
    events = browser.ask("Hello!")
    assert events[0]["error"]


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": "[]"},
        {"messages": "{"},
        {"messages": '[{"role": "tool", "content": "x"}]'},
        {"messages": '[{"role": "user", "content": " "}]'},
        {"messages": '[{"role": "user", "content": "x"}]', "model": "../x y"},
        {"messages": '[{"role": "user", "content": "x"}]', "temperature": "hot"},
        {"messages": '[{"role": "user", "content": "x"}]', "tokens_max": "-1"},
        {"messages": '[{"role": "user", "content": "x"}]', "temperature": "nan"},
    ],
)
def test_what_cannot_be_asked_is_refused(browser: Browser, fields: dict[str, str]) -> None:
    """As an event, and nothing goes out."""
    browser.post(f"{PAGE}/start")
    answer = browser.post(f"{PAGE}/ask", **({"model": MODEL} | fields))
    assert answer.status_code == 400
    assert answer.text.startswith('data: {"error":')


def test_no_gateway_is_told() -> None:
    """Without an address, or a word of the secret."""

    async def ask() -> None:
        gateway = HttpChatGateway("http://127.0.0.1:9")
        try:
            async with gateway.chat(b"{}", secret=Secret("canary")):
                raise AssertionError("nobody listens there")
        finally:
            await gateway.close()

    with pytest.raises(GatewayAway) as told:
        asyncio.run(ask())
    assert "canary" not in repr(told.value)
