"""The GET routes. The directory is read on its event loop; what asks a database does so in a thread."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.access import PERMISSION
from api.admin.tools import AdminTools
from api.admin.views import (
    PAGE_ROWS,
    PAGE_ROWS_MAX,
    Balances,
    Page,
    account_items,
    balances_page,
    cut,
    found,
    management_key_items,
    names_of,
    operator_items,
)
from application.accounts.contact import contact_of
from application.queries import Balance, OpenHold, RequestDetail, RequestFilter, RequestPage, RequestState
from domain.refusal import NotFound

Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_ROWS_MAX)]
_READ = {PERMISSION: "read"}


class AgedHold(msgspec.Struct, frozen=True, kw_only=True):
    """An open hold, and for how long it has been one."""

    hold: OpenHold
    age_s: float


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """Open holds by request id."""

    items: tuple[AgedHold, ...]
    next_after: str | None


def directory_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Accounts and operators, with their names."""
    directory, ports = tools.directory, tools.ports

    @get("/accounts", opt=_READ)
    async def list_accounts(after: FromQuery[str | None] = None, limit: Limit = PAGE_ROWS) -> Page:
        shown, next_after = cut(directory.accounts, after=after, limit=limit)
        names = await asyncio.to_thread(names_of, ports, [one.account_id for one in shown])
        return Page(items=account_items(shown, names), next_after=next_after)

    @get("/accounts/{account_id:uuid}", opt=_READ)
    async def read_account(account_id: FromPath[UUID]) -> dict[str, Any]:
        account = found(directory.accounts, account_id, kind="account")
        (item,) = account_items([account], await asyncio.to_thread(names_of, ports, [account_id]))
        return item | {"contact": await asyncio.to_thread(contact_of, ports.personal, account)}

    @get("/management-keys", opt=_READ)
    async def list_management_keys(
        account_id: FromQuery[UUID], after: FromQuery[str | None] = None, limit: Limit = PAGE_ROWS
    ) -> Page:
        """Keys of an account's programs to the customers' API, revoked ones too."""
        shown, next_after = cut(directory.key_ring.of_account(account_id), after=after, limit=limit)
        names = await asyncio.to_thread(names_of, ports, [one.key_id for one in shown])
        return Page(items=management_key_items(shown, names), next_after=next_after)

    @get("/operators", opt=_READ)
    async def list_operators(after: FromQuery[str | None] = None, limit: Limit = PAGE_ROWS) -> Page:
        shown, next_after = cut(directory.staff.operators, after=after, limit=limit)
        names = await asyncio.to_thread(names_of, ports, [one.operator_id for one in shown])
        return Page(items=operator_items(shown, names), next_after=next_after)

    return [list_accounts, read_account, list_management_keys, list_operators]


def read_model_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Balances and requests, as last projected."""

    @get("/balances", opt=_READ, sync_to_thread=True)
    def list_balances(after: FromQuery[UUID | None] = None, limit: Limit = PAGE_ROWS) -> Balances:
        return balances_page(tools.balances.balances, after=after, limit=limit)

    @get("/balances/debts", opt=_READ, sync_to_thread=True)
    def list_debts(after: FromQuery[UUID | None] = None, limit: Limit = PAGE_ROWS) -> Balances:
        """Of accounts that owe for credit that they spent and whose payment went back."""
        return balances_page(tools.balances.debts, after=after, limit=limit)

    @get("/balances/{account_id:uuid}", opt=_READ)
    async def read_balance(account_id: FromPath[UUID]) -> Balance:
        """Zeros for an account that has not been granted anything yet."""
        balance = await asyncio.to_thread(tools.balances.balance, account_id)
        if balance is None:
            found(tools.directory.accounts, account_id, kind="account")
        return balance or nothing_yet(account_id)

    @get("/holds", opt=_READ, sync_to_thread=True)
    def list_holds(
        account_id: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> Holds:
        """Requests that hold credit now, one by one, oldest first."""
        now_us = tools.ports.clock.now_us()
        found = tools.balances.open_holds(account_id=account_id, after=after, limit=limit)
        items = tuple(AgedHold(hold=one, age_s=max(0.0, (now_us - one.since_us) / 1e6)) for one in found)
        return Holds(items=items, next_after=str(found[-1].request_id) if len(found) == limit else None)

    @get("/requests", opt=_READ, sync_to_thread=True)
    def list_requests(
        *,
        account_id: FromQuery[UUID | None] = None,
        key_id: FromQuery[UUID | None] = None,
        request_state: Annotated[RequestState | None, QueryParameter(name="state")] = None,
        alias: FromQuery[str | None] = None,
        client_ref: FromQuery[str | None] = None,
        admitted_from_us: FromQuery[int | None] = None,
        admitted_until_us: FromQuery[int | None] = None,
        price_version: FromQuery[int | None] = None,
        last_position_from: FromQuery[int | None] = None,
        last_position_to: FromQuery[int | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = 50,
    ) -> RequestPage:
        """Newest first; `next_before` is the `before_position` of the next page."""
        wanted = RequestFilter(
            account_id=account_id,
            key_id=key_id,
            state=request_state,
            alias=alias,
            client_ref=client_ref,
            admitted_from_us=admitted_from_us,
            admitted_until_us=admitted_until_us,
            price_version=price_version,
            last_position_from=last_position_from,
            last_position_to=last_position_to,
        )
        return tools.requests.requests(wanted, before_position=before_position, limit=limit)

    @get("/requests/{request_id:uuid}", opt=_READ, sync_to_thread=True)
    def read_request(request_id: FromPath[UUID]) -> RequestDetail:
        """One request with its attempts."""
        detail = tools.requests.request(request_id)
        if detail is None:
            raise NotFound("request", request_id)
        return detail

    return [list_balances, list_debts, read_balance, list_holds, list_requests, read_request]


def nothing_yet(account_id: UUID) -> Balance:
    """The balance of an account that nothing ever happened to."""
    return Balance(
        account_id=account_id,
        granted_nano=0,
        charged_nano=0,
        expired_nano=0,
        taken_nano=0,
        posted_nano=0,
        held_nano=0,
        available_nano=0,
        open_holds=0,
        updated_position=0,
    )
