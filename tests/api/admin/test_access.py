"""Every route of the admin API against every role, from the running application's own list of routes."""

import re
from uuid import UUID

import pytest

from api.admin.app import PREFIX
from api.admin.commands import COMMANDS
from domain.operators import PERMISSIONS, Permission, Role
from tests.api.admin.conftest import World
from tests.commands import all_commands

READING = (
    "/accounts",
    "/accounts/{account_id:uuid}",
    "/accounts/{account_id:uuid}/auto-recharge",
    "/adjustments",
    "/alerts",
    "/balances/alerts",
    "/charges/disputes/{request_id:uuid}",
    "/charges/reviews",
    "/aliases",
    "/announcements",
    "/audit-log",
    "/audit-log/csv",
    "/balances",
    "/balances/debts",
    "/balances/{account_id:uuid}",
    "/budgets",
    "/codes",
    "/work",
    "/codes/redemptions",
    "/credentials",
    "/deployments",
    "/documents",
    "/documents/due",
    "/documents/{document_id:uuid}",
    "/documents/{document_id:uuid}/pdf",
    "/endpoints/{endpoint_id:uuid}/messages",
    "/explanations/accounts/{account_id:uuid}",
    "/explanations/balances/{account_id:uuid}",
    "/explanations/keys/{key_id:uuid}",
    "/holds",
    "/keys",
    "/keys/{key_id:uuid}",
    "/ledger/health",
    "/mails",
    "/money/balances",
    "/money/open",
    "/offers",
    "/operators",
    "/orders",
    "/orders/{order_id:uuid}",
    "/orders/{order_id:uuid}/receipt",
    "/postpaid/accounts/{account_id:uuid}",
    "/postpaid/proposals",
    "/postpaid/receivables",
    "/presets",
    "/refunds",
    "/presets/{preset_id}",
    "/prices",
    "/prices/proposals",
    "/providers",
    "/receipts/{request_id:uuid}",
    "/refund-requests",
    "/requests",
    "/requests/{request_id:uuid}",
    "/seal/proofs/{position}",
    "/trial-balance",
    "/webhooks",
)
#: These want parameters, or something that this installation has not got.
ASKING = (
    "/exchange-rates",
    "/earnings",
    "/explanations/books",
    "/management-keys",
    "/money/months/{month}",
    "/endpoints",
    "/repricing/plan",
    "/explanations/prices",
    "/explanations/refusals/{account_id:uuid}",
    "/explanations/statements/{account_id:uuid}",
    "/explanations/usage/{account_id:uuid}",
    "/seal",
    "/seal/consistency",
    "/statements/{account_id:uuid}",
    "/statements/{account_id:uuid}/pdf",
    "/statements/{account_id:uuid}/{form}",
    "/usage",
)
#: What tells nothing that the source code does not.
OPEN = {("GET", "/docs"), ("GET", "/docs/assets/{name}"), ("GET", "/schema/openapi.json")}
MATRIX: dict[tuple[str, str], Permission] = {("GET", path): "read" for path in READING + ASKING}
MATRIX |= {("POST", entry.path): entry.permission for entry in COMMANDS}
SOMETHING = UUID(int=7)


def served(world: World) -> set[tuple[str, str]]:
    return {
        (str(method), route.path_format.removeprefix(PREFIX))
        for route in world.client.app.routes
        if route.path.startswith(f"{PREFIX}/")
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }


def test_no_route_is_missing_from_the_matrix(world: World) -> None:
    """What the application serves is exactly what the matrix below tries, and the description, which is open."""
    formats = {(method, path.replace(":uuid}", "}")) for method, path in MATRIX}
    assert served(world) == formats | OPEN


def test_each_role_gets_what_its_permissions_allow_and_403_elsewhere(world: World) -> None:
    """The matrix, role by role; an allowed POST of nonsense is refused for its body, not for its caller."""
    for role, allowed in PERMISSIONS.items():
        for (method, path), needed in MATRIX.items():
            url = PREFIX + re.sub(r"{[^}]*}", str(SOMETHING), path)
            answer = world.client.request(method, url, headers=world.as_role(role), content=b"[]")
            if needed not in allowed:
                assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted"), (role, url)
            elif method == "POST":
                assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), (role, url)
            elif path in ASKING:
                assert answer.status_code not in (401, 403), (role, url, answer.text)
            else:
                assert answer.status_code == (404 if "{" in path else 200), (role, url, answer.text)


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer tk_op_wrong", "Basic abc", "Bearer \xff"])
def test_without_a_token_every_route_answers_401(world: World, header: str | None) -> None:
    """No token, half a token, another scheme: 401 as a problem, and nothing is told of the route."""
    headers = [] if header is None else [(b"authorization", header.encode("latin-1"))]
    for method, path in MATRIX:
        answer = world.client.request(
            method, PREFIX + path.replace("{", "").replace("}", ""), headers=headers
        )
        if "{" in path:
            continue
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token"), path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_answers_are_kept_nowhere_and_nothing_else_is_answered(world: World) -> None:
    """Data and refusals say so, in both; OPTIONS, which the framework would answer by itself, is no request of ours."""
    for path in ("/accounts", f"/accounts/{SOMETHING}", "/explanations/nothing"):
        headers = world.client.get(PREFIX + path, headers=world.as_role("admin")).headers
        said = (headers["cache-control"], headers["x-content-type-options"])
        assert said == ("no-store", "nosniff"), path
    answer = world.client.options(f"{PREFIX}/accounts", headers=world.as_role("admin"))
    assert answer.status_code == 405


def test_unknown_paths_answer_404_as_a_problem(world: World) -> None:
    """Also for a path that is no route."""
    answer = world.client.get(f"{PREFIX}/nonsense", headers=world.as_role("admin"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_command_class_is_in_the_table() -> None:
    """A new command without a route is noticed here."""
    known = {entry.command for entry in COMMANDS}
    assert set(all_commands()) <= known


def test_roles_are_those_of_the_domain(world: World) -> None:
    """The matrix tries all of them."""
    roles: set[Role] = {"admin", "operator", "support", "finance", "auditor"}
    assert set(world.tokens) == roles
