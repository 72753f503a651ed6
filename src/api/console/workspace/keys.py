"""A customer's API keys, its members, and the models that it can ask for."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.pages import Pages
from application.people.email import open_email
from domain.members import MEMBER_PERMISSIONS, NO_MEMBERS, Member

_READ: Final = {NEEDS: Needs("account", "read")}


def key_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/keys`, `/members`, `/models`."""
    tools = pages.tools.admin
    directory, ports = tools.directory, tools.ports

    @get("/app/{account_id:uuid}/keys", opt=_READ)
    async def list_keys(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        keys = [one for one in directory.keys.values() if one.account_id == account_id]
        rows = await asyncio.to_thread(looking.key_rows, ports, keys)
        status = directory.accounts[account_id].status
        return pages.page(request, "workspace/keys.html", rows=rows, account_status=status)

    def with_addresses(members: list[Member]) -> list[tuple[Member, str | None]]:
        return [(one, open_email(ports.personal, one.person_id, one.pii)) for one in members]

    @get("/app/{account_id:uuid}/members", opt=_READ)
    async def list_members(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        state = directory.members.get(account_id, NO_MEMBERS)
        rows = await asyncio.to_thread(with_addresses, list(state.members.values()))
        return pages.page(
            request,
            "workspace/members.html",
            rows=rows,
            invitations=list(state.invitations.values()),
            permissions=MEMBER_PERMISSIONS,
        )

    @get("/app/{account_id:uuid}/models", opt=_READ)
    async def list_models(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        """Those that have a price and that the account may ask for."""
        allowed = directory.accounts[account_id].limits.models
        rows = [
            row
            for row in looking.model_rows(directory, ports.clock.now_us())
            if row.price is not None and (allowed is None or row.name in allowed)
        ]
        return pages.page(request, "workspace/models.html", rows=rows)

    return [list_keys, list_members, list_models]
