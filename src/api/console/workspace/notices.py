"""What a customer is told: announcements, alerts of budgets, keys that end soon. New is what came since somebody last looked."""

import asyncio
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.admin.views import names_of
from api.console.access import NEEDS, Needs, Visit, visit_of
from api.console.pages import Pages
from application.budgets.queries import BudgetAlert
from application.keys.queries import KeyFilter
from domain.announcements import Severity

_READ: Final = {NEEDS: Needs("account", "read")}
_ALERTS: Final = 50
_KEYS: Final = 500
_SOON_US: Final = 14 * 86_400 * 1_000_000
_SHORT_US: Final = 86_400 * 1_000_000
"""Keys that live no longer are meant to end, such as those of the playground."""
_PERCENT_FULL: Final = 100


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing. `title` is empty where the page words it by its kind."""

    kind: Literal["announcement", "alert", "key"]
    severity: Severity
    at_us: int
    title: str = ""
    body: str = ""
    language: str = ""
    name: str | None = None  #: of the key, if it is about one
    key_id: UUID | None = None
    alert: BudgetAlert | None = None


def notice_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/notices`."""
    tools = pages.tools

    @get("/app/{account_id:uuid}/notices", opt=_READ)
    async def list_notices(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        visit = visit_of(request)
        found = await asyncio.to_thread(_from_tables, pages, account_id)
        told = sorted([*_announced(pages, visit), *found], key=lambda one: -one.at_us)
        seen_us = visit.person.notices_seen_us if visit.person else 0
        return pages.page(request, "workspace/notices.html", told=told, seen_us=seen_us)

    @post("/me/notices-seen", opt={NEEDS: Needs("person")})
    async def mark_seen(request: Request[Any, Any, Any]) -> Response[str]:
        visit, form = visit_of(request), await request.form()
        now_us = tools.sign_in.clock.now_us()
        await asyncio.to_thread(tools.people.people.set_notices_seen, visit.person_id, now_us)
        return pages.see_local(str(form.get("back", "")), default="/")

    return [list_notices, mark_seen]


def _announced(pages: Pages, visit: Visit) -> list[Told]:
    return [
        Told(
            kind="announcement",
            severity=one.severity,
            at_us=one.from_us,
            title=one.title,
            body=one.body,
            language=one.language,
        )
        for one in pages.told(visit)
    ]


def _ending_keys(pages: Pages, account_id: UUID) -> dict[UUID, int]:
    """Keys that end within two weeks, and when. Blocking."""
    tools = pages.tools.admin
    now_us = tools.ports.clock.now_us()
    wanted = KeyFilter(account_id=account_id, state="active", ends_before_us=now_us + _SOON_US)
    found = tools.keys.keys(wanted, now_us=now_us, limit=_KEYS, newest_first=True).items
    return {
        one.key_id: one.expires_us
        for one in found
        if one.expires_us is not None and one.expires_us - one.created_us > _SHORT_US
    }


def _from_tables(pages: Pages, account_id: UUID) -> list[Told]:
    """Blocking."""
    tools = pages.tools.admin
    ending = _ending_keys(pages, account_id)
    alerts = tools.budgets.alerts(account_id=account_id, limit=_ALERTS).items
    keys = {*ending, *(one.key_id for one in alerts if one.key_id is not None)}
    names = names_of(tools.ports, list(keys))
    found = [
        Told(
            kind="alert",
            severity="critical" if one.percent >= _PERCENT_FULL else "warning",
            at_us=one.occurred_us,
            name=names.get(one.key_id) if one.key_id else None,
            key_id=one.key_id,
            alert=one,
        )
        for one in alerts
    ]
    soon = [
        Told(kind="key", severity="warning", at_us=at_us, name=names.get(key_id), key_id=key_id)
        for key_id, at_us in ending.items()
    ]
    return [*found, *soon]
