"""The members of a customer's account, and who of support has looked in."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.pages import Flash, Pages
from application.members import remove_member
from application.people.email import open_email
from application.people.ports import Factors
from application.support.looks import looks_into
from domain.members import MEMBER_PERMISSIONS, NO_MEMBERS, Member
from domain.refusal import Refusal

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

    @post("/app/{account_id:uuid}/leave", opt=_READ)
    async def leave(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        """Everybody may go, whatever else their role allows."""
        visit = visit_of(request)
        command = remove_member.RemoveMember(account_id=account_id, person_id=visit.person_id)
        try:
            await asyncio.to_thread(remove_member.handle, command, actor=visit.member, ports=ports)
        except Refusal as refusal:
            return pages.see(f"/app/{account_id}/members", Flash(refusal.code, is_good=False))
        await pages.tools.refresh()
        return pages.see("/", Flash("left"))

    return [list_members, leave]
