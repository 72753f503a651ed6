"""How somebody wants to read: language, time zone and look, of the person if there is one, and of the browser."""

import asyncio
from typing import Any, Final, cast
from zoneinfo import available_timezones

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from api.console.access import (
    LANGUAGE_COOKIE,
    NEEDS,
    THEME_COOKIE,
    ZONE_COOKIE,
    Needs,
    local_path,
    visit_of,
)
from api.console.languages import LANGUAGES
from api.console.pages import Pages
from application.people.ports import Person, Theme

ZONES: Final = tuple(sorted(one for one in available_timezones() if "/" in one and not one.startswith("Etc")))
_CHOICES: Final = {
    "language": (LANGUAGE_COOKIE, frozenset(LANGUAGES)),
    "zone": (ZONE_COOKIE, frozenset(ZONES)),
    "theme": (THEME_COOKIE, frozenset(("light", "dark"))),
}


def preference_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/preferences`: a form may hold some of them; one that is empty, or none of ours, is left to the browser."""

    @post("/preferences", opt={NEEDS: Needs("anybody")})
    async def set_preferences(request: Request[Any, Any, Any]) -> Response[str]:
        form, visit = await request.form(), visit_of(request)
        response = pages.see(local_path(str(form.get("back", "/")), default="/"))
        wanted = _of(visit.person)
        for name, (cookie, known) in _CHOICES.items():
            if name in form:
                value = str(form[name])
                wanted[name] = value if value in known else None
                pages.remember(response, cookie, wanted[name] or "")
        if visit.person is not None and visit.session is not None and visit.session.stage == "full":
            await asyncio.to_thread(
                pages.tools.people.people.set_preferences,
                visit.person.person_id,
                locale=wanted["language"],
                zone=wanted["zone"],
                theme=cast("Theme | None", wanted["theme"]),
            )
        return response

    return [set_preferences]


def _of(person: Person | None) -> dict[str, str | None]:
    if person is None:
        return {"language": None, "zone": None, "theme": None}
    return {"language": person.locale, "zone": person.zone, "theme": person.theme}
