"""Lets somebody in who has proved who they are, and has them told if their browser is a new one."""

import asyncio
from typing import Any, Final

from litestar import Request, Response

from api.console.access import visit_of
from api.console.pages import Flash, Pages
from application.people.browsers import tell_of_browser
from application.people.sign_in import SignedIn

BROWSER_COOKIE: Final = "tokenok_browser"
_BROWSER_BYTES: Final = 16


async def let_in(
    pages: Pages, request: Request[Any, Any, Any], signed: SignedIn, path: str, flash: Flash | None = None
) -> Response[str]:
    """Go on as somebody who is signed in; the browser is noted once nothing is owed any more."""
    response = pages.signed_in(signed, path, flash)
    if signed.session.stage != "full":
        return response
    browser = request.cookies.get(BROWSER_COOKIE, "")
    if len(browser) != 2 * _BROWSER_BYTES:
        browser = pages.tools.sign_in.ids.entropy(_BROWSER_BYTES).hex()
    await asyncio.to_thread(_note, pages, signed, browser, visit_of(request).language)
    pages.remember(response, BROWSER_COOKIE, browser)
    return response


def _note(pages: Pages, signed: SignedIn, browser: str, language: str) -> None:
    tools, person_id = pages.tools, signed.session.person_id
    person = tools.people.people.get(person_id)
    if person is None:
        return
    tell_of_browser(
        signed.session,
        browser,
        person=person,
        email=pages.email_of(person_id),
        language=language,
        browsers=tools.people.browsers,
        hasher=tools.sign_in.hasher,
        mailed=tools.mailed,
    )
