"""Form targets for what members may command: every entry of the customers' table."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console.access import NEEDS, Needs, visit_of
from api.console.acting import act
from api.console.pages import Pages
from api.customer.acting import bind
from api.customer.commands import ALLOWED, Allowed

_IDS: Final[tuple[str, ...]] = ("key_id", "order_id", "budget_id", "endpoint_id")
"""Fields of forms that name what must be the account's."""
_HOMES: Final = {
    "auto-recharge": "recharge",
    "billing": "settings",
    "charge": "requests",
    "code": "recharge",
    "endpoint": "webhooks",
}


def command_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/do/<nouns>/<verb>`."""
    return [_form(pages, allowed) for allowed in ALLOWED]


def _form(pages: Pages, allowed: Allowed) -> HTTPRouteHandler:
    entry = allowed.entry

    @post(
        f"/app/{{account_id:uuid}}/do{entry.path}",
        opt={NEEDS: Needs("account", allowed.permission)},
        name=f"app_{allowed.noun}_{allowed.verb}",
    )
    async def form(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        values = await request.form()
        named = {
            name: str(values[name]).strip() for name in _IDS if name in allowed.fields and values.get(name)
        }
        fixed = await asyncio.to_thread(
            bind, allowed, named, account_id=account_id, ports=pages.tools.admin.ports
        )
        home = f"/app/{account_id}/{_HOMES.get(allowed.noun, f'{allowed.noun}s')}"
        actor = visit_of(request).member
        return await act(pages, request, entry, actor=actor, fixed=fixed, only=allowed.fields, home=home)

    return form
