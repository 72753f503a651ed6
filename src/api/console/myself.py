"""What everybody has for themselves: password and devices."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from api.console.access import NEEDS, Needs, Visit, visit_of
from api.console.entrance import status_for
from api.console.pages import Flash, Pages
from api.console.preferences import ZONES
from application.mail.letters import FactorChange
from application.people.address import forget_wishes
from application.people.leave import erase_person
from application.people.password import checked_password
from application.people.sign_in import WrongSignIn
from domain.refusal import BadField, Refusal

Asked = Request[Any, Any, Any]
Answer = Response[str]
_PERSON: Final = {NEEDS: Needs("person")}


class Myself:
    """What the routes below share."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.tools = pages.tools

    async def show(self, request: Asked, *, status: int = 200, **context: Any) -> Answer:
        """`/me`, with what is wrong where."""
        visit = visit_of(request)
        now_us = self.tools.sign_in.clock.now_us()
        sessions = await asyncio.to_thread(self.tools.people.sessions.of, visit.person_id, now_us=now_us)
        email = await asyncio.to_thread(self.pages.email_of, visit.person_id)
        left = await asyncio.to_thread(self.tools.people.people.recovery_codes_left, visit.person_id)
        values = {
            "problem": None,
            "field": None,
            "email": email,
            "codes_left": left,
            "new_email": "",
        } | context
        ports = self.tools.passkeys
        passkeys = [] if ports is None else await asyncio.to_thread(ports.passkeys.of, visit.person_id)
        return self.pages.page(
            request, "me.html", status=status, sessions=sessions, passkeys=passkeys, zones=ZONES, **values
        )

    async def refuse(self, request: Asked, refusal: Refusal, place: str, **context: Any) -> Answer:
        field = refusal.field if isinstance(refusal, BadField) else None
        status = status_for(refusal.code)
        return await self.show(request, status=status, problem=(place, refusal.code), field=field, **context)

    async def require_password(self, request: Asked, password: str) -> None:
        """Raises: WrongSignIn, TooManyFailures."""
        visit = visit_of(request)
        assert visit.person is not None, "the gate asks for one"
        is_right = await asyncio.to_thread(
            self.tools.sign_in.is_password_right, visit.person, password, visitor=visit.visitor
        )
        if not is_right:
            raise WrongSignIn("this is not the password")

    async def require_proof(self, request: Asked) -> None:
        """The password, and a code if one is asked for at the sign-in: for what changes who comes in.

        Raises:
            WrongSignIn, WrongCode, TooManyFailures: see there.
        """
        form, visit = await request.form(), visit_of(request)
        await self.require_password(request, str(form.get("password", "")))
        if visit.person is not None and visit.person.has_totp:
            code = str(form.get("code", ""))
            require_code = self.tools.sign_in.require_code
            await asyncio.to_thread(require_code, visit.person_id, code, visitor=visit.visitor)

    async def close_others(self, request: Asked) -> None:
        """Sign out everywhere but here."""
        visit = visit_of(request)
        here = visit.session.session_id if visit.session is not None else None
        await asyncio.to_thread(self.tools.people.sessions.close_all, visit.person_id, but=here)

    def store_password(self, visit: Visit, password: str) -> None:
        """And tell them by mail, in case that it was not them. Blocking."""
        self.tools.people.people.set_password(visit.person_id, self.tools.people.passwords.make(password))
        if self.tools.mailed is not None and visit.person is not None:
            forget_wishes(visit.person_id, mailed=self.tools.mailed)
            email = self.pages.email_of(visit.person_id)
            self.tools.mailed.tell_changed(email, visit.person, language=visit.language)

    def tell_passkey(self, visit: Visit, *, is_added: bool) -> None:
        """That there is one way in more or less, by mail, in case that it was not them. Blocking."""
        if self.tools.mailed is not None and visit.person is not None:
            email = self.pages.email_of(visit.person_id)
            self.tools.mailed.tell_passkey(email, visit.person, is_added=is_added, language=visit.language)

    def tell_second_factor(self, visit: Visit, change: FactorChange) -> None:
        """As `tell_passkey`. Blocking."""
        if self.tools.mailed is not None and visit.person is not None:
            email = self.pages.email_of(visit.person_id)
            self.tools.mailed.tell_second_factor(email, visit.person, change, language=visit.language)


def myself_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/me` and its forms."""
    myself = Myself(pages)

    @get("/me", opt=_PERSON)
    async def show_me(request: Asked) -> Answer:
        return await myself.show(request)

    @post("/me/password", opt=_PERSON)
    async def change_password(request: Asked) -> Answer:
        form = await request.form()
        try:
            await myself.require_password(request, str(form.get("password", "")))
            new = checked_password(str(form.get("new_password", "")))
        except Refusal as refusal:
            return await myself.refuse(request, refusal, "password")
        await asyncio.to_thread(myself.store_password, visit_of(request), new)
        await myself.close_others(request)
        return pages.see("/me", Flash("password_changed"))

    @post("/me/close-session", opt=_PERSON)
    async def close_session(request: Asked) -> Answer:
        form, visit = await request.form(), visit_of(request)
        try:
            session_id = UUID(str(form.get("session_id", "")))
        except ValueError:
            return pages.see("/me")
        close = pages.tools.people.sessions.close
        await asyncio.to_thread(close, session_id, person_id=visit.person_id)
        return pages.see("/me", Flash("session_closed"))

    @post("/me/close-other-sessions", opt=_PERSON)
    async def close_other_sessions(request: Asked) -> Answer:
        await myself.close_others(request)
        return pages.see("/me", Flash("sessions_closed"))

    @post("/me/erase", opt=_PERSON)
    async def erase_me(request: Asked) -> Answer:
        form, visit = await request.form(), visit_of(request)
        directory = pages.tools.admin.directory
        try:
            await myself.require_password(request, str(form.get("password", "")))
            await asyncio.to_thread(
                erase_person,
                visit.person_id,
                accounts=tuple(directory.memberships.get(visit.person_id, ())),
                staff=directory.staff,
                ports=pages.tools.admin.ports,
                people=pages.tools.people,
            )
        except Refusal as refusal:
            return await myself.refuse(request, refusal, "erase")
        await pages.tools.refresh()
        return pages.signed_out("/sign-in", Flash("person_erased"))

    return [show_me, change_password, close_session, close_other_sessions, erase_me]
