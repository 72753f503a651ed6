"""Which customer asks, and what they may do: every route names its permission, and one that does not is closed."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from api.admin.access import permission_of
from api.customer.pace import Pace
from application.clock import Clock
from application.directory import Directory
from application.management.key_ring import Customer
from domain.management import InvalidManagementKey
from domain.refusal import NotPermitted

Connection = ASGIConnection[Any, Any, Any, Any]
Identify = Callable[[Connection], Awaitable[Customer]]
"""Who is behind a connection; raises `InvalidManagementKey` for nobody."""

_CUSTOMER: Final = "customer"
_SCHEME: Final = "bearer "


def by_management_key(directory: Directory, clock: Clock) -> Identify:
    """By the one `Authorization` header; it runs on the event loop that owns the directory."""

    async def identify(connection: Connection) -> Customer:
        headers = connection.headers.getall("authorization", [])
        if len(headers) != 1 or headers[0][: len(_SCHEME)].lower() != _SCHEME:
            raise InvalidManagementKey("a management key is needed as bearer token")
        secret = headers[0][len(_SCHEME) :].strip().encode()
        try:
            return directory.authenticate_customer(secret, now_us=clock.now_us())
        except InvalidManagementKey:
            raise InvalidManagementKey("this key opens nothing") from None

    return identify


def make_guard(identify: Identify, pace: Pace) -> Guard:
    """A guard that lets pass whose role allows the route, and who does not ask too often."""

    async def guard(connection: Connection, route: BaseRouteHandler) -> None:
        customer = await identify(connection)
        pace.take(customer.account_id)
        needed = permission_of(route)
        if needed not in customer.permissions:
            raise NotPermitted(f"the permission {needed}")
        connection.state[_CUSTOMER] = customer

    return guard


def customer_of(connection: Connection) -> Customer:
    """Who passed the guard."""
    customer = connection.state[_CUSTOMER]
    assert isinstance(customer, Customer)
    return customer
