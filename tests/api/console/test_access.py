"""Every route of the console against every kind of caller, from the running application's own list of routes."""

from typing import Final

from api.console.access import NEEDS, Needs
from domain.members import MEMBER_PERMISSIONS
from domain.operators import PERMISSIONS
from tests.api.console.conftest import ACCOUNT, OTHER, World

#: What anybody may ask for, and why: there is no other way in.
ANYBODY: Final = {
    ("GET", "/assets/{version}/{name}"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/join/{secret}"),
    ("POST", "/join/{secret}"),
    ("GET", "/join/{account_id}/{secret}"),
    ("POST", "/join/{account_id}/{secret}"),
    ("POST", "/preferences"),
    ("GET", "/"),
    ("GET", "/models"),
    ("GET", "/status"),
    ("GET", "/sign-in/passkey"),
    ("POST", "/sign-in/passkey"),
    ("GET", "/sign-in/company"),
    ("GET", "/sign-in/company/back"),
    ("GET", "/sign-up"),
    ("POST", "/sign-up"),
    ("GET", "/sign-up/{secret}"),
    ("POST", "/sign-up/{secret}"),
    ("GET", "/forgot"),
    ("POST", "/forgot"),
    ("GET", "/reset/{secret}"),
    ("POST", "/reset/{secret}"),
    ("GET", "/confirm/{secret}"),
    ("POST", "/confirm/{secret}"),
    ("GET", "/take-back/{secret}"),
    ("POST", "/take-back/{secret}"),
}
HEALTH: Final = {("GET", "/healthz"), ("GET", "/readyz")}
SOMETHING: Final = "00000000-0000-0000-0000-000000000007"

Route = tuple[str, str]


def served(world: World) -> dict[Route, Needs | None]:
    """What each route says that it needs."""
    found: dict[Route, Needs | None] = {}
    for route in world.client.app.routes:
        if route.path.startswith("/api/"):  # has guards and a matrix of its own: tests/api/customer
            continue
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods - {"OPTIONS"}:
                found[str(method), route.path_format] = handler.opt.get(NEEDS)
    return found


def url_of(path: str, *, account: object = ACCOUNT) -> str:
    parts = path.split("/")
    return "/".join(
        str(account) if part == "{account_id}" and "app" in parts else _something(part) for part in parts
    )


def _something(part: str) -> str:
    """In the place of a parameter; a version is a number."""
    if "{" not in part:
        return part
    return "1" if part == "{version}" else SOMETHING


def ask(world: World, method: str, url: str, *, token: str) -> int:
    if method == "POST":
        return world.post(url, token=token).status_code
    return world.get(url).status_code


def test_every_route_says_what_it_needs(world: World) -> None:
    """One that is not listed here as open to anybody asks for somebody; only health needs nobody."""
    routes = served(world)
    assert {route for route, needs in routes.items() if needs is None} == HEALTH
    assert {route for route, needs in routes.items() if needs == Needs("anybody")} == ANYBODY
    for (_, path), needs in routes.items():
        assert path.startswith("/console") == (needs is not None and needs.area == "staff"), path
        assert path.startswith("/app/") == (needs is not None and needs.area == "account"), path


def test_what_the_framework_would_answer_by_itself_is_closed(world: World) -> None:
    """OPTIONS is no request of ours: refused as such on every address, with or without a session, and never a failure."""
    for sign_in in (world.client.cookies.clear, lambda: world.as_staff("admin")):
        sign_in()
        for _, path in served(world).keys() - HEALTH:
            assert world.client.options(url_of(path)).status_code == 405, path


def test_nobody_gets_anything_but_the_way_in(world: World) -> None:
    """Without a session every other page leads to the sign-in, and every other form asks to sign in first."""
    world.client.cookies.clear()
    token = world.token()
    for (method, path), needs in served(world).items():
        if needs is not None and needs.area != "anybody":
            if method == "POST":
                assert world.post(url_of(path), token=token).status_code == 401, path
                continue
            answer = world.get(url_of(path))
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path


def test_each_operator_gets_what_their_permissions_allow(world: World) -> None:
    """The matrix, role by role; and none of them is a member of an account."""
    routes = served(world)
    for role, allowed in PERMISSIONS.items():
        world.as_staff(role)
        token = world.token("/me")
        for (method, path), needs in routes.items():
            if needs is None or needs.area not in {"staff", "account"}:
                continue
            status = ask(world, method, url_of(path), token=token)
            if needs.area == "account":
                assert status == 404, (role, path)
            elif needs.permission in allowed:
                assert status not in {401, 403}, (role, path)
                assert status < 500, (role, path)
            else:
                assert status == 403, (role, path)


def test_each_member_gets_what_their_permissions_allow_in_their_own_account(world: World) -> None:
    """The matrix, role by role: another account, and the administration, are as if they were not there."""
    routes = served(world)
    for role, allowed in MEMBER_PERMISSIONS.items():
        world.as_member(role)
        token = world.token("/me")
        for (method, path), needs in routes.items():
            if needs is None or needs.area not in {"staff", "account"}:
                continue
            if needs.area == "staff":
                assert ask(world, method, url_of(path), token=token) == 404, (role, path)
                continue
            assert ask(world, method, url_of(path, account=OTHER), token=token) == 404, (role, path)
            if needs.permission not in allowed:
                assert ask(world, method, url_of(path), token=token) == 403, (role, path)
            elif method == "GET":
                status = ask(world, method, url_of(path), token=token)
                assert status == (404 if path.count("{") > 1 else 200), (role, path)
