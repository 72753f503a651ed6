"""Customers' accounts and all API keys."""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.keys import NamedKey
from api.admin.reading import nothing_yet
from api.admin.views import account_items, cut, found, names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, stream_of
from api.console.key_lists import list_keys, one_key
from api.console.pages import Pages
from application.accounts.contact import contact_of
from application.auto_recharge.show import show_auto
from application.ledger.wallet_reader import load_wallet
from application.people.email import open_email
from application.postpaid.queries import account_of
from application.postpaid.stream import load_postpaid
from application.queries import RequestFilter
from application.recharge.list_offers import list_offers
from domain.accounts import Account
from domain.members import MEMBER_PERMISSIONS, NO_MEMBERS
from domain.refusal import NotFound

_READ: Final = {NEEDS: Needs("staff", "read")}
_LATEST: Final = 8
_KEYS: Final = 20


def customer_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/customers` and `/console/keys`."""
    return [*_list_routes(pages), *_one_routes(pages), *_key_routes(pages)]


def _list_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin
    directory, ports = tools.directory, tools.ports

    def shown(accounts: dict[UUID, Account], q: str, after: str | None) -> dict[str, Any]:
        if q:
            matching = looking.named_like(ports, accounts, q)
            accounts = {one: accounts[one] for one in matching}
        rows, next_after = cut(accounts, after=after, limit=looking.PAGE_ROWS)
        ids = [one.account_id for one in rows]
        balances = tools.balances.balances_of(ids)
        return {"rows": rows, "balances": balances, "names": names_of(ports, ids), "next_after": next_after}

    def turn_of(accounts: dict[UUID, Account], q: str) -> Turn:
        wanted = sorted(looking.named_like(ports, accounts, q) if q else accounts)

        def turn(at: Any) -> tuple[Any, Any]:
            begin = at or 0
            ids = wanted[begin : begin + PAGE_ROWS]
            balances = tools.balances.balances_of(ids)
            rows = [
                row | {"balance": balances.get(row["account_id"]) or nothing_yet(row["account_id"])}
                for row in account_items([accounts[one] for one in ids], names_of(ports, ids))
            ]
            return rows, begin + PAGE_ROWS if begin + PAGE_ROWS < len(wanted) else None

        return turn

    @get("/console/customers", opt=_READ)
    async def list_customers(
        request: Request[Any, Any, Any],
        q: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS:
            turn = await asyncio.to_thread(turn_of, dict(directory.accounts), q.strip())
            return await stream_of(turn, name="accounts", form=form)
        context = await asyncio.to_thread(shown, dict(directory.accounts), q.strip(), after or None)
        return pages.page(request, "admin/customers.html", q=q, **context)

    return [list_customers]


def _one_routes(pages: Pages) -> list[HTTPRouteHandler]:
    directory = pages.tools.admin.directory

    @get("/console/customers/{account_id:uuid}", opt=_READ)
    async def show_customer(
        request: Request[Any, Any, Any], account_id: FromPath[UUID], form: Annotated[str, AS] = ""
    ) -> Response[Any]:
        account = found(directory.accounts, account_id, kind="account")
        edit = looking.uuid_of(request.query_params.get("edit"))
        if form in FORMS and request.query_params.get("table") == "api-keys":
            return await stream_of(_key_turn(pages, "", account_id), name="api-keys", form=form)
        context = await asyncio.to_thread(_one, pages, account, edit)
        tables = {
            "lots": [
                {"lot_id": lot_id, "not_lent_nano": context["wallet"].lots.get(lot_id, 0), "terms": terms}
                for lot_id, terms in context["lots"]
            ],
            "unpaid-orders": context["postpaid"].unpaid,
            "people": [looking.member_item(one, email) for one, email in context["members"]],
        }
        return pages.page(request, "admin/customer.html", tables=tables, account=account, **context)

    return [show_customer]


def _key_routes(pages: Pages) -> list[HTTPRouteHandler]:
    @get("/console/keys", opt=_READ)
    async def show_keys(
        request: Request[Any, Any, Any],
        q: FromQuery[str] = "",
        after: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS:
            return await stream_of(_key_turn(pages, q), name="api-keys", form=form)
        edit = looking.uuid_of(request.query_params.get("edit"))
        context = await asyncio.to_thread(_keys, pages, q, looking.uuid_of(after), edit)
        return pages.page(request, "admin/keys.html", q=q, **context)

    return [show_keys]


def _one(pages: Pages, account: Account, edit: UUID | None) -> dict[str, Any]:
    tools = pages.tools.admin
    ports, account_id = tools.ports, account.account_id
    wallet = load_wallet(ports.store, account_id).wallet
    members = tools.directory.members.get(account_id, NO_MEMBERS)
    return {
        "name": names_of(ports, [account_id]).get(account_id),
        "contact": contact_of(ports.personal, account),
        "automatic": show_auto(ports.store, account_id, clock=ports.clock),
        **_postpaid(pages, account_id),
        "balance": tools.balances.balance(account_id) or nothing_yet(account_id),
        "keys": list_keys(tools, account_id=account_id, limit=_KEYS),
        "edited": _edited(pages, edit, account_id),
        "lots": list(wallet.terms.items()),
        "wallet": wallet,
        "latest": tools.requests.requests(RequestFilter(account_id=account_id), limit=_LATEST).requests,
        "members": [
            (one, open_email(ports.personal, one.person_id, one.pii)) for one in members.members.values()
        ],
        "invitations": list(members.invitations.values()),
        "roles": list(MEMBER_PERMISSIONS),
    }


def _postpaid(pages: Pages, account_id: UUID) -> dict[str, Any]:
    """What may be bought on account and what of it is unpaid; the limit that waits, and currencies that one may be in."""
    ports = pages.tools.admin.ports
    known = load_postpaid(ports.store, account_id)
    waiting = known.waiting
    return {
        "postpaid": account_of(account_id, known, now_us=ports.clock.now_us()),
        "waiting": None if waiting is None else (waiting, known.proposals[waiting]),
        "currencies": [(one.currency, one.currency) for one in list_offers(ports.store)],
    }


def _edited(pages: Pages, key_id: UUID | None, account_id: UUID | None = None) -> NamedKey | None:
    """The key that is changed beside the list; none for an id that is none."""
    try:
        return None if key_id is None else one_key(pages.tools.admin, key_id, account_id=account_id)
    except NotFound:
        return None


def _key_turn(pages: Pages, q: str, account_id: UUID | None = None) -> Turn:
    def turn(at: Any) -> tuple[Any, Any]:
        page = list_keys(pages.tools.admin, q, account_id=account_id, after=at, limit=PAGE_ROWS)
        return page.rows, page.next_after

    return turn


def _keys(pages: Pages, q: str, after: UUID | None, edit: UUID | None) -> dict[str, Any]:
    tools = pages.tools.admin
    found = list_keys(tools, q, after=after)
    names = names_of(tools.ports, list({one.account_id for one in found.rows}))
    return {"found": found, "account_names": names, "edited": _edited(pages, edit)}
