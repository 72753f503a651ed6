"""Following an invitation: `/join/<secret>` for operators, `/join/<account>/<secret>` for members."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console.access import NEEDS, Needs, visit_of
from api.console.browsers import let_in
from api.console.entrance import status_for
from api.console.pages import Flash, Pages
from application.people.join import (
    Who,
    invited_operator,
    invited_role,
    join_as_oneself,
    join_as_operator,
    join_as_somebody_new,
)
from domain.refusal import BadField, Refusal
from domain.secret import Secret

Asked = Request[Any, Any, Any]
Answer = Response[str]
_ANYBODY: Final = {NEEDS: Needs("anybody")}


class _Joining:
    """What the routes below share."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.tools = pages.tools
        self.ports = pages.tools.admin.ports

    def page(self, request: Asked, *, role: str, is_staff: bool, email: str = "") -> Answer:
        is_known = not is_staff and self.is_known(request)
        return self.pages.page(
            request,
            "join.html",
            role=role,
            is_staff=is_staff,
            is_known=is_known,
            email=email,
            problem=None,
            field=None,
        )

    def refuse(self, request: Asked, refusal: Refusal, *, role: str, is_staff: bool, email: str) -> Answer:
        """The page again, with what was written and what is wrong with it."""
        return self.pages.page(
            request,
            "join.html",
            status=status_for(refusal.code),
            role=role,
            is_staff=is_staff,
            is_known=not is_staff and self.is_known(request),
            email=email,
            problem=refusal.code,
            field=refusal.field if isinstance(refusal, BadField) else None,
        )

    async def who(self, request: Asked) -> Who:
        form = await request.form()
        password = Secret(str(form.get("password", "")))
        return Who(email=str(form.get("email", "")), password=password, language=visit_of(request).language)

    def role_of(self, operator_id: UUID) -> str:
        return self.tools.admin.directory.staff.operators[operator_id].role

    def is_known(self, request: Asked) -> bool:
        """Whether somebody is signed in already."""
        session = visit_of(request).session
        return session is not None and session.stage == "full"

    def join_known(self, account_id: UUID, secret: str, person_id: UUID) -> None:
        email = self.pages.email_of(person_id)
        join_as_oneself(account_id, secret, person_id=person_id, email=email, ports=self.ports)

    def first_page(self) -> str:
        """Where an operator begins: whoever finds nothing here wants to set it up."""
        return "/console" if self.tools.admin.directory.providers else "/console/launch"

    async def enter(self, request: Asked, person_id: UUID, target: str, flash: str) -> Answer:
        """As a newcomer who has just chosen a password."""
        await self.tools.refresh()
        visitor = visit_of(request).visitor
        signed = await asyncio.to_thread(self.tools.sign_in.open, person_id, visitor=visitor)
        return await let_in(self.pages, request, signed, target, Flash(flash))


def joining_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """Both kinds."""
    joining = _Joining(pages)
    return [*_operator_routes(joining), *_account_routes(joining)]


def _operator_routes(joining: _Joining) -> list[HTTPRouteHandler]:
    ports, people = joining.ports, joining.tools.people

    @get("/join/{secret:str}", opt=_ANYBODY)
    async def show_operator(request: Asked, secret: FromPath[str]) -> Answer:
        operator_id = await asyncio.to_thread(invited_operator, secret, ports=ports)
        return joining.page(request, role=joining.role_of(operator_id), is_staff=True)

    @post("/join/{secret:str}", opt=_ANYBODY)
    async def join_operator(request: Asked, secret: FromPath[str]) -> Answer:
        newcomer = await joining.who(request)
        operator_id = await asyncio.to_thread(invited_operator, secret, ports=ports)
        try:
            await asyncio.to_thread(join_as_operator, secret, newcomer, ports=ports, people=people)
        except Refusal as refusal:
            role = joining.role_of(operator_id)
            return joining.refuse(request, refusal, role=role, is_staff=True, email=newcomer.email)
        return await joining.enter(request, operator_id, joining.first_page(), "operator_joined")

    return [show_operator, join_operator]


def _account_routes(joining: _Joining) -> list[HTTPRouteHandler]:
    ports, people, pages = joining.ports, joining.tools.people, joining.pages

    @get("/join/{account_id:uuid}/{secret:str}", opt=_ANYBODY)
    async def show_account(request: Asked, account_id: FromPath[UUID], secret: FromPath[str]) -> Answer:
        role = await asyncio.to_thread(invited_role, account_id, secret, ports=ports)
        return joining.page(request, role=role, is_staff=False)

    @post("/join/{account_id:uuid}/{secret:str}", opt=_ANYBODY)
    async def join_account(request: Asked, account_id: FromPath[UUID], secret: FromPath[str]) -> Answer:
        role = await asyncio.to_thread(invited_role, account_id, secret, ports=ports)
        newcomer, target = await joining.who(request), f"/app/{account_id}"
        try:
            if joining.is_known(request):
                person_id = visit_of(request).person_id
                await asyncio.to_thread(joining.join_known, account_id, secret, person_id)
                await joining.tools.refresh()
                return pages.see(target, Flash("joined"))
            person_id = await asyncio.to_thread(
                join_as_somebody_new, account_id, secret, newcomer, ports=ports, people=people
            )
        except Refusal as refusal:
            return joining.refuse(request, refusal, role=role, is_staff=False, email=newcomer.email)
        return await joining.enter(request, person_id, target, "joined")

    return [show_account, join_account]
