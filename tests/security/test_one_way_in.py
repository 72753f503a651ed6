"""A key is sent in one way, and whatever is wrong with what is sent, one cannot tell what."""

import httpx
import pytest

from application.accounts import open_account
from application.keys import issue_key, revoke_key
from domain.fact import SYSTEM
from tests.api.v1.gateway_world import World, ask
from tests.waiting import until

#: Of each answer its own; everything else must be equal.
OF_THEIR_OWN = {"x-request-id", "request-id", "date"}
INJECTIONS = ("' OR '1'='1", "'; DROP TABLE events; --", "%%%%%%%%", "\\", '" OR ""="', "$(id)", "{{7*7}}")


def answer_to(world: World, secret: str, path: str = "/v1/models") -> httpx.Response:
    return world.client.get(path, headers={"authorization": f"Bearer {secret}"})


def told(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, object]]:
    """What somebody can learn from an answer."""
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THEIR_OWN}
    error = {name: value for name, value in answer.json()["error"].items() if name != "request_id"}
    return answer.status_code, headers, error


def revoked_key(world: World) -> str:
    """One that was served, and was then revoked by another process."""
    account_id = world.ports.ids.new()
    opened = open_account.OpenAccount(name="Gone", account_id=account_id)
    open_account.handle(opened, actor=SYSTEM, ports=world.ports)
    issued = issue_key.handle(
        issue_key.IssueKey(account_id=account_id, name="gone"), actor=SYSTEM, ports=world.ports
    )
    secret = issued.secret.reveal()
    until(lambda: answer_to(world, secret).status_code == 200)
    revoke = revoke_key.RevokeKey(key_id=issued.key_id, reason="leaked")
    revoke_key.handle(revoke, actor=SYSTEM, ports=world.ports)
    until(lambda: answer_to(world, secret).status_code == 401)
    return secret


def test_a_key_that_was_revoked_elsewhere_is_dead_here(world: World) -> None:
    """The gateway reads it off the log, with nobody to wake it up; no endpoint serves the key after that."""
    secret = revoked_key(world)
    headers = {"authorization": f"Bearer {secret}"}
    assert world.client.post("/v1/chat/completions", json=ask(), headers=headers).status_code == 401
    messages = world.client.post("/v1/messages", json=ask(), headers={"x-api-key": secret})
    assert messages.status_code == 401
    assert world.chat(ask()).status_code == 200  # other keys are served


def test_every_wrong_key_gets_the_same_answer(world: World) -> None:
    """Unknown, revoked, cut short, or one letter beside a good one: status, headers and words are equal."""
    good = world.seed.api_key
    beside = good[:-1] + ("A" if good[-1] != "A" else "B")
    wrong = (beside, good[:12], good[:-1], revoked_key(world), "tk_live_" + "0" * 40, "sk-anything")
    first, *others = (told(answer_to(world, one)) for one in wrong)
    assert first[0] == 401
    assert others == [first] * len(others)
    assert not any(one in str(first) for one in wrong)


@pytest.mark.parametrize("name", ["api_key", "key", "access_token", "authorization"])
def test_a_key_in_an_address_is_no_key_and_in_no_log(world: World, name: str) -> None:
    """Addresses are logged by everything on the way."""
    secret = world.new_key(f"In an address as {name}", amount_nano=10**9)
    assert world.client.get("/v1/models", params={name: secret}).status_code == 401
    assert world.client.post("/v1/chat/completions", params={name: secret}, json=ask()).status_code == 401
    assert world.client.get("/v1/models", headers={"x-goog-api-key": secret}).status_code == 401
    assert world.client.get("/v1/models", headers={"cookie": f"{name}={secret}"}).status_code == 401
    assert secret not in world.log.read_text()


@pytest.mark.parametrize("text", INJECTIONS)
def test_sql_in_the_place_of_a_key_is_no_key(world: World, text: str) -> None:
    """Before anybody is known, at programs' and at operators' door."""
    assert answer_to(world, text).status_code == 401
    assert answer_to(world, f"{world.seed.api_key}{text}").status_code == 401
    assert answer_to(world, text, "/api/admin/accounts").status_code == 401
