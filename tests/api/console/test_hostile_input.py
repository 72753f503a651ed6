"""What people write into addresses and names: every page takes it for text, whatever it is."""

import inspect

import pytest

from application.accounts import rename
from application.keys import issue_key
from application.operators import register_operator
from domain.fact import SYSTEM
from tests.api.console.conftest import ACCOUNT, World

ODD = (
    "'; DROP TABLE people; --",
    "' OR '1'='1",
    "%" * 200,
    "_" * 200,
    "\\",
    "\x00",
    "\ud7ff\u202e",
    "9" * 400,
    "-1",
    "NaN",
    "😀" * 300,
    "00000000-0000-0000-0000-000000000000",
)
HOSTILE = '"><script>alert(1)</script>'
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;"


def questions(world: World, start: str) -> list[tuple[str, str]]:
    """Each page below a path that needs no other thing's id, with each name that it can be asked by."""
    found = []
    for route in world.client.app.routes:
        path = route.path_format.replace("{account_id}", str(ACCOUNT))
        if "{" in path or not path.startswith(start):
            continue
        for handler in getattr(route, "route_handlers", ()):
            if "GET" in handler.http_methods:
                names = inspect.signature(handler.fn).parameters
                found += [(path, name) for name in names if name not in {"request", "account_id"}]
    return sorted(set(found))


@pytest.mark.parametrize("start", ["/console", "/app/"])
def test_odd_questions_never_break_a_page(world: World, start: str) -> None:
    """SQL, wildcards by the hundred, NUL, numbers without end: an answer or a refusal, and no fault of ours."""
    if start == "/console":
        world.as_staff("admin")
    else:
        world.as_member("owner")
    world.project()  # a read model that is not there yet answers every question with nothing
    asked = questions(world, start)
    assert len(asked) > 10
    for path, name in asked:
        for value in ODD:
            answer = world.client.get(path, params={name: value}, follow_redirects=False)
            assert answer.status_code < 500, (path, name, value)


def test_names_are_shown_and_not_run(world: World) -> None:
    """Of a company, a key and an operator, on every page that needs no other id: escaped wherever they stand."""
    ports, account_id = world.process.ports, ACCOUNT
    named = rename.Rename(subject_id=account_id, name=HOSTILE)
    rename.handle(named, actor=SYSTEM, ports=ports)
    issue_key.handle(issue_key.IssueKey(account_id=account_id, name=HOSTILE), actor=SYSTEM, ports=ports)
    register_operator.handle(
        register_operator.RegisterOperator(name=HOSTILE, role="support"), actor=SYSTEM, ports=ports
    )
    world.refresh()
    world.project()
    seen = 0
    for start in ("/console", "/app/"):
        if start == "/console":
            world.as_staff("admin")
        else:
            world.as_member("owner")
        pages = {path for path, _ in questions(world, start)}
        pages |= {"/console", "/console/operators", f"/console/customers/{account_id}"}
        for path in pages:
            text = world.client.get(path, follow_redirects=False).text
            assert "<script>alert" not in text, path
            seen += SHOWN in text
    assert seen > 5
