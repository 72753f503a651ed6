"""Lets somebody in who has proved who they are, and has them told if their browser is a new one."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response

from api.console.access import BROWSER_COOKIE, visit_of
from api.console.pages import Flash, Pages
from application.people.browsers import tell_of_browser
from application.people.sign_in import SignedIn, browser_hash

_BROWSER_BYTES: Final = 16


async def let_in(
    pages: Pages, request: Request[Any, Any, Any], signed: SignedIn, path: str, flash: Flash | None = None
) -> Response[str]:
    """Go on as somebody who is signed in; the browser is noted once nothing is owed any more."""
    response = pages.signed_in(signed, path, flash)
    if signed.session.stage != "full":
        return response
    browser = _keep(pages, request, response)
    await asyncio.to_thread(_note, pages, signed, browser, visit_of(request).language)
    return response


async def know(
    pages: Pages, request: Request[Any, Any, Any], response: Response[str], person_id: UUID
) -> None:
    """Somebody has proved that they are this person: failed attempts elsewhere do not keep them out of this browser."""
    held = browser_hash(pages.tools.sign_in.hasher, _keep(pages, request, response))
    meet, now_us = pages.tools.people.browsers.meet, pages.tools.sign_in.clock.now_us()
    await asyncio.to_thread(meet, person_id, held, now_us=now_us)


def _keep(pages: Pages, request: Request[Any, Any, Any], response: Response[str]) -> str:
    """What the browser holds from now on."""
    browser = request.cookies.get(BROWSER_COOKIE, "")
    if len(browser) != 2 * _BROWSER_BYTES:
        browser = pages.tools.sign_in.ids.entropy(_BROWSER_BYTES).hex()
    pages.remember(response, BROWSER_COOKIE, browser)
    return browser


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
