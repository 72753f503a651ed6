"""Every route of the customers' API against every role and against another customer, from the application's own list of routes."""

from typing import Any
from uuid import UUID

from api.admin.access import PERMISSION
from api.customer.app import PREFIX
from api.customer.commands import ALLOWED, Allowed
from application.members import change_member_role, invite_member
from application.people.join import Who, join_as_somebody_new
from bootstrap import make_people, open_pool
from domain.fact import SYSTEM, Actor
from domain.management import ManagementKeyIssued
from domain.members import MEMBER_PERMISSIONS
from domain.secret import Secret
from tests.api.customer.conftest import MINE, OTHER, ROLES, World, management_secret, things_of
from tests.waiting import until

SOMETHING = UUID(int=7)
OPEN = {("GET", "/docs"), ("GET", "/docs/assets/{name}"), ("GET", "/schema/openapi.json")}
#: What these need to answer at all.
QUERIES = {"/usage": "?month=2026-11", "/statements": "?month=2026-11"}
#: The field of the fixture's things that stands for a path's or a command's id.
THINGS = {
    "endpoint": "endpoint_id",
    "key": "key_id",
    "order": "order_id",
    "budget": "budget_id",
    "management-key": "management_key_id",
}

Route = tuple[str, str]


def served(world: World) -> dict[Route, str | None]:
    """What each route needs."""
    found: dict[Route, str | None] = {}
    for route in world.client.app.routes:
        if not route.path.startswith(f"{PREFIX}/") or route.path.startswith(f"{PREFIX}/admin"):
            continue
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods - {"OPTIONS"}:
                place = (str(method), route.path_format.removeprefix(PREFIX))
                found[place] = handler.opt.get(PERMISSION)
    return found


def url_of(path: str, *, thing: object = SOMETHING) -> str:
    url = path.replace("{form}", "csv")
    if "{" in url:
        url = url.partition("{")[0] + str(thing) + url.rpartition("}")[2]
    return url + QUERIES.get(path.partition("/{")[0], "")


def test_every_route_says_what_it_needs(world: World) -> None:
    """Only the description needs nobody."""
    routes = served(world)
    assert {route for route, needed in routes.items() if needed is None} == OPEN
    assert {("POST", one.entry.path) for one in ALLOWED} == {route for route in routes if route[0] == "POST"}


def test_each_role_gets_what_its_permissions_allow_and_403_elsewhere(world: World) -> None:
    """The matrix, role by role; an allowed POST of nonsense is refused for its body, not for its caller."""
    for role in ROLES:
        allowed = MEMBER_PERMISSIONS[role] - {"members"}
        for (method, path), needed in served(world).items():
            if needed is None:
                continue
            answer = world.ask(method, url_of(path), role=role, body=b"[]")
            if needed not in allowed:
                assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted"), (role, path)
            elif method == "POST":
                assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), (role, path)
            else:
                wanted = 404 if "{" in path and "{form}" not in path else 200
                assert answer.status_code == wanted, (role, path, answer.text)


def test_answers_are_kept_nowhere_and_nothing_else_is_answered(world: World) -> None:
    """Data and refusals say so, in both; OPTIONS, which the framework would answer by itself, is no request of ours."""
    for path in ("/keys", f"/keys/{SOMETHING}"):
        headers = world.ask("GET", path).headers
        said = (headers["cache-control"], headers["x-content-type-options"])
        assert said == ("no-store", "nosniff"), path
    assert world.ask("OPTIONS", "/keys").status_code == 405


def test_what_is_another_customers_is_not_there(world: World) -> None:
    """Each route that names something, and each command, tried with the other customer's: 404, as for what does not exist."""
    theirs = things_of(world, OTHER)
    for method, path in served(world):
        if method == "GET" and "_id}" in path:
            thing = theirs.get(path.partition("{")[2].partition("}")[0], str(SOMETHING))
            answer = world.ask(method, url_of(path, thing=thing))
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    for allowed in ALLOWED:
        if allowed.permission == "members":
            continue  # no program has it; the console's matrix tries these
        for body in foreign_bodies(allowed, theirs):
            answer = world.ask("POST", allowed.entry.path, body=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (allowed, answer.text)


def foreign_bodies(allowed: Allowed, theirs: dict[str, str]) -> list[dict[str, Any]]:
    if allowed.own == "budgeted":
        terms = {"amount_nano": 1, "window": "day", "enforcement": "hard"}
        return [terms | {name: theirs[name]} for name in ("key_id", "budget_id")]
    if allowed.own == "account":
        return []
    name = THINGS[allowed.own]
    more = {one: "x" for one in ("reason", "url") if one in allowed.fields}
    return [{name.removeprefix("management_"): one, **more} for one in (theirs[name], str(OTHER))]


def test_lists_show_nothing_of_another_customer(world: World) -> None:
    """No id of theirs is in any list."""
    theirs = things_of(world, OTHER)
    for method, path in served(world):
        if method == "GET" and "{" not in path and (method, path) not in OPEN:
            text = world.ask(method, url_of(path)).text
            assert not [one for one in [*theirs.values(), str(OTHER)] if one in text], path


def test_no_field_but_the_listed_ones_is_taken(world: World) -> None:
    """Not the account, nor an id of one's own choice, nor what only operators say."""
    for allowed in ALLOWED:
        if allowed.permission == "members":
            continue
        for name in {*allowed.entry.command.__struct_fields__, "permission", "x"} - allowed.fields:
            answer = world.ask("POST", allowed.entry.path, body={name: str(OTHER)})
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), (allowed, name)


def test_without_a_key_every_route_answers_401(world: World) -> None:
    """No key, half a key, another scheme: one answer."""
    for value in (b"", b"Bearer", b"Bearer tk_mgmt_wrong", b"Basic abc", b"Bearer \xff"):
        headers = [(b"authorization", value)] if value else []
        for (method, path), needed in served(world).items():
            if needed is not None:
                answer = world.client.request(method, PREFIX + url_of(path), headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token"), (path, value)


def test_keys_of_other_kinds_and_two_at_once_open_nothing(world: World) -> None:
    """An API key calls models, an operator's token is for operators; and a management key is good for neither."""
    api_key = world.done("/keys/issue", {"name": "Laptop"})["secret"]
    mine = world.secrets[MINE, "admin"]
    for headers in (
        [("authorization", f"Bearer {api_key}")],
        [("authorization", f"Bearer {mine}"), ("authorization", f"Bearer {mine}")],
        [("authorization", f"Bearer {mine}"), ("authorization", f"Bearer {world.secrets[OTHER, 'admin']}")],
    ):
        assert world.client.get(f"{PREFIX}/balance", headers=headers).status_code == 401
    headers = [("authorization", f"Bearer {mine}")]
    assert world.client.get("/v1/models", headers=headers).status_code == 401
    assert world.client.get("/api/admin/accounts", headers=headers).status_code == 401


def test_a_members_key_is_worth_what_the_member_is_now(world: World) -> None:
    """Demoted, it allows less; it was made by an owner for `admin`."""
    ports = world.ports
    invited = invite_member.InviteMember(account_id=MINE, role="owner")
    settings = world.process.settings
    people_ids = []
    with open_pool(settings) as pool:
        people = make_people(settings, pool)
        for name in ("ada", "ben"):
            link = invite_member.handle(invited, actor=SYSTEM, ports=ports).link.reveal()
            who = Who(email=f"{name}@customer.example", password=Secret("a long enough password"))
            people_ids.append(
                join_as_somebody_new(MINE, link.rpartition("/")[2], who, ports=ports, people=people)
            )
    ada, ben = people_ids
    secret = management_secret(ports, MINE, "admin", by=Actor("member", ada))
    made = [
        one
        for one in ports.store.read_control(after_position=0, limit=500)
        if one.topic == ManagementKeyIssued.TOPIC
    ]
    until(lambda: world.process.directory.position >= made[-1].position)
    headers = {"authorization": f"Bearer {secret}"}
    assert world.client.get(f"{PREFIX}/account", headers=headers).json()["permissions"] == [
        "billing",
        "keys",
        "read",
    ]
    demote = change_member_role.ChangeMemberRole(account_id=MINE, person_id=ada, role="viewer")
    change_member_role.handle(demote, actor=Actor("member", ben), ports=ports)
    until(lambda: world.client.get(f"{PREFIX}/account", headers=headers).json()["permissions"] == ["read"])


def test_unknown_paths_answer_404_as_a_problem(world: World) -> None:
    """Also for a path that is no route."""
    answer = world.client.get(f"{PREFIX}/nonsense")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"
