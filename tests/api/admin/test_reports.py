"""Reports over the admin API, as an auditor reads them."""

from typing import Any
from uuid import UUID

import pytest

from tests.api.admin.conftest import World
from tests.api.admin.test_commands import opened, post
from tests.cli_runner import project

MONTH = {"month": "2026-11", "zone": "Asia/Tokyo"}


def report(world: World, path: str, **query: str) -> Any:
    """What an auditor is answered; it must succeed."""
    answer = world.client.get(f"/api/admin{path}", params=query, headers=world.as_role("auditor"))
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ["/usage", "/earnings"])
def test_sums_are_read_by_whoever_may_read(world: World, path: str) -> None:
    """An empty month is an empty page; nobody reads without a token."""
    assert report(world, path, **MONTH, by="day,alias") == {"items": [], "next_after": None}
    assert world.client.get(f"/api/admin{path}", params=MONTH).status_code == 401


@pytest.mark.parametrize("query", [{}, {"month": "May"}, MONTH | {"zone": "Moon"}, MONTH | {"by": "colour"}])
def test_what_cannot_be_asked_is_said(world: World, query: dict[str, str]) -> None:
    """A period is needed, a zone must exist, and groups are those of the report."""
    answer = world.client.get("/api/admin/usage", params=query, headers=world.as_role("auditor"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")


def test_a_statement_of_an_account(world: World, database_url: str) -> None:
    """From nothing to what was granted; the figures are integers, the reason is the operator's own."""
    account_id = opened(world)
    grant = {
        "lot_id": str(UUID(int=7)),
        "account_id": account_id,
        "amount_nano": 70,
        "reason": "paid by wire",
    }
    assert post(world, "/credit/grant", grant).status_code == 201
    project(database_url)
    found = report(world, f"/statements/{account_id}", from_us="0", until_us=str(9 * 10**17))
    assert (found["opening_nano"], found["closing_nano"], found["next_after"]) == (0, 70, None)
    assert [(line["kind"], line["amount_nano"], line["reason"]) for line in found["lines"]] == [
        ("grant", 70, "paid by wire")
    ]
    always = {"from_us": "0", "until_us": str(9 * 10**17)}
    at = found["lines"][0]["first_position"]
    line = report(world, f"/explanations/statements/{account_id}", cell=f"line:{at}", **always)
    assert (line["is_right"], line["events"]["items"][0]["proof"]) == (True, f"/seal/proofs/{at}")
    wallet = f"wallet:{account_id}:{UUID(int=7)}"
    assert report(world, "/explanations/books", name=wallet)["balance_nano"] == 70
    for form, kind in (("csv", "text/csv; charset=utf-8"), ("json", "application/json")):
        files = [
            world.client.get(
                f"/api/admin/statements/{account_id}/{form}", params=always, headers=world.as_role("auditor")
            )
            for _ in range(2)
        ]
        assert files[0].content == files[1].content
        assert files[0].headers["content-type"] == kind
    nothing = world.client.get(
        f"/api/admin/statements/{account_id}/pdf", params=always, headers=world.as_role("auditor")
    )
    assert nothing.status_code in {400, 404}


def test_acts_are_shown_with_their_actor(world: World, database_url: str) -> None:
    """Whoever opened an account stands in the audit log by id, in JSON and in CSV."""
    account_id = opened(world)
    project(database_url)
    (act,) = report(world, "/audit-log", subject=account_id)["items"]
    assert (act["actor"], act["topic"]) == (f"operator:{world.operators['admin']}", "account.opened.v1")
    answer = world.client.get(
        "/api/admin/audit-log/csv", params={"subject": account_id}, headers=world.as_role("auditor")
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(answer.text.splitlines()) == 2
