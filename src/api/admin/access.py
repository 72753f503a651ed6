"""Who calls, and whether their role allows it: every route names its permission, and one that does not is closed."""

from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from application.directory import Directory
from application.directory_views import OperatorView
from domain.keys.access import InvalidOperatorToken
from domain.operators import PERMISSIONS
from domain.refusal import NotPermitted

PERMISSION = "permission"  #: the key in a route's `opt`
_OPERATOR = "operator"
_SCHEME = "bearer "


def make_guard(directory: Directory) -> Guard:
    """A guard of operator tokens; it runs on the event loop that owns the directory."""

    def guard(connection: ASGIConnection, route: BaseRouteHandler) -> None:  # type: ignore[type-arg]  # Litestar's own signature
        header = connection.headers.get("authorization", "")
        if header[: len(_SCHEME)].lower() != _SCHEME:
            raise InvalidOperatorToken("an operator's bearer token is needed")
        try:
            operator = directory.authenticate_operator(header[len(_SCHEME) :].strip().encode())
        except InvalidOperatorToken:
            raise InvalidOperatorToken("this token opens nothing") from None
        needed = permission_of(route)
        if needed not in PERMISSIONS[operator.role]:
            raise NotPermitted(f"the permission {needed}")
        connection.state[_OPERATOR] = operator

    return guard


def permission_of(route: BaseRouteHandler) -> str:
    """What a route asks for.

    Raises:
        MethodNotAllowedException: nothing; the framework answers OPTIONS by routes of its own, which are none of ours.
    """
    needed = route.opt.get(PERMISSION)
    if needed is None:
        raise MethodNotAllowedException
    return str(needed)


def operator_of(connection: ASGIConnection) -> OperatorView:  # type: ignore[type-arg]  # any connection
    """Who passed the guard."""
    operator = connection.state[_OPERATOR]
    assert isinstance(operator, OperatorView)
    return operator
