"""The console as a list of routes, and what people see when something is not as it should be."""

from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request, Response, Router
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from api.admin.problems import code_of_any
from api.console.access import ForeignForm, SignInFirst, make_gate, visit_anyway
from api.console.admin.routes import admin_routes
from api.console.assets_routes import asset_routes
from api.console.company_sign_in import company_sign_in_routes
from api.console.entrance import entrance_routes, status_for
from api.console.joining import joining_routes
from api.console.mailed_links import mailed_link_routes
from api.console.myself import myself_routes
from api.console.pages import Pages
from api.console.passkeys import passkey_routes
from api.console.preferences import preference_routes
from api.console.public import public_routes
from api.console.tools import ConsoleTools
from api.console.workspace.routes import workspace_routes

FORM_BYTES_MAX: Final = 256 * 1024

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
            return self._pages.see(f"/sign-in?target={error.target}" if error.target else "/sign-in")
        if isinstance(error, ForeignForm):
            return self._page(request, "foreign_form", 403)
        if isinstance(error, self._away):
            return self._page(request, "database_unavailable", 503)
        code = code_of_any(error)
        if code == "internal_error":
            log.error("console_request_failed", path=request.scope["path"], error=type(error).__name__)
        status = error.status_code if isinstance(error, HTTPException) else status_for(code)
        return self._page(request, code, status)

    def _page(self, request: Request[Any, Any, Any], code: str, status: int) -> Response[str]:
        """What happened, in people's words."""
        return self._pages.page(request, "error.html", status=status, code=code, code_status=status)
