"""The console as a list of routes, and what people see when something is not as it should be."""

import math
from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request, Response, Router
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from api.admin.problems import code_of_any
from api.console.access import (
    NEEDS,
    SecondFactorFirst,
    SignInFirst,
    local_path,
    make_gate,
    visit_anyway,
    visit_of,
)
from api.console.account_filter import make_account_filter
from api.console.admin.routes import admin_routes
from api.console.assets_routes import asset_routes
from api.console.company_sign_in import company_sign_in_routes
from api.console.entrance import entrance_routes, status_for
from api.console.joining import joining_routes
from api.console.mailed_links import mailed_link_routes
from api.console.myself import myself_routes
from api.console.own_address import own_address_routes
from api.console.own_forms import ForeignForm, StaleForm, page_before
from api.console.pages import Flash, Pages
from api.console.passkeys import passkey_routes
from api.console.preferences import preference_routes
from api.console.public import public_routes
from api.console.second_factor import second_factor_routes
from api.console.tools import ConsoleTools
from api.console.workspace.routes import workspace_routes
from application.projections import ReadModelOutdated

FORM_BYTES_MAX: Final = 256 * 1024
PROBLEM: Final = "x-problem"
HOLDS_FROM_NOW: Final = "x-form-token"
"""Headers for our script: that the answer says what was wrong, and what forms of this page have to hold from now on."""

log = structlog.get_logger()


def console_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """Every route; each names what it needs."""
    return [
        *asset_routes(),
        *public_routes(pages),
        *entrance_routes(pages),
        *company_sign_in_routes(pages),
        *joining_routes(pages),
        *mailed_link_routes(pages),
        *myself_routes(pages),
        *own_address_routes(pages),
        *second_factor_routes(pages),
        *passkey_routes(pages),
        *preference_routes(pages),
        *admin_routes(pages),
        *workspace_routes(pages),
    ]


class Console:
    """The router, and the handler of errors, which also serves paths that lead nowhere."""

    def __init__(self, tools: ConsoleTools, *, away: tuple[type[Exception], ...]) -> None:
        """`away`: errors that mean that the database cannot be read."""
        self._pages = Pages(tools)
        self._away = away

    def router(self) -> Router:
        """Every route behind the gate."""
        return Router(
            path="/",
            route_handlers=console_routes(self._pages),
            guards=[make_gate(self._pages.tools)],
            before_request=make_account_filter(self._pages),
            exception_handlers={Exception: self.error_handler()},
            request_max_body_size=FORM_BYTES_MAX,
        )

    def error_handler(self) -> Callable[[Request[Any, Any, Any], Exception], Response[str]]:
        """A function, since the framework copies what it is given."""

        def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
            visit_anyway(request, self._pages.tools)
            return self._answer(request, error)

        return on_error

    def _answer(self, request: Request[Any, Any, Any], error: Exception) -> Response[str]:
        if isinstance(error, SignInFirst):
            if _is_by_script(request):
                return self._page(request, "session_ended", 401)
            return self._pages.see(f"/sign-in?target={error.target}")
        if isinstance(error, StaleForm):
            return self._stale(request, error)
        if isinstance(error, SecondFactorFirst) and not _is_by_script(request):
            return self._pages.see("/me/second-factor", Flash("second_factor_first", is_good=False))
        code, status = self._code_of(error)
        if code == "method_not_allowed" and request.method == "GET":
            return self._pages.see(_page_of(request.scope["path"]))
        if code == "internal_error":
            log.error("console_request_failed", path=request.scope["path"], error=type(error).__name__)
        answer = self._page(request, code, status, waiting=_waiting(request, error))
        if isinstance(error, ReadModelOutdated):
            answer.headers["retry-after"] = str(math.ceil(error.retry_after_s))
        return answer

    def _code_of(self, error: Exception) -> tuple[str, int]:
        """And the status of the page that says so."""
        if isinstance(error, ForeignForm):
            return "foreign_form", 403
        if isinstance(error, SecondFactorFirst):
            return "second_factor_first", 403
        if isinstance(error, self._away) and not isinstance(error, ReadModelOutdated):
            return "database_unavailable", 503
        code = code_of_any(error)
        return code, error.status_code if isinstance(error, HTTPException) else status_for(code)

    def _stale(self, request: Request[Any, Any, Any], stale: StaleForm) -> Response[str]:
        """Shown again, to be sent by whoever is there now; a script keeps its form, and gets what is to be sent with it."""
        visit, needs = visit_of(request), request.scope["route_handler"].opt[NEEDS]
        is_over = visit.session is None and needs.area != "anybody"
        code, status = ("session_ended", 401) if is_over else ("stale_form", 403)
        if _is_by_script(request) or not stale.may_be_shown:
            answer = self._page(request, code, status)
            if visit.session is not None:
                answer.headers[HOLDS_FROM_NOW] = visit.csrf
            return answer
        return self._pages.page(
            request,
            "send_again.html",
            status=status,
            code=code,
            fields=stale.fields,
            before=page_before(request),
        )

    def _page(
        self, request: Request[Any, Any, Any], code: str, status: int, *, waiting: tuple[str, ...] = ()
    ) -> Response[str]:
        """What happened, in people's words; for a script the words alone, which it puts where the form is.

        `waiting`: read models that operators may want to know of.
        """
        if _is_by_script(request):
            answer = self._pages.page(
                request, "_problem.html", status=status, problem=Flash(code, is_good=False)
            )
            answer.headers[PROBLEM] = code
            return answer
        return self._pages.page(
            request,
            "error.html",
            status=status,
            code=code,
            code_status=status,
            waiting=waiting,
            before=page_before(request),
        )


def _waiting(request: Request[Any, Any, Any], error: Exception) -> tuple[str, ...]:
    """The read models that wait; what they are called is for operators."""
    if not isinstance(error, ReadModelOutdated) or visit_of(request).role is None:
        return ()
    return error.names


def _is_by_script(request: Request[Any, Any, Any]) -> bool:
    """Whether a part of a page has asked, and not a person."""
    return request.headers.get("hx-request") == "true"


def _page_of(path: str) -> str:
    """The page that a form's target belongs to: a form that was refused shows there, and is asked for again, in another
    language for instance.
    """
    return local_path(path.partition("/do/")[0] if "/do/" in path else path.rpartition("/")[0], default="/")
