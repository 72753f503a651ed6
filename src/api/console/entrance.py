"""The way in and out: password, one-time code, sign-out."""

import asyncio
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.codes import status_of
from api.console.access import NEEDS, Needs, local_path, visit_of
from api.console.browsers import let_in
from api.console.pages import Flash, Pages
from domain.refusal import Refusal

Asked = Request[Any, Any, Any]
Answer = Response[str]
_ANYBODY: Final = {NEEDS: Needs("anybody")}
_HALF: Final = {NEEDS: Needs("half")}
HOME: Final = "/"
_TOO_MANY: Final = 429
_FORBIDDEN: Final = 403
_NOT_LET_IN: Final = frozenset(
    {"wrong_sign_in", "wrong_code", "sign_up_closed", "no_mail", "identity_refused", "passkey_refused"}
)


def status_for(code: str) -> int:
    """The status of a page that says so."""
    if code == "too_many_failures":
        return _TOO_MANY
    return _FORBIDDEN if code in _NOT_LET_IN else status_of(code)


def code_step(target: str) -> str:
    """Where a code is asked for; then on to `target`, with all of its own question."""
    return f"/sign-in/code?{urlencode({'target': target})}"


def entrance_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/sign-in`, `/sign-out` and what follows a password."""
    tools = pages.tools

    @get("/sign-in", opt=_ANYBODY)
    async def show_sign_in(request: Asked, target: FromQuery[str] = HOME) -> Answer:
        visit = visit_of(request)
        if visit.session is not None and visit.session.stage == "full":
            return pages.see(local_path(target, default=HOME))
        return pages.page(
            request, "sign_in.html", target=local_path(target, default=HOME), email="", problem=None
        )

    @post("/sign-in", opt=_ANYBODY)
    async def sign_in(request: Asked) -> Answer:
        form = await request.form()
        email, password = str(form.get("email", "")), str(form.get("password", ""))
        target = local_path(str(form.get("target", HOME)), default=HOME)
        visitor = visit_of(request).visitor
        try:
            signed = await asyncio.to_thread(tools.sign_in.with_password, email, password, visitor=visitor)
        except Refusal as refusal:
            return pages.page(
                request,
                "sign_in.html",
                status=status_for(refusal.code),
                target=target,
                email=email,
                problem=refusal.code,
            )
        if signed.session.stage == "password":
            return await let_in(pages, request, signed, code_step(target))
        return await let_in(pages, request, signed, target)

    @post("/sign-out", opt=_ANYBODY)
    async def sign_out(request: Asked) -> Answer:
        session = visit_of(request).session
        if session is not None:
            await asyncio.to_thread(
                tools.people.sessions.close, session.session_id, person_id=session.person_id
            )
        return pages.signed_out("/sign-in", Flash("signed_out"))

    return [show_sign_in, sign_in, sign_out, *_code_routes(pages)]


def _code_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/sign-in/code`."""
    tools = pages.tools

    @get("/sign-in/code", opt=_HALF)
    async def show_code(request: Asked, target: FromQuery[str] = HOME) -> Answer:
        return pages.page(request, "sign_in_code.html", target=local_path(target, default=HOME), problem=None)

    @post("/sign-in/code", opt=_HALF)
    async def give_code(request: Asked) -> Answer:
        form, visit = await request.form(), visit_of(request)
        target = local_path(str(form.get("target", HOME)), default=HOME)
        assert visit.session is not None, "the gate asks for one"
        try:
            signed = await asyncio.to_thread(
                tools.sign_in.with_code, visit.session, str(form.get("code", "")), visitor=visit.visitor
            )
        except Refusal as refusal:
            return pages.page(
                request,
                "sign_in_code.html",
                status=status_for(refusal.code),
                target=target,
                problem=refusal.code,
            )
        return await let_in(pages, request, signed, target)

    return [show_code, give_code]
