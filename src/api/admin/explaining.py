"""The GET routes that answer why a figure is what it is, and how things were. They read the events: slow and exact."""

from uuid import UUID

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.explaining.as_of import AsOf, read_as_of
from application.explaining.balance import BalanceExplained, explain_balance
from application.explaining.figures import BooksCell, UsageCell, explain_books, explain_usage
from application.explaining.moment import (
    AccountThen,
    KeyThen,
    PriceThen,
    account_at,
    key_at,
    price_at,
)
from application.explaining.refusals import RefusalExplained, explain_refusals
from application.explaining.statement import StatementCell, StatementExplainer, StatementQuestion
from application.reports.period import asked
from application.reports.usage import UsageFilter


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the log."""

    items: tuple[RefusalExplained, ...]


_READ = {PERMISSION: "read"}


def explaining_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Balances, accounts, keys and prices at a position or an instant."""
    store, clock = tools.ports.store, tools.ports.clock

    @get("/explanations/balances/{account_id:uuid}", opt=_READ, sync_to_thread=True)
    def explain_account_balance(
        account_id: FromPath[UUID],
        as_of: FromQuery[str | None] = None,
        after_position: FromQuery[int] = 0,
        limit: Limit = PAGE_ROWS,
    ) -> BalanceExplained:
        """Sums by kind of event, and the events behind them; `next_after` is the `after_position` of the next page."""
        account_at(store, account_id, as_of=AsOf())  # a slip of the pen is not an account without credit
        return explain_balance(store, account_id, as_of=read_as_of(as_of), after=after_position, limit=limit)

    @get("/explanations/accounts/{account_id:uuid}", opt=_READ, sync_to_thread=True)
    def explain_account(account_id: FromPath[UUID], as_of: FromQuery[str | None] = None) -> AccountThen:
        """Status and limits of an account at a point."""
        return account_at(store, account_id, as_of=read_as_of(as_of))

    @get("/explanations/keys/{key_id:uuid}", opt=_READ, sync_to_thread=True)
    def explain_key(key_id: FromPath[UUID], as_of: FromQuery[str | None] = None) -> KeyThen:
        """Limits, expiry and revocation of an API key at a point."""
        return key_at(store, key_id, as_of=read_as_of(as_of))

    @get("/explanations/prices", opt=_READ, sync_to_thread=True)
    def explain_price(alias: FromQuery[str], as_of: FromQuery[str | None] = None) -> PriceThen:
        """The price of a model in force at a point, and what was announced by then."""
        return price_at(store, alias, as_of=read_as_of(as_of), clock=clock)

    @get("/explanations/refusals/{account_id:uuid}", opt=_READ, sync_to_thread=True)
    def explain_account_refusals(
        account_id: FromPath[UUID], from_us: FromQuery[int], until_us: FromQuery[int]
    ) -> Refusals:
        """What was refused to an account, by rule, with key and account as they were."""
        return Refusals(items=explain_refusals(store, account_id, from_us=from_us, until_us=until_us))

    @get("/explanations/statements/{account_id:uuid}", opt=_READ, sync_to_thread=True)
    def explain_statement_cell(
        *,
        account_id: FromPath[UUID],
        cell: FromQuery[str] = "closing",
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> StatementCell:
        """What a figure of a statement is the sum of: `opening`, `closing`, a kind of its totals, or `line:POSITION.PLACE`.

        A line leads to its events, with what they moved and where their proofs are.
        """
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        question = StatementQuestion(
            account_id=account_id, period=period, cell=cell, zone=zone, after=after, limit=limit
        )
        explainer = StatementExplainer(store=store, statements=tools.statements, requests=tools.requests)
        return explainer.explain(question)

    @get("/explanations/usage/{account_id:uuid}", opt=_READ, sync_to_thread=True)
    def explain_usage_cell(
        *,
        account_id: FromPath[UUID],
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        key_id: FromQuery[UUID | None] = None,
        alias: FromQuery[str | None] = None,
    ) -> UsageCell:
        """What the charges of an account, key or model in a period are the sum of: lines of the account's statement."""
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        wanted = UsageFilter(period=period, account_id=account_id, key_id=key_id, alias=alias)
        return explain_usage(tools.usage, tools.statements, wanted, zone=zone)

    @get("/explanations/books", opt=_READ, sync_to_thread=True)
    def explain_books_account(
        name: FromQuery[str], after_position: FromQuery[int] = 0, limit: Limit = PAGE_ROWS
    ) -> BooksCell:
        """The events that moved one account of the books; `next_after` is the `after_position` of the next page."""
        return explain_books(store, tools.ports.books, name, after=after_position, limit=limit)

    return [
        explain_statement_cell,
        explain_usage_cell,
        explain_books_account,
        explain_account_refusals,
        explain_account_balance,
        explain_account,
        explain_key,
        explain_price,
    ]
