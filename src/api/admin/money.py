"""The GET routes of the books in money."""

from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.money.month import MonthComparison
from application.money.queries import MoneyBalances, OpenItems

_READ: Final = {PERMISSION: "read"}


def money_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What money is where, and what does not agree."""

    @get("/money/balances", opt=_READ, sync_to_thread=True)
    def read_money_balances() -> MoneyBalances:
        """The trial balance of each currency's books, credit positive, in minor units."""
        return tools.money.balances()

    @get("/money/open", opt=_READ, sync_to_thread=True)
    def read_money_open(after: FromQuery[str | None] = None, limit: Limit = PAGE_ROWS) -> OpenItems:
        """Payments that a provider's list does not have yet, and lines of it that no order tells of; oldest first."""
        return tools.money.open_items(after=after, limit=limit)

    @get("/money/months/{month:str}", opt=_READ, sync_to_thread=True)
    def read_money_month(month: FromPath[str]) -> MonthComparison:
        """A month such as 2026-11: what is booked, what documents, orders, providers and statements say of the same, and the difference."""
        return tools.months.month(month)

    return [read_money_balances, read_money_open, read_money_month]
