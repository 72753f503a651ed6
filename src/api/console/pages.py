"""From what a handler found to an answer: pages with their frame, and redirects after a form with what to say next."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

from api.console import texts
from api.console.access import SESSION_COOKIE, VISIT_COOKIE, Visit, local_path, visit_of
from api.console.files import FORMS, file_of
from api.console.formats import Formats
from api.console.headers import HEADERS
from api.console.languages import LANGUAGES, TAGS
from api.console.navigation import navigation
from api.console.own_forms import CSRF_FIELD
from api.console.refusal_words import detail_of
from api.console.signing import opened, signed
from api.console.tools import ConsoleTools
from application.announcements.notices import Notice, notices
from application.people.email import open_email
from application.people.sign_in import SignedIn
from domain.zones import zone_of

FLASH_COOKIE: Final = "tokenok_flash"
ONCE_FIELD: Final = "_once"
SHOWN_NAME: Final = "account_shown"
"""In a request's state: what the account is called by whose id operators have narrowed a list."""
_FLASH: Final = b"flash"
_ONCE_BYTES: Final = 16


class Flash(msgspec.Struct, frozen=True):
    """What to say on the next page: a code of `texts.DONE` or of a refusal, and its own words."""

    code: str
    is_good: bool = True
    detail: str = ""


class Pages:
    """Answers for one console."""

    def __init__(self, tools: ConsoleTools) -> None:
        self.tools = tools

    def page(
        self,
        request: Request[Any, Any, Any],
        template: str,
        /,
        *,
        status: int = 200,
        tables: Mapping[str, Iterable[Any]] | None = None,
        **context: Any,
    ) -> Response[Any]:
        """A page in the visitor's language; or, if that is asked for, one of its `tables` as a file."""
        visit, asked = visit_of(request), request.query_params
        form, table = asked.get("as", ""), asked.get("table", "")
        if tables is not None and form in FORMS and table in tables:
            return file_of(tables[table], name=table, form=form)
        values = self._frame(request, visit) | context
        html = self.tools.renderer.render(visit.language, template, values)
        response = Response(html, status_code=status, media_type="text/html", headers=HEADERS)
        if visit.new_cookie is not None:
            response.set_cookie(self._cookie(VISIT_COOKIE, visit.new_cookie))
        if FLASH_COOKIE in request.cookies:
            response.delete_cookie(FLASH_COOKIE)
        return response

    def email_of(self, person_id: UUID) -> str:
        """From one of the envelopes that hold it; empty after an erasure. Blocking."""
        directory, personal = self.tools.admin.directory, self.tools.admin.ports.personal
        accounts = directory.memberships.get(person_id, ())
        envelopes = [directory.members[one].members[person_id].pii for one in accounts]
        operator = directory.staff.operators.get(person_id)
        if operator is not None and operator.pii is not None:
            envelopes.append(operator.pii)
        return next(filter(None, (open_email(personal, person_id, pii) for pii in envelopes)), "")

    def text(self, visit: Visit, message: str) -> str:
        return self.tools.renderer.text(visit.language, message)

    def detail(self, visit: Visit, error: Exception) -> str:
        """What an error says of a field, in the visitor's words; empty if there are none for it."""
        fmt = Formats(visit.language, zone_of(visit.zone))
        return detail_of(error, text=lambda message: self.text(visit, message), fmt=fmt)

    def see(self, path: str, flash: Flash | None = None) -> Response[str]:
        """After a form: look there."""
        response = Response("", status_code=303, headers={**HEADERS, "location": path})
        if flash is not None:
            cookie = Cookie(
                key=FLASH_COOKIE,
                value=signed(self.tools.sign_in.hasher, _FLASH, flash),
                max_age=60,
                httponly=True,
                samesite="lax",
                secure=self.tools.is_secure,
            )
            response.set_cookie(cookie)
        return response

    def signed_in(self, came_in: SignedIn, path: str, flash: Flash | None = None) -> Response[str]:
        """Go on as somebody who is signed in."""
        response = self.see(path, flash)
        seconds = (came_in.session.expires_us - came_in.session.made_us) // 1_000_000
        response.set_cookie(self._cookie(SESSION_COOKIE, came_in.secret.reveal(), max_age=seconds))
        return response

    def signed_out(self, path: str, flash: Flash | None = None) -> Response[str]:
        response = self.see(path, flash)
        response.delete_cookie(SESSION_COOKIE)
        return response

    def remember(self, response: Response[str], name: str, value: str) -> None:
        """A preference of a browser for a year; an empty one is forgotten."""
        if value:
            response.set_cookie(self._cookie(name, value, max_age=365 * 86_400))
        else:
            response.delete_cookie(name)

    def flash_of(self, request: Request[Any, Any, Any]) -> Flash | None:
        """What the last form left to say; nothing that we have not signed."""
        raw = request.cookies.get(FLASH_COOKIE, "")
        return opened(self.tools.sign_in.hasher, _FLASH, raw, Flash)

    def told(self, visit: Visit) -> tuple[Notice, ...]:
        """What operators tell whoever looks at an account, in their language."""
        now_us = self.tools.sign_in.clock.now_us()
        announcements = self.tools.admin.directory.announcements
        return notices(announcements, account_id=visit.account_id, language=visit.language, now_us=now_us)

    def see_local(self, path: str, *, default: str) -> Response[str]:
        """As `see`, for a path that a form has brought: only one of ours is followed."""
        return self.see(local_path(path, default=default))

    def _frame(self, request: Request[Any, Any, Any], visit: Visit) -> dict[str, Any]:
        path = request.scope["path"]
        told = self.told(visit) if visit.account_id is not None else ()
        seen_us = visit.person.notices_seen_us if visit.person is not None else 0
        unseen = [one for one in told if one.from_us > seen_us]
        return {
            "urgent": [one for one in unseen if one.severity != "info"],
            "visit": visit,
            "csrf": visit.csrf,
            "csrf_field": CSRF_FIELD,
            "once_field": ONCE_FIELD,
            "once": lambda: self.tools.sign_in.ids.entropy(_ONCE_BYTES).hex(),
            "path": path,
            "here": str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
            "language": visit.language,
            "language_tag": TAGS[visit.language],
            "languages": LANGUAGES,
            "fmt": Formats(visit.language, zone_of(visit.zone)),
            "now_us": self.tools.sign_in.clock.now_us(),
            "navigation": navigation(visit, path, unseen=len(unseen)),
            "has_mail": self.tools.mailed is not None,
            "has_passkeys": self.tools.passkeys is not None,
            "company_name": self.tools.company.provider.name if self.tools.company else "",
            "sign_up_open": self.tools.sign_up_open,
            "account_shown": request.state.get(SHOWN_NAME, ""),
            "edit": request.query_params.get("edit", ""),
            "flash": self.flash_of(request),
            "texts": texts,
            "is_live": request.headers.get("hx-request") == "true",
        }

    def _cookie(self, name: str, value: str, *, max_age: int | None = None) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            max_age=max_age,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self.tools.is_secure,
        )
