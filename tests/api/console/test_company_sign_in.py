"""Operators come in by their company's identity provider: a real one that nobody here wrote, in a thread of its own."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from tests.api.console.conftest import World, make_world
from tests.waiting import until

STAFF = "support@staff.example"
WAY = "/sign-in/company"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """In a process of its own, with warnings of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://localhost:{port}"
    until(lambda: answers(issuer))
    yield issuer
    process.terminate()
    process.wait()


def answers(issuer: str) -> bool:
    try:
        return httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def company(issuer: str, database_url: str) -> Iterator[World]:
    with make_world(database_url, oidc_issuer=issuer) as world:
        yield world


def somebody(issuer: str, subject: str, **claims: object) -> None:
    """Whom the provider knows."""
    answer = httpx.put(f"{issuer}/users/{quote(subject)}", json=claims, trust_env=False)
    assert answer.status_code == 204


def go(world: World, path: str = WAY) -> str:
    """In a fresh browser to the provider; where it is."""
    world.client.cookies.clear()
    return world.get(path).headers["location"]


def come_back(world: World, there: str, subject: str) -> httpx.Response:
    """Past the provider's own page, as this subject."""
    allowed = httpx.post(there, data={"sub": subject}, trust_env=False)
    parts = urlsplit(allowed.headers["location"])
    return world.get(f"{parts.path}?{parts.query}")


def test_an_operator_comes_in_by_their_company(company: World, issuer: str) -> None:
    """By the address that the provider has verified; where they wanted to go."""
    somebody(issuer, "u1", email=STAFF, email_verified=True)
    assert "Sign in with SSO" in company.client.get("/sign-in").text
    there = go(company, f"{WAY}?target=/console/keys")
    query = parse_qs(urlsplit(there).query)
    assert query["code_challenge_method"] == ["S256"]
    assert come_back(company, there, "u1").headers["location"] == "/console/keys"
    assert company.get("/console").status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"email": STAFF},
        {"email": STAFF, "email_verified": False},
        {"email": STAFF, "email_verified": "true"},
        {"email": "owner@customer.example", "email_verified": True},
        {"email": "nobody@staff.example", "email_verified": True},
        {"email": STAFF.replace("a", "\u1d2c"), "email_verified": True},
        {"email": STAFF.replace("staff", "st\u1d2cff"), "email_verified": True},
        {},
    ],
)
def test_nobody_else_comes_in(company: World, issuer: str, claims: dict[str, object]) -> None:
    """No address that is not verified, no customer, nobody unknown; it is not told which."""
    somebody(issuer, "u1", **claims)
    answer = come_back(company, go(company), "u1")
    assert answer.status_code == 403
    assert "did not let you in here" in answer.text
    assert company.get("/console").status_code == 303


def test_an_address_that_changes_hands_opens_nothing(company: World, issuer: str) -> None:
    """The provider's own subject is who somebody is: bound once, whatever address it has later."""
    somebody(issuer, "first", email=STAFF, email_verified=True)
    assert come_back(company, go(company), "first").status_code == 303
    somebody(issuer, "second", email=STAFF, email_verified=True)
    assert come_back(company, go(company), "second").status_code == 403
    somebody(issuer, "first", email="married@staff.example", email_verified=True)
    assert come_back(company, go(company), "first").status_code == 303
    assert company.get("/console").status_code == 200


def test_an_answer_is_for_the_browser_that_asked(company: World, issuer: str) -> None:
    """Another browser, another attempt, a made-up code and the same code twice get nowhere."""
    somebody(issuer, "u1", email=STAFF, email_verified=True)
    there = go(company)
    allowed = httpx.post(there, data={"sub": "u1"}, trust_env=False)
    parts = urlsplit(allowed.headers["location"])
    back = f"{parts.path}?{parts.query}"
    go(company)
    assert company.get(back).status_code == 403, "another attempt"
    company.client.cookies.clear()
    assert company.get(back).status_code == 403, "another browser"
    there = go(company)
    state = parse_qs(urlsplit(there).query)["state"][0]
    assert company.get(f"{WAY}/back?code=made-up&state={state}").status_code == 403
    assert company.get(f"{WAY}/back?error=access_denied&state={state}").status_code == 403


def test_a_second_factor_is_asked_for_all_the_same(company: World, issuer: str) -> None:
    """Who has one with us shows it, whoever let them in before."""
    somebody(issuer, "u1", email=STAFF, email_verified=True)
    people = company.process.people.people
    people.set_totp(company.staff["support"], "JBSWY3DPEHPK3PXP")
    answer = come_back(company, go(company), "u1")
    assert answer.headers["location"].startswith("/sign-in/code")
    assert company.get("/console").status_code == 303


def test_who_is_disabled_stays_out(company: World, issuer: str) -> None:
    """Whatever the company says."""
    somebody(issuer, "u1", email=STAFF, email_verified=True)
    company.as_staff("admin")
    fields = {"operator_id": str(company.staff["support"]), "reason": "left"}
    company.post("/console/do/operators/disable", token=company.token("/me"), **fields)
    assert come_back(company, go(company), "u1").status_code == 403


def test_without_a_provider_there_is_no_such_page(world: World) -> None:
    """And no button."""
    assert world.get(WAY).status_code == 404
    assert world.get(f"{WAY}/back?code=x&state=y").status_code == 404
    assert WAY not in world.client.get("/sign-in").text


def test_a_provider_that_is_away_is_told(database_url: str) -> None:
    """On the page, which still takes passwords."""
    with make_world(database_url, oidc_issuer="http://127.0.0.1:9") as world:
        assert world.get(WAY).status_code == 403
        assert world.sign_in(STAFF).status_code == 303
