"""A customer's management keys, with which their own programs use `/api`."""

import asyncio
from typing import Any, Final, get_args
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.admin.views import management_key_items, names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.pages import Pages
from application.keys.queries import KeyState
from application.people.email import open_email
from domain.management import ManagementKey, ManagementRole
from domain.members import NO_MEMBERS

_READ: Final = {NEEDS: Needs("account", "read")}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One key. `maker` is the address of the member who made it; empty where they are none any more, or an operator made it."""

    key: ManagementKey
    name: str | None
    state: KeyState
    maker: str
    is_orphan: bool  #: the member who made it has left, so it opens nothing


def management_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/management-keys`."""
    directory = pages.tools.admin.directory

    @get("/app/{account_id:uuid}/management-keys", opt=_READ)
    async def list_management_keys(
        request: Request[Any, Any, Any], account_id: FromPath[UUID]
    ) -> Response[str]:
        keys = list(directory.key_ring.of_account(account_id).values())
        rows = await asyncio.to_thread(_rows, pages, account_id, keys)
        return pages.page(
            request,
            "workspace/management.html",
            tables={
                "management-keys": management_key_items(
                    keys, {row.key.key_id: row.name or "" for row in rows}
                )
            },
            rows=rows,
            roles=get_args(ManagementRole),
            account_status=directory.accounts[account_id].status,
            api_url=pages.tools.api_url or "https://api.example.com",
        )

    return [list_management_keys]


def _rows(pages: Pages, account_id: UUID, keys: list[ManagementKey]) -> list[Row]:
    """Newest first, those that work before those that do not. Blocking."""
    ports = pages.tools.admin.ports
    now_us = ports.clock.now_us()
    names = names_of(ports, [one.key_id for one in keys])
    members = pages.tools.admin.directory.members.get(account_id, NO_MEMBERS).members
    emails = {
        person_id: open_email(ports.personal, person_id, members[person_id].pii) or ""
        for person_id in {one.person_id for one in keys}
        if person_id is not None and person_id in members
    }
    rows = [
        Row(
            key=one,
            name=names.get(one.key_id),
            state=looking.key_state(one, now_us),
            maker="" if one.person_id is None else emails.get(one.person_id, ""),
            is_orphan=one.person_id is not None and one.person_id not in members,
        )
        for one in sorted(keys, key=lambda one: -one.issued_us)
    ]
    return sorted(rows, key=lambda row: row.state != "active")
