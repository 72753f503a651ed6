"""The customers' API on the console's address: for who is signed in there, and for no other site in their name."""

import httpx

from api.console.customer_api import ACCOUNT_HEADER
from application.management import issue_management_key
from domain.fact import SYSTEM
from tests.api.console.conftest import ACCOUNT, OTHER, World
from tests.waiting import until

MINE = {ACCOUNT_HEADER: str(ACCOUNT)}
JSON = {"content-type": "application/json"}
BODY = b'{"name": "Laptop"}'


def post(world: World, path: str, body: bytes = BODY, **headers: str) -> httpx.Response:
    sent = MINE | JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return world.client.post(f"/api{path}", content=body, headers=sent)


def test_a_member_reads_and_commands_by_their_session(world: World) -> None:
    """In the account that the header names; what is done names the member."""
    world.as_member("developer")
    assert world.client.get("/api/account", headers=MINE).json()["permissions"] == ["keys", "read"]
    made = post(world, "/keys/issue")
    assert made.status_code == 201, made.text
    stored = world.process.store.read_stream(made.json()["key_id"])
    assert f'"actor":"member:{world.members["developer"]}"'.encode() in stored[0].state


def test_managing_members_makes_management_keys(world: World) -> None:
    """An admin does, a developer does not; the key opens the same API, and makes none of its own kind."""
    body = b'{"name": "CI", "role": "admin"}'
    world.as_member("developer")
    assert post(world, "/management-keys/issue", body).status_code == 403
    world.as_member("admin")
    made = post(world, "/management-keys/issue", body).json()
    world.client.cookies.clear()
    headers = {"authorization": f"Bearer {made['secret']}"}
    until(lambda: world.client.get("/api/account", headers=headers).status_code == 200)
    refused = world.client.post("/api/management-keys/issue", content=body, headers=headers | JSON)
    assert refused.status_code == 403


def test_another_account_is_not_there(world: World) -> None:
    """As little as one that does not exist, or a header that names none."""
    world.as_member("owner")
    for named in (str(OTHER), "00000000-0000-0000-0000-000000000007", "x", ""):
        answer = world.client.get("/api/account", headers={ACCOUNT_HEADER: named})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), named
    assert world.client.get("/api/account").status_code == 404


def test_nothing_of_another_site_is_done(world: World) -> None:
    """Whatever it makes a browser send along with the session."""
    world.as_member("owner")
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
    ):
        answer = post(world, "/keys/issue", **headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted"), headers


def test_a_stranger_and_half_a_session_get_nothing(world: World) -> None:
    """Without a session there is no account."""
    world.client.cookies.clear()
    assert world.client.get("/api/account", headers=MINE).status_code == 401
    world.client.cookies.set("tokenok_session", "nonsense")
    assert world.client.get("/api/account", headers=MINE).status_code == 401
    world.as_staff("admin")
    assert world.client.get("/api/account", headers=MINE).status_code == 404


def test_a_management_key_decides_before_a_session(world: World) -> None:
    """Whoever sends both means the key."""
    command = issue_management_key.IssueManagementKey(account_id=OTHER, name="CI", role="viewer")
    secret = issue_management_key.handle(command, actor=SYSTEM, ports=world.process.ports).secret.reveal()
    world.as_member("owner")
    headers = MINE | {"authorization": f"Bearer {secret}"}
    until(lambda: world.client.get("/api/account", headers=headers).status_code == 200)
    assert world.client.get("/api/account", headers=headers).json()["account_id"] == str(OTHER)
