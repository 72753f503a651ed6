"""One's own one-time codes: taken, given other recovery codes, ended."""

import asyncio
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from api.console.access import NEEDS, Needs, visit_of
from api.console.entrance import status_for
from api.console.myself import Myself
from api.console.pages import Flash, Pages
from api.console.scanning import scannable
from application.people.second_factor import end, renew_codes, take
from domain.refusal import Refusal

Asked = Request[Any, Any, Any]
Answer = Response[str]
_PERSON: Final = {NEEDS: Needs("person")}
_ISSUER: Final = "Tokenok"
_SEED_CHARS_MAX: Final = 64


def second_factor_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/me/second-factor` and its forms."""
    myself = Myself(pages)
    return [*_taking_routes(myself), *_having_routes(myself)]


def _taking_routes(myself: Myself) -> list[HTTPRouteHandler]:
    tools, pages = myself.tools, myself.pages

    async def page(request: Asked, seed: str, *, problem: str | None = None, status: int = 200) -> Answer:
        """Named by the address, so that an authenticator tells several of one person apart."""
        email = await asyncio.to_thread(pages.email_of, visit_of(request).person_id)
        uri = tools.people.codes.uri(seed, name=email or _ISSUER, issuer=_ISSUER)
        return pages.page(
            request,
            "second_factor.html",
            status=status,
            seed=seed,
            uri=uri,
            picture=scannable(uri),
            problem=problem,
        )

    @get("/me/second-factor", opt=_PERSON)
    async def show_second_factor(request: Asked) -> Answer:
        """A new seed each time: only what is confirmed counts, and nothing of it is kept until then."""
        person = visit_of(request).person
        if person is not None and person.has_totp:
            return pages.see("/me")
        return await page(request, tools.people.codes.new_seed())

    @post("/me/second-factor", opt=_PERSON)
    async def take_second_factor(request: Asked) -> Answer:
        form, visit = await request.form(), visit_of(request)
        seed = str(form.get("seed", ""))[:_SEED_CHARS_MAX]
        try:
            await myself.require_password(request, str(form.get("password", "")))
            codes = await asyncio.to_thread(
                take, tools.sign_in, visit.person_id, seed=seed, code=str(form.get("code", ""))
            )
        except Refusal as refusal:
            return await page(request, seed, problem=refusal.code, status=status_for(refusal.code))
        except ValueError:  # a seed that was changed on the way
            return pages.see("/me/second-factor")
        await myself.close_others(request)
        await asyncio.to_thread(myself.tell_second_factor, visit, "on")
        return pages.page(request, "recovery_codes.html", codes=codes)

    return [show_second_factor, take_second_factor]


def _having_routes(myself: Myself) -> list[HTTPRouteHandler]:
    tools, pages = myself.tools, myself.pages

    @post("/me/second-factor/codes", opt=_PERSON)
    async def renew_recovery_codes(request: Asked) -> Answer:
        form, visit = await request.form(), visit_of(request)
        try:
            await myself.require_password(request, str(form.get("password", "")))
            codes = await asyncio.to_thread(
                renew_codes,
                tools.sign_in,
                visit.person_id,
                code=str(form.get("code", "")),
                visitor=visit.visitor,
            )
        except Refusal as refusal:
            return await myself.refuse(request, refusal, "totp")
        await asyncio.to_thread(myself.tell_second_factor, visit, "recovery_codes")
        return pages.page(request, "recovery_codes.html", codes=codes)

    @post("/me/second-factor/end", opt=_PERSON)
    async def end_second_factor(request: Asked) -> Answer:
        form, visit = await request.form(), visit_of(request)
        try:
            await myself.require_password(request, str(form.get("password", "")))
            code = str(form.get("code", ""))
            await asyncio.to_thread(end, tools.sign_in, visit.person_id, code=code, visitor=visit.visitor)
        except Refusal as refusal:
            return await myself.refuse(request, refusal, "totp")
        await asyncio.to_thread(myself.tell_second_factor, visit, "off")
        return pages.see("/me", Flash("totp_off"))

    return [renew_recovery_codes, end_second_factor]
