"""Reports over the admin API, as an auditor reads them."""

from typing import Any

import pytest

from tests.api.admin.conftest import World

MONTH = {"month": "2026-11", "zone": "Asia/Tokyo"}


def get(world: World, path: str, **query: str) -> Any:
    """What an auditor is answered; it must succeed."""
    answer = world.client.get(f"/api/admin{path}", params=query, headers=world.as_role("auditor"))
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ["/usage", "/earnings"])
def test_sums_are_read_by_whoever_may_read(world: World, path: str) -> None:
    """An empty month is an empty page; nobody reads without a token."""
    assert get(world, path, **MONTH, by="day,alias") == {"items": [], "next_after": None}
    assert world.client.get(f"/api/admin{path}", params=MONTH).status_code == 401


@pytest.mark.parametrize("query", [{}, {"month": "May"}, MONTH | {"zone": "Moon"}, MONTH | {"by": "colour"}])
def test_what_cannot_be_asked_is_said(world: World, query: dict[str, str]) -> None:
    """A period is needed, a zone must exist, and groups are those of the report."""
    answer = world.client.get("/api/admin/usage", params=query, headers=world.as_role("auditor"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")
