"""Passkeys: in by one, and a person's own. What ties a page and its answer together is in a signed cookie of ten minutes."""

import asyncio
from typing import Any, Final

import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.console.access import NEEDS, Needs, local_path, visit_of
from api.console.browsers import let_in
from api.console.entrance import HOME, status_for
from api.console.myself import Myself
from api.console.pages import Flash, Pages
from api.console.signing import opened, signed
from application.people.passkeys import (
    VALID_US,
    Challenge,
    PasskeyPorts,
    add_passkey,
    new_challenge,
    sign_in_with_passkey,
)
from domain.refusal import NotFound, Refusal

Asked = Request[Any, Any, Any]
Answer = Response[str]
COOKIE: Final = "tokenok_passkey"
_ANYBODY: Final = {NEEDS: Needs("anybody")}
_PERSON: Final = {NEEDS: Needs("person")}
_PURPOSE: Final = b"passkey challenge"

log = structlog.get_logger()


def passkey_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/sign-in/passkey` and `/me/passkeys`."""
    return [*_entrance(pages), *_own(Myself(pages))]


def ports_of(pages: Pages) -> PasskeyPorts:
    """Raises: NotFound: this installation's address is none that browsers keep passkeys for."""
    if pages.tools.passkeys is None:
        raise NotFound("page")
    return pages.tools.passkeys


def _entrance(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools

    def ask(request: Asked, target: str, *, problem: str | None = None, status: int = 200) -> Answer:
        """With a new challenge each time."""
        challenge = new_challenge(tools.sign_in)
        options = ports_of(pages).authenticators.options_to_prove(challenge.value)
        response = pages.page(
            request, "sign_in_passkey.html", status=status, target=target, options=options, problem=problem
        )
        _remember(pages, response, challenge)
        return response

    @get("/sign-in/passkey", opt=_ANYBODY)
    async def show(request: Asked, target: FromQuery[str] = HOME) -> Answer:
        return ask(request, local_path(target, default=HOME))

    @post("/sign-in/passkey", opt=_ANYBODY)
    async def come_in(request: Asked) -> Answer:
        ports, form = ports_of(pages), await request.form()
        target = local_path(str(form.get("target", HOME)), default=HOME)
        try:
            came_in = await asyncio.to_thread(
                sign_in_with_passkey,
                str(form.get("answer", "")),
                _remembered(pages, request),
                sign_in=tools.sign_in,
                ports=ports,
                visitor=visit_of(request).visitor,
            )
        except Refusal as refusal:
            log.warning("passkey_refused", reason=str(refusal))
            return ask(request, target, problem=refusal.code, status=status_for(refusal.code))
        response = await let_in(pages, request, came_in, target)
        _forget(pages, response)
        return response

    return [show, come_in]


def _own(myself: Myself) -> list[HTTPRouteHandler]:
    pages, tools = myself.pages, myself.tools

    @post("/me/passkeys/new", opt=_PERSON)
    async def begin(request: Asked) -> Answer:
        """Password, and code if one is asked for at the sign-in: a passkey stands for both from now on."""
        ports, form, visit = ports_of(pages), await request.form(), visit_of(request)
        try:
            challenge = new_challenge(
                tools.sign_in, person_id=visit.person_id, name=str(form.get("name", ""))
            )
            await myself.require_proof(request)
        except Refusal as refusal:
            return await myself.refuse(request, refusal, "passkey")
        known = await asyncio.to_thread(ports.passkeys.of, visit.person_id)
        options = ports.authenticators.options_to_make(
            challenge.value,
            person_id=visit.person_id,
            name=await asyncio.to_thread(pages.email_of, visit.person_id) or challenge.name,
            known=[one.credential_id for one in known],
        )
        response = pages.page(request, "passkey_new.html", options=options)
        _remember(pages, response, challenge)
        return response

    @post("/me/passkeys", opt=_PERSON)
    async def add(request: Asked) -> Answer:
        ports, form, visit = ports_of(pages), await request.form(), visit_of(request)
        assert visit.person is not None, "the gate asks for one"
        try:
            await asyncio.to_thread(
                add_passkey,
                str(form.get("answer", "")),
                _remembered(pages, request),
                person=visit.person,
                sign_in=tools.sign_in,
                ports=ports,
            )
        except Refusal as refusal:
            return await myself.refuse(request, refusal, "passkey")
        await asyncio.to_thread(myself.tell_passkey, visit, is_added=True)
        response = pages.see("/me", Flash("passkey_added"))
        _forget(pages, response)
        return response

    @post("/me/passkeys/remove", opt=_PERSON)
    async def remove(request: Asked) -> Answer:
        ports, form, visit = ports_of(pages), await request.form(), visit_of(request)
        try:
            credential_id = bytes.fromhex(str(form.get("credential_id", "")))
        except ValueError:
            return pages.see("/me")
        remove_it = ports.passkeys.remove
        if await asyncio.to_thread(remove_it, credential_id, person_id=visit.person_id):
            await asyncio.to_thread(myself.tell_passkey, visit, is_added=False)
        return pages.see("/me", Flash("passkey_removed"))

    return [begin, add, remove]


def _remember(pages: Pages, response: Answer, challenge: Challenge) -> None:
    _set(pages, response, signed(pages.tools.sign_in.hasher, _PURPOSE, challenge), VALID_US // 1_000_000)


def _forget(pages: Pages, response: Answer) -> None:
    _set(pages, response, "", 0)


def _set(pages: Pages, response: Answer, value: str, max_age: int) -> None:
    cookie = Cookie(
        key=COOKIE,
        value=value,
        max_age=max_age,
        path="/",
        httponly=True,
        samesite="strict",
        secure=pages.tools.is_secure,
    )
    response.set_cookie(cookie)


def _remembered(pages: Pages, request: Asked) -> Challenge | None:
    return opened(pages.tools.sign_in.hasher, _PURPOSE, request.cookies.get(COOKIE, ""), Challenge)
