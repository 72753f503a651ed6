"""Customers' accounts and all API keys."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.reading import nothing_yet
from api.admin.views import account_items, cut, found, key_items, names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, every, file_of
from api.console.pages import Pages
from application.accounts.contact import contact_of
from application.ledger.wallet_reader import load_wallet
from application.people.email import open_email
from application.queries import RequestFilter
from domain.accounts import Account
from domain.members import MEMBER_PERMISSIONS, NO_MEMBERS

_READ: Final = {NEEDS: Needs("staff", "read")}
_LATEST: Final = 8


def customer_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/customers` and `/console/keys`."""
    tools = pages.tools.admin
    directory, ports = tools.directory, tools.ports

    def shown(accounts: dict[UUID, Account], q: str, after: str | None) -> dict[str, Any]:
        if q:
            matching = looking.named_like(ports, list(accounts), q)
            accounts = {one: accounts[one] for one in matching}
        rows, next_after = cut(accounts, after=after, limit=looking.PAGE_ROWS)
        ids = [one.account_id for one in rows]
        balances = {one: tools.balances.balance(one) for one in ids}
        return {"rows": rows, "balances": balances, "names": names_of(ports, ids), "next_after": next_after}

    def whole(accounts: dict[UUID, Account], q: str) -> list[dict[str, Any]]:
        wanted = looking.named_like(ports, list(accounts), q) if q else set(accounts)

        def turn(at: Any) -> tuple[Any, Any]:
            items = tools.balances.balances(after=at, limit=PAGE_ROWS)
            return items, items[-1].account_id if len(items) == PAGE_ROWS else None

        balances = {one.account_id: one for one in every(turn)}
        rows = account_items([accounts[one] for one in sorted(wanted)], names_of(ports, list(wanted)))
        return [row | {"balance": balances.get(row["account_id"])} for row in rows]

    @get("/console/customers", opt=_READ)
    async def list_customers(
        request: Request[Any, Any, Any],
        q: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS:
            rows = await asyncio.to_thread(whole, dict(directory.accounts), q.strip())
            return file_of(rows, name="accounts", form=form)
        context = await asyncio.to_thread(shown, dict(directory.accounts), q.strip(), after or None)
        return pages.page(request, "admin/customers.html", q=q, **context)

    @get("/console/customers/{account_id:uuid}", opt=_READ)
    async def show_customer(request: Request[Any, Any, Any], account_id: FromPath[UUID]) -> Response[str]:
        account = found(directory.accounts, account_id, kind="account")
        keys = [one for one in directory.keys.values() if one.account_id == account_id]
        context = await asyncio.to_thread(_one, pages, account)
        context["keys"] = await asyncio.to_thread(looking.key_rows, ports, keys)
        return pages.page(request, "admin/customer.html", account=account, **context)

    @get("/console/keys", opt=_READ)
    async def list_keys(
        request: Request[Any, Any, Any],
        q: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        keys = dict(directory.keys)
        if form in FORMS:
            chosen = await asyncio.to_thread(_matching, pages, keys, q.strip())
            names = await asyncio.to_thread(names_of, ports, list(chosen))
            return file_of(key_items(chosen.values(), names), name="api-keys", form=form)
        context = await asyncio.to_thread(_keys, pages, keys, q.strip(), after or None)
        return pages.page(request, "admin/keys.html", q=q, **context)

    return [list_customers, show_customer, list_keys]


def _one(pages: Pages, account: Account) -> dict[str, Any]:
    tools = pages.tools.admin
    ports, account_id = tools.ports, account.account_id
    wallet = load_wallet(ports.store, account_id).wallet
    members = tools.directory.members.get(account_id, NO_MEMBERS)
    return {
        "name": names_of(ports, [account_id]).get(account_id),
        "contact": contact_of(ports.personal, account),
        "balance": tools.balances.balance(account_id) or nothing_yet(account_id),
        "lots": list(wallet.terms.items()),
        "wallet": wallet,
        "latest": tools.requests.requests(RequestFilter(account_id=account_id), limit=_LATEST).requests,
        "members": [
            (one, open_email(ports.personal, one.person_id, one.pii)) for one in members.members.values()
        ],
        "invitations": list(members.invitations.values()),
        "roles": list(MEMBER_PERMISSIONS),
    }


def _matching(pages: Pages, keys: dict[UUID, Any], q: str) -> dict[UUID, Any]:
    """By name, id, the beginning of a secret or the account."""
    if not q:
        return keys
    by_prefix = {one for one, key in keys.items() if any(q in row.prefix for row in key.secrets)}
    wanted = looking.named_like(pages.tools.admin.ports, list(keys), q) | by_prefix
    wanted |= {one for one, key in keys.items() if str(key.account_id) == q}
    return {one: keys[one] for one in wanted}


def _keys(pages: Pages, keys: dict[UUID, Any], q: str, after: str | None) -> dict[str, Any]:
    ports = pages.tools.admin.ports
    keys = _matching(pages, keys, q)
    rows, next_after = cut(keys, after=after, limit=looking.PAGE_ROWS)
    names = names_of(ports, list({one.account_id for one in rows}))
    return {"rows": looking.key_rows(ports, rows), "account_names": names, "next_after": next_after}
