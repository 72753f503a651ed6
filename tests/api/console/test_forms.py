"""Where forms may come from, and what pages tell browsers to keep to."""

import re

import httpx
import pytest

from tests.api.console.conftest import ACCOUNT, CONSOLE_URL, PASSWORD, World
from tests.api.console.test_access import served, url_of

FIELDS = {"email": "admin@staff.example", "password": PASSWORD}


def token_in(page: str) -> str:
    """What the form of a page holds."""
    return re.findall(r'name="_csrf" value="([0-9a-f]+)"', page)[-1]


def posts(world: World) -> list[str]:
    """Every path that takes a form, with something in the place of each parameter."""
    found = []
    for route in world.client.app.routes:
        if "POST" in getattr(route, "methods", ()):
            parts = [
                "00000000-0000-0000-0000-000000000007" if ":uuid" in part else "x" if "{" in part else part
                for part in route.path.split("/")
            ]
            found.append("/".join(parts))
    return found


def test_no_form_is_taken_without_our_token(world: World) -> None:
    """Every one of them, also with the right session and a token of another browser."""
    world.as_staff("admin")
    assert len(posts(world)) > 30
    for path in posts(world):
        for token in ("", "0" * 64):
            answer = world.client.post(path, data={"_csrf": token}, follow_redirects=False)
            assert answer.status_code == 403, path
            # The JSON API takes no form at all, and no page of another site can make a browser send JSON to it.
            told = "application/json" if path.startswith("/api/") else "foreign_form"
            assert told in answer.text, path


def test_the_token_of_a_stranger_is_no_token_of_somebody_signed_in(world: World) -> None:
    """So nobody can prepare a form before, and have it sent afterwards."""
    world.client.cookies.clear()
    before = world.token()
    world.post("/sign-in", token=before, **FIELDS)
    assert world.post("/sign-out", token=before).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://console.test.evil.example"])
def test_no_form_is_taken_from_another_site(world: World, origin: str) -> None:
    """Also with the right token."""
    world.client.cookies.clear()
    values = {"_csrf": world.token(), **FIELDS}
    answer = world.client.post("/sign-in", data=values, headers={"origin": origin}, follow_redirects=False)
    assert answer.status_code == 403
    sent = {"sec-fetch-site": "cross-site"}
    answer = world.client.post("/sign-in", data=values, headers=sent, follow_redirects=False)
    assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=x", ""])
def test_only_forms_are_forms(world: World, kind: str) -> None:
    """What another site can send without asking, and what scripts send, is refused by its type."""
    world.client.cookies.clear()
    body = f"_csrf={world.token()}&email={FIELDS['email']}&password={PASSWORD}"
    answer = world.client.post(
        "/sign-in", content=body, headers={"content-type": kind}, follow_redirects=False
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/sign-in", "/nothing", "/console", "/me"])
def test_every_page_keeps_scripts_and_frames_of_others_out(world: World, path: str) -> None:
    """No inline script or style, no frame, no type to guess, nothing kept; also where something went wrong."""
    world.as_staff("admin")
    answer = world.get(path)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text
    assert "<script>" not in answer.text
    assert " onclick=" not in answer.text


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    """HttpOnly and SameSite, and Secure where the console is reached by HTTPS."""
    world.client.cookies.clear()
    given = world.post("/sign-in", **FIELDS).headers.get_list("set-cookie")
    (session,) = (one for one in given if one.startswith("tokenok_session="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session


def test_what_people_write_is_shown_and_not_run(world: World) -> None:
    """Markup in a field comes back as text."""
    world.client.cookies.clear()
    answer = world.post("/sign-in", email='"><script>alert(1)</script>', password="x")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


def test_a_flash_that_we_have_not_signed_says_nothing(world: World) -> None:
    """Nobody can put words into our pages."""
    world.as_staff("admin")
    world.client.cookies.set("tokenok_flash", "x" * 80)
    assert 'class="flash' not in world.client.get("/console").text


def written(world: World, *, token: str, script: bool = False, **fields: str) -> httpx.Response:
    """A form of an account's page as a browser sends it, which says of itself where it was."""
    headers = {"origin": CONSOLE_URL, "referer": f"{CONSOLE_URL}/app/{ACCOUNT}/settings?x=1"}
    if script:
        headers["hx-request"] = "true"
    path = f"/app/{ACCOUNT}/settings/rename"
    return world.client.post(path, data={"_csrf": token, **fields}, headers=headers, follow_redirects=False)


def test_what_was_written_outlives_a_session(world: World) -> None:
    """It is shown again, first to sign in, then to be sent by whoever is there now; and is then done."""
    world.as_member("owner")
    old = world.token("/me")
    world.client.cookies.delete("tokenok_session")
    ended = written(world, token=old, name="Näme <b>")
    assert ended.status_code == 401
    assert 'name="name" value="Näme &lt;b&gt;"' in ended.text
    assert f'href="/app/{ACCOUNT}/settings?x=1"' in ended.text
    shown = token_in(ended.text)
    assert written(world, token=shown, name="Name").status_code == 401  # sent before anybody has signed in
    world.post("/sign-in", email="owner@customer.example", password=PASSWORD)
    asked = written(world, token=shown, name="Name")
    assert asked.status_code == 403
    assert 'name="name" value="Name"' in asked.text
    assert written(world, token=token_in(asked.text), name="Name").status_code == 303
    assert world.process.ports.names.get([ACCOUNT])[ACCOUNT] == "Name"


def test_a_page_of_somebody_else_is_not_done_by_who_is_there_now(world: World) -> None:
    """A script's form stays as it is, and learns what it has to hold from now on."""
    world.as_member("owner")
    old = world.token("/me")
    world.as_member("admin")
    told = written(world, token=old, script=True, name="Name")
    assert (told.status_code, told.headers["x-problem"]) == (403, "stale_form")
    assert "<html" not in told.text
    assert world.process.ports.names.get([ACCOUNT])[ACCOUNT] == "Acme"
    again = written(world, token=told.headers["x-form-token"], script=True, name="Name")
    assert again.status_code == 200
    world.client.cookies.delete("tokenok_session")
    ended = written(world, token=old, script=True, name="Other")
    assert (ended.status_code, ended.headers["x-problem"]) == (401, "session_ended")
    assert "x-form-token" not in ended.headers
    poll = world.get(f"/app/{ACCOUNT}", **{"hx-request": "true"})
    assert (poll.status_code, poll.headers["x-problem"]) == (401, "session_ended")


def test_a_secret_is_not_shown_again(world: World) -> None:
    """A form with one is to be filled in anew."""
    world.as_member("owner")
    headers = {"origin": CONSOLE_URL}
    sent = {"_csrf": "0" * 64, "password": "a very secret word", "new_password": "another secret word"}
    answer = world.client.post("/me/password", data=sent, headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert "secret word" not in answer.text


def test_a_forms_target_leads_to_its_page(world: World) -> None:
    """Who reloads what a refused form has shown, or changes its language there, is not at a dead end."""
    world.as_member("owner")
    for path, page in (
        ("/me/password", "/me"),
        (f"/app/{ACCOUNT}/settings/erase", f"/app/{ACCOUNT}/settings"),
        (f"/app/{ACCOUNT}/do/budgets/set", f"/app/{ACCOUNT}"),
        ("/sign-out", "/"),
    ):
        assert world.get(path).headers["location"] == page, path
    for (method, path), needs in served(world).items():
        if method == "POST" and needs is not None and needs.area == "person":
            answer = world.client.get(url_of(path), follow_redirects=True)
            assert answer.status_code in {200, 422}, path
