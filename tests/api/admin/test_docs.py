"""The description of the admin API: its page is all ours, and what it says is so."""

import hashlib
import re
from typing import Any
from uuid import UUID

import msgspec
import pytest

from api.admin.commands import COMMANDS
from api.admin.docs import ASSETS
from api.admin.fields import WORDS
from application.catalogue.set_route import Target
from domain.catalogue.prices import PriceText
from tests.api.admin.conftest import World
from tests.api.admin.test_commands import opened, post

DOCS = "/api/admin/docs"


def vendored() -> dict[str, str]:
    """The hash of each file of others, by its name."""
    text = (ASSETS / "VENDOR").read_text()
    return {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.MULTILINE)}


def document(world: World) -> dict[str, Any]:
    answer = world.client.get("/api/admin/schema/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def test_files_of_others_are_as_they_were_published() -> None:
    """Each has its hash in VENDOR, with a name, a version and a licence; no other file is there but our page."""
    hashes = vendored()
    assert {path.name for path in ASSETS.iterdir()} == {*hashes, "VENDOR", "docs.css", "docs.html"}
    for name, digest in hashes.items():
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == digest, name
    for word in ("name: ", "version: ", "licence: "):
        assert word in (ASSETS / "VENDOR").read_text()


def test_everything_the_page_asks_for_is_served_by_us(world: World) -> None:
    """Every script, style sheet and document is a path of this server, and needs no token."""
    page = world.client.get(DOCS)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    addresses = re.findall(r'(?:src|href|spec-url)="([^"]*)"', page.text)
    wanted = [address for address in addresses if address != "data:,"]
    assert len(wanted) >= 3
    for address in wanted:
        assert address.startswith("/api/admin/"), address
        assert world.client.get(address).status_code == 200, address


def test_the_page_allows_no_scripts_but_its_file(world: World) -> None:
    """The policy names no other place and nothing inline for scripts, and there is nothing inline."""
    page = world.client.get(DOCS)
    rules = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert rules["connect-src"] == "'self'"
    assert re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|javascript:", page.text) is None


@pytest.mark.parametrize("name", ["VENDOR", "docs.html", "..%2fdocs.py", "nothing.js"])
def test_no_other_file_is_served(world: World, name: str) -> None:
    """404 as a problem for whatever the page does not need."""
    answer = world.client.get(f"{DOCS}/assets/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_every_reference_leads_somewhere(world: World) -> None:
    """No `$ref` dangles, and every operation has a name of its own, a summary and a tag that is declared."""
    api = document(world)
    references = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(api)))
    assert references <= set(api["components"]["schemas"])
    operations = [one for path in api["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names) > len(COMMANDS)
    tags = {tag["name"] for tag in api["tags"]}
    assert all(one["summary"] and set(one["tags"]) <= tags for one in operations)


def test_every_field_is_explained(world: World) -> None:
    """A field without words is noticed here; so are words without a field."""
    api = document(world)
    known = {
        name: field
        for entry in COMMANDS
        for name, field in api["components"]["schemas"][entry.command.__name__]["properties"].items()
    }
    assert set(known) == set(WORDS)
    assert all(field["description"] for field in known.values())


def test_answers_have_the_fields_that_the_document_names(world: World) -> None:
    """Of commands that make something, of one that changes it, and of lists."""
    api = document(world)
    account_id = opened(world)

    def promised(path: str, method: str, status: str) -> set[str]:
        schema = api["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
        if "$ref" in schema:
            schema = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return set(schema["properties"])

    key = {"account_id": account_id, "name": "Laptop"}
    grant = {"account_id": account_id, "amount_nano": 5, "reason": "r"}
    for path, body in (
        ("/accounts/open", {"name": "Red"}),
        ("/keys/issue", key),
        ("/credit/grant", grant),
        ("/operators/register", {"name": "Ann", "role": "auditor"}),
        ("/accounts/suspend", {"account_id": account_id, "reason": "r"}),
    ):
        answer = post(world, path, body, key=f"k{path}")
        assert promised(f"/api/admin{path}", "post", str(answer.status_code)) == set(answer.json()), path
    for path in ("/accounts", "/balances", "/requests"):
        answer = world.client.get(f"/api/admin{path}", headers=world.as_role("auditor"))
        assert promised(f"/api/admin{path}", "get", "200") == set(answer.json()), path


def test_query_parameters_are_those_that_routes_take(world: World) -> None:
    """Names, bounds and choices of the list of requests."""
    found = {
        one["name"]: one["schema"]
        for one in document(world)["paths"]["/api/admin/requests"]["get"]["parameters"]
    }
    assert found["limit"] == {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
    assert set(found["state"]["enum"]) == {"admitted", "charged", "released", "abandoned"}
    assert {"account_id", "key_id", "alias", "client_ref", "before_position"} <= set(found)


def test_the_examples_in_the_words_are_accepted() -> None:
    """What the help shows for JSON fields decodes as these fields."""
    kinds: dict[str, Any] = {"entries": dict[str, PriceText], "targets": tuple[Target, ...]}
    for name, kind in kinds.items():
        example = WORDS[name].partition("for example ")[2].replace("...", str(UUID(int=1)))
        assert msgspec.json.decode(example, type=kind), name


def test_the_start_page_leads_to_the_description(world: World) -> None:
    """Until there is a console, whoever opens the address sees what there is."""
    answer = world.client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, DOCS)
