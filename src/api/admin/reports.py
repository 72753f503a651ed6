"""The GET routes of reports: what read models say of the past."""

from typing import Final
from uuid import UUID

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.balance_alerts.queries import LowBalancePage
from application.budgets.queries import AlertPage, BudgetPage
from application.documents.statement_files import MEDIA
from application.documents.statements import StatementAsked
from application.reports.health import LedgerHealth
from application.reports.period import asked
from application.reports.statement import Statement
from application.reports.statement_file import StatementFormat
from application.reports.trial_balance import TrialBalancePage
from application.reports.usage import (
    EarningsPage,
    UsageFilter,
    UsagePage,
    earnings_groups,
    usage_groups,
)

_READ: Final = {PERMISSION: "read"}


def report_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Usage, earnings, statements and the books."""

    @get("/usage", opt=_READ, sync_to_thread=True)
    def read_usage(
        *,
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        by: FromQuery[str] = "day",
        account_id: FromQuery[UUID | None] = None,
        key_id: FromQuery[UUID | None] = None,
        alias: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> UsagePage:
        """What was asked, used and charged, added up by hour, day, month, account, key, member, alias or operation."""
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        wanted = UsageFilter(period=period, account_id=account_id, key_id=key_id, alias=alias)
        return tools.usage.usage(wanted, by=usage_groups(by), zone=zone, after=after, limit=limit)

    @get("/earnings", opt=_READ, sync_to_thread=True)
    def read_earnings(
        *,
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        by: FromQuery[str] = "provider,model",
        account_id: FromQuery[UUID | None] = None,
        key_id: FromQuery[UUID | None] = None,
        alias: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> EarningsPage:
        """Calls of providers and what they earned, added up by hour, day, month, account, key, alias, provider or model."""
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        wanted = UsageFilter(period=period, account_id=account_id, key_id=key_id, alias=alias)
        return tools.usage.earnings(wanted, by=earnings_groups(by), zone=zone, after=after, limit=limit)

    @get("/statements/{account_id:uuid}", opt=_READ, sync_to_thread=True)
    def read_statement(
        *,
        account_id: FromPath[UUID],
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> Statement:
        """An account's credit from the opening to the closing of a period, line by line.

        The charges behind a line: GET /requests with its account, key, alias, price version and positions.
        """
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        return tools.statements.statement(account_id, period, zone=zone, after=after, limit=limit)

    @get("/statements/{account_id:uuid}/{form:str}", opt=_READ, sync_to_thread=True)
    def read_statement_file(
        *,
        account_id: FromPath[UUID],
        form: FromPath[StatementFormat],
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
    ) -> Response[bytes]:
        """The whole statement as a file, `csv` or `json`; of a period that is over always the same bytes."""
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        wanted = StatementAsked(account_id=account_id, period=period, zone=zone)
        return Response(tools.statement_files.file(wanted, form), media_type=MEDIA[form])

    @get("/trial-balance", opt=_READ, sync_to_thread=True)
    def read_trial_balance(after: FromQuery[str] = "", limit: Limit = PAGE_ROWS) -> TrialBalancePage:
        """What every account of the books stands at, credit positive; all of them add up to zero."""
        return tools.ports.books.trial_balance(after=after, limit=limit)

    @get("/ledger/health", opt=_READ, sync_to_thread=True)
    def read_ledger_health() -> LedgerHealth:
        """Whether the books are right, as far as can be told at any moment; `faults` names what is wrong."""
        return tools.health.health()

    @get("/budgets", opt=_READ, sync_to_thread=True)
    def read_budgets(
        *,
        account_id: FromQuery[UUID | None] = None,
        key_id: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> BudgetPage:
        """Budgets in force with what is spent, held and left of each in its present window, and when that ends."""
        now_us = tools.ports.clock.now_us()
        return tools.budgets.budgets(
            now_us=now_us, account_id=account_id, key_id=key_id, after=after, limit=limit
        )

    @get("/alerts", opt=_READ, sync_to_thread=True)
    def read_alerts(
        *,
        account_id: FromQuery[UUID | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> AlertPage:
        """Alerts of budgets, newest first."""
        return tools.budgets.alerts(account_id=account_id, before_position=before_position, limit=limit)

    @get("/balances/alerts", opt=_READ, sync_to_thread=True)
    def read_low_balances(
        *,
        account_id: FromQuery[UUID | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> LowBalancePage:
        """Accounts that fell below their threshold, newest first."""
        return tools.low_balances.low_balances(
            account_id=account_id, before_position=before_position, limit=limit
        )

    return [
        read_budgets,
        read_alerts,
        read_low_balances,
        read_usage,
        read_earnings,
        read_statement,
        read_statement_file,
        read_trial_balance,
        read_ledger_health,
    ]
