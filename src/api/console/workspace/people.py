"""The members of a customer's account, and who of support has looked in."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.pages import Pages
from application.people.email import open_email
from application.people.ports import Factors
from application.support.looks import looks_into
from domain.members import MEMBER_PERMISSIONS, NO_MEMBERS, Member

_READ: Final = {NEEDS: Needs("account", "read")}


def people_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/members`."""
    directory, ports = pages.tools.admin.directory, pages.tools.admin.ports

    def with_addresses(members: list[Member]) -> list[tuple[Member, str | None, Factors | None]]:
        factors = pages.tools.people.people.factors([one.person_id for one in members])
        return [
            (one, open_email(ports.personal, one.person_id, one.pii), factors.get(one.person_id))
            for one in members
        ]

    def item(member: Member, email: str | None, factors: Factors | None, *, may: bool) -> dict[str, Any]:
        """How others sign in is for whoever looks after them: to anybody else it would say whom to attack."""
        return looking.member_item(member, email) | (looking.factors_item(factors) if may else {})

    @get("/app/{account_id:uuid}/members", opt=_READ)
    async def list_members(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        state = directory.members.get(account_id, NO_MEMBERS)
        rows = await asyncio.to_thread(with_addresses, list(state.members.values()))
        may = visit_of(request).member_may("members")
        looks = await asyncio.to_thread(looks_into, ports.store, account_id)
        return pages.page(
            request,
            "workspace/members.html",
            tables={"members": [item(*row, may=may) for row in rows], "looks": looks},
            rows=rows,
            invitations=list(state.invitations.values()),
            permissions=MEMBER_PERMISSIONS,
            looks=looks,
        )

    return [list_members]
