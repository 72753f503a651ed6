"""`/sign-in/company`: to the company's identity provider and back. What ties both ends together is in a signed cookie of ten minutes."""

import asyncio
import hmac
from typing import Any, Final

import structlog
from litestar import Request, Response, get
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.console.access import NEEDS, Needs, local_path, visit_of
from api.console.browsers import let_in
from api.console.entrance import HOME, code_step, status_for
from api.console.pages import Pages
from api.console.signing import opened, signed
from application.people.oidc import Attempt, IdentityRefused, new_attempt, sign_in_as
from application.people.sign_in import SignedIn
from domain.refusal import NotFound

Asked = Request[Any, Any, Any]
COOKIE: Final = "tokenok_company"
_ANYBODY: Final = {NEEDS: Needs("anybody")}
_PATH: Final = "/sign-in/company"
_VALID_S: Final = 600
_PURPOSE: Final = b"company sign-in"

log = structlog.get_logger()


def company_sign_in_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """There, and back."""
    tools = pages.tools

    @get(_PATH, opt=_ANYBODY)
    async def go(request: Asked, target: FromQuery[str] = HOME) -> Response[str]:
        if tools.company is None:
            raise NotFound("page")
        attempt = new_attempt(tools.sign_in, target=local_path(target, default=HOME))
        try:
            url = await asyncio.to_thread(tools.company.provider.authorization_url, attempt)
        except IdentityRefused as refusal:
            return _refused(pages, request, refusal)
        response = pages.see(url)
        response.set_cookie(_cookie(pages, signed(tools.sign_in.hasher, _PURPOSE, attempt), max_age=_VALID_S))
        return response

    @get(f"{_PATH}/back", opt=_ANYBODY)
    async def come_back(
        request: Asked, code: FromQuery[str] = "", attempt_state: FromQuery[str] = ""
    ) -> Response[str]:
        attempt = _attempt_of(pages, request)
        state = str(request.query_params.get("state", attempt_state))
        if tools.company is None:
            raise NotFound("page")
        try:
            if attempt is None or not hmac.compare_digest(state.encode(), attempt.state.encode()) or not code:
                raise IdentityRefused("an answer that nobody here has asked for")  # noqa: TRY301  # as every other
            came_in = await asyncio.to_thread(_identify, pages, request, code, attempt)
        except IdentityRefused as refusal:
            return _refused(pages, request, refusal)
        way = code_step(attempt.target) if came_in.session.stage == "password" else attempt.target
        response = await let_in(pages, request, came_in, way)
        response.set_cookie(_cookie(pages, "", max_age=0))
        return response

    return [go, come_back]


def _identify(pages: Pages, request: Asked, code: str, attempt: Attempt) -> SignedIn:
    """Blocking."""
    company = pages.tools.company
    assert company is not None, "the routes ask for it"
    identity = company.provider.identify(code, attempt)
    return sign_in_as(
        identity,
        sign_in=pages.tools.sign_in,
        identities=company.identities,
        staff=pages.tools.admin.directory.staff,
        visitor=visit_of(request).visitor,
    )


def _refused(pages: Pages, request: Asked, refusal: IdentityRefused) -> Response[str]:
    """Why is for the operator to read: the visitor learns only that it did not work."""
    log.warning("company_sign_in_refused", reason=str(refusal))
    response = pages.page(
        request, "sign_in.html", status=status_for(refusal.code), target=HOME, email="", problem=refusal.code
    )
    response.set_cookie(_cookie(pages, "", max_age=0))
    return response


def _cookie(pages: Pages, value: str, *, max_age: int) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        max_age=max_age,
        path=_PATH,
        httponly=True,
        samesite="lax",  # the way back comes from the provider's site
        secure=pages.tools.is_secure,
    )


def _attempt_of(pages: Pages, request: Asked) -> Attempt | None:
    return opened(pages.tools.sign_in.hasher, _PURPOSE, request.cookies.get(COOKIE, ""), Attempt)
