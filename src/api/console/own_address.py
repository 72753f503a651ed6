"""One's own mail address: another one is asked for at `/me`, proved behind a link that was mailed to it, and taken back behind one
that was mailed to the one before.
"""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console.access import NEEDS, Needs, visit_of
from api.console.browsers import know
from api.console.entrance import status_for
from api.console.mailed_links import mailed_of, quietly
from api.console.myself import Myself
from api.console.pages import Flash, Pages
from application.mail.address import mail_address
from application.people import address
from application.people.address import Whose
from application.people.email import checked_email
from domain.invitations import BadInvitation
from domain.refusal import AlreadyExists, BadField, Refusal
from domain.secret import Secret

Asked = Request[Any, Any, Any]
Answer = Response[str]
_ANYBODY: Final = {NEEDS: Needs("anybody")}
_PERSON: Final = {NEEDS: Needs("person")}


def own_address_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/me/address` and `/take-back`."""
    return [*_change_routes(Myself(pages)), *_way_back_routes(pages)]


async def _whose(pages: Pages, person_id: UUID) -> Whose:
    """By the log as it is now."""
    await pages.tools.refresh()
    directory = pages.tools.admin.directory
    return Whose(
        person_id=person_id,
        accounts=tuple(directory.memberships.get(person_id, ())),
        staff=directory.staff,
        email=await asyncio.to_thread(pages.email_of, person_id),
    )


def _change_routes(myself: Myself) -> list[HTTPRouteHandler]:
    pages = myself.pages

    @post("/me/address", opt=_PERSON)
    async def ask_address(request: Asked) -> Answer:
        """Whether somebody has it is looked up after the answer has gone out, so neither its words nor its time tell."""
        form, visit, mailed = await request.form(), visit_of(request), mailed_of(pages)
        email, person = str(form.get("email", "")), visit.person
        assert person is not None, "the gate asks for one"
        try:
            mail_address(checked_email(email))
            await myself.require_proof(request)
            await asyncio.to_thread(mailed.count_visitor, visit.visitor)
        except Refusal as refusal:
            return await myself.refuse(request, refusal, "address", new_email=email)
        response = pages.see("/me", Flash("address_link_sent"))
        response.background = BackgroundTask(
            quietly, lambda: address.ask(email, person, language=visit.language, mailed=mailed)
        )
        return response

    @get("/me/address/{secret:str}", opt=_PERSON)
    async def show_address(request: Asked, secret: FromPath[str]) -> Answer:
        """A page with a button: what opens mails by itself to look for danger must not change anything."""
        person_id, mailed = visit_of(request).person_id, mailed_of(pages)
        found = await asyncio.to_thread(address.find, secret, person_id, mailed=mailed)
        return pages.page(request, "new_address.html", email=found.email, is_taken=False)

    @post("/me/address/{secret:str}", opt=_PERSON)
    async def finish_address(request: Asked, secret: FromPath[str]) -> Answer:
        visit, ports, mailed = visit_of(request), pages.tools.admin.ports, mailed_of(pages)
        found = await asyncio.to_thread(address.find, secret, visit.person_id, mailed=mailed)
        whose = await _whose(pages, visit.person_id)
        try:
            await asyncio.to_thread(
                address.finish, secret, whose, language=visit.language, ports=ports, mailed=mailed
            )
        except AlreadyExists as refusal:
            status = status_for(refusal.code)
            return pages.page(request, "new_address.html", status=status, email=found.email, is_taken=True)
        await myself.close_others(request)
        await pages.tools.refresh()
        return pages.see("/me", Flash("address_changed"))

    return [ask_address, show_address, finish_address]


def _way_back_routes(pages: Pages) -> list[HTTPRouteHandler]:
    @get("/take-back/{secret:str}", opt=_ANYBODY)
    async def show_take_back(request: Asked, secret: FromPath[str]) -> Answer:
        found = await asyncio.to_thread(mailed_of(pages).find, "take-back", secret)
        return pages.page(request, "take_back.html", email=found.email, field=None)

    @post("/take-back/{secret:str}", opt=_ANYBODY)
    async def take_back(request: Asked, secret: FromPath[str]) -> Answer:
        form, mailed = await request.form(), mailed_of(pages)
        found = await asyncio.to_thread(mailed.find, "take-back", secret)
        if found.person_id is None:
            raise BadInvitation("this link opens nothing any more")
        whose = await _whose(pages, found.person_id)
        try:
            await asyncio.to_thread(
                address.take_back,
                secret,
                Secret(str(form.get("password", ""))),
                whose,
                language=visit_of(request).language,
                ports=pages.tools.admin.ports,
                mailed=mailed,
            )
        except BadField as refusal:
            return pages.page(
                request,
                "take_back.html",
                status=status_for(refusal.code),
                email=found.email,
                field=refusal.field,
            )
        await pages.tools.refresh()
        response = pages.signed_out("/sign-in", Flash("address_taken_back"))
        await know(pages, request, response, found.person_id)
        return response

    return [show_take_back, take_back]
