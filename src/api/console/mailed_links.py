"""Signing up, a new password, confirming an address: each begins with a mail, and goes on behind the link in it.

What was asked for is looked at after the answer has gone out, so neither its words nor its time tell who has an account.
"""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Final

import structlog
from litestar import Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console.access import NEEDS, Needs, visit_of
from api.console.browsers import know, let_in
from api.console.entrance import status_for
from api.console.pages import Flash, Pages
from application.people import confirm, reset, sign_up
from application.people.email import checked_email
from application.people.mailed import Mailed
from application.vault import VaultError
from domain.refusal import BadField, Refusal
from domain.secret import Secret

Asked = Request[Any, Any, Any]
Answer = Response[str]
_ANYBODY: Final = {NEEDS: Needs("anybody")}
_PERSON: Final = {NEEDS: Needs("person")}

log = structlog.get_logger()


class SignUpClosed(Refusal):
    """Nobody opens an account here by themselves."""

    code: ClassVar[str] = "sign_up_closed"


class NoMail(Refusal):
    """This installation sends no mails."""

    code: ClassVar[str] = "no_mail"


def mailed_link_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """All of them."""
    return [*_sign_up_routes(pages), *_reset_routes(pages), *_confirm_routes(pages)]


def mailed_of(pages: Pages) -> Mailed:
    """What sends links, or `NoMail`."""
    if pages.tools.mailed is None:
        raise NoMail("no mails are sent here")
    return pages.tools.mailed


async def _ask(pages: Pages, request: Asked, template: str, ask: Callable[..., None], title: str) -> Answer:
    """Answer first, look afterwards."""
    visit, mailed = visit_of(request), mailed_of(pages)
    email = str((await request.form()).get("email", ""))
    try:
        await asyncio.to_thread(mailed.count_visitor, visit.visitor)
        checked_email(email)
    except Refusal as refusal:
        return _refuse(pages, request, template, refusal, email=email)
    response = pages.page(request, "mailed.html", email=email, kind=title)
    response.background = BackgroundTask(quietly, lambda: ask(email, language=visit.language, mailed=mailed))
    return response


async def quietly(work: Callable[[], None]) -> None:
    """What fails here is for the operator to read: the visitor has their answer already."""
    try:
        await asyncio.to_thread(work)
    except (Refusal, VaultError) as error:
        log.warning("mailed_link_failed", error=type(error).__name__)


def _refuse(pages: Pages, request: Asked, template: str, refusal: Refusal, **context: Any) -> Answer:
    field = refusal.field if isinstance(refusal, BadField) else None
    status = status_for(refusal.code)
    return pages.page(request, template, status=status, problem=refusal.code, field=field, **context)


def _sign_up_routes(pages: Pages) -> list[HTTPRouteHandler]:
    ports = pages.tools.admin.ports

    def open_now() -> Mailed:
        if not pages.tools.sign_up_open:
            raise SignUpClosed("accounts are opened by operators here")
        return mailed_of(pages)

    @get("/sign-up", opt=_ANYBODY)
    async def show_sign_up(request: Asked) -> Answer:
        open_now()
        return pages.page(request, "sign_up.html", email="", problem=None, field=None)

    @post("/sign-up", opt=_ANYBODY)
    async def ask_sign_up(request: Asked) -> Answer:
        open_now()
        return await _ask(pages, request, "sign_up.html", sign_up.ask, "sign-up")

    @get("/sign-up/{secret:str}", opt=_ANYBODY)
    async def show_new_account(request: Asked, secret: FromPath[str]) -> Answer:
        found = await asyncio.to_thread(open_now().find, "sign-up", secret)
        return pages.page(request, "new_account.html", email=found.email, name="", problem=None, field=None)

    @post("/sign-up/{secret:str}", opt=_ANYBODY)
    async def finish_sign_up(request: Asked, secret: FromPath[str]) -> Answer:
        form, mailed = await request.form(), open_now()
        found = await asyncio.to_thread(mailed.find, "sign-up", secret)
        new = sign_up.NewAccount(
            name=str(form.get("name", "")),
            password=Secret(str(form.get("password", ""))),
            language=visit_of(request).language,
        )
        try:
            opened = await asyncio.to_thread(sign_up.finish, secret, new, ports=ports, mailed=mailed)
        except Refusal as refusal:
            return _refuse(pages, request, "new_account.html", refusal, email=found.email, name=new.name)
        await pages.tools.refresh()
        visitor = visit_of(request).visitor
        signed = await asyncio.to_thread(pages.tools.sign_in.open, opened.person_id, visitor=visitor)
        return await let_in(pages, request, signed, f"/app/{opened.account_id}", Flash("account_opened"))

    return [show_sign_up, ask_sign_up, show_new_account, finish_sign_up]


def _reset_routes(pages: Pages) -> list[HTTPRouteHandler]:
    @get("/forgot", opt=_ANYBODY)
    async def show_forgot(request: Asked) -> Answer:
        mailed_of(pages)
        return pages.page(request, "forgot.html", email="", problem=None, field=None)

    @post("/forgot", opt=_ANYBODY)
    async def ask_reset(request: Asked) -> Answer:
        return await _ask(pages, request, "forgot.html", reset.ask, "reset")

    @get("/reset/{secret:str}", opt=_ANYBODY)
    async def show_reset(request: Asked, secret: FromPath[str]) -> Answer:
        found = await asyncio.to_thread(mailed_of(pages).find, "reset", secret)
        return pages.page(request, "reset.html", email=found.email, problem=None, field=None)

    @post("/reset/{secret:str}", opt=_ANYBODY)
    async def finish_reset(request: Asked, secret: FromPath[str]) -> Answer:
        form, mailed = await request.form(), mailed_of(pages)
        found = await asyncio.to_thread(mailed.find, "reset", secret)
        password = Secret(str(form.get("password", "")))
        try:
            language = visit_of(request).language
            person_id = await asyncio.to_thread(
                reset.finish, secret, password, language=language, mailed=mailed
            )
        except Refusal as refusal:
            return _refuse(pages, request, "reset.html", refusal, email=found.email)
        response = pages.signed_out("/sign-in", Flash("password_reset"))
        await know(pages, request, response, person_id)
        return response

    return [show_forgot, ask_reset, show_reset, finish_reset]


def _confirm_routes(pages: Pages) -> list[HTTPRouteHandler]:
    @post("/me/confirm", opt=_PERSON)
    async def ask_confirmation(request: Asked) -> Answer:
        visit, mailed = visit_of(request), mailed_of(pages)
        await asyncio.to_thread(mailed.count_visitor, visit.visitor)
        email = await asyncio.to_thread(pages.email_of, visit.person_id)
        if email:
            await asyncio.to_thread(
                confirm.ask, visit.person_id, email, language=visit.language, mailed=mailed
            )
        return pages.see("/me", Flash("confirmation_sent"))

    @get("/confirm/{secret:str}", opt=_ANYBODY)
    async def show_confirm(request: Asked, secret: FromPath[str]) -> Answer:
        """A page with a button: what opens mails by itself to look for danger must not confirm anything."""
        found = await asyncio.to_thread(mailed_of(pages).find, "confirm", secret)
        return pages.page(request, "confirm.html", email=found.email)

    @post("/confirm/{secret:str}", opt=_ANYBODY)
    async def finish_confirm(request: Asked, secret: FromPath[str]) -> Answer:
        await asyncio.to_thread(confirm.finish, secret, mailed=mailed_of(pages))
        is_here = visit_of(request).session is not None
        return pages.see("/me" if is_here else "/sign-in", Flash("address_confirmed"))

    return [ask_confirmation, show_confirm, finish_confirm]
