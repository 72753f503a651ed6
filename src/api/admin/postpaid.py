"""The GET routes of what is bought on account: limits, those that wait for a second operator, and what is unpaid."""

from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.accounts.stream import load_account
from application.postpaid.queries import AccountPostpaid, ProposalPage, ReceivablePage, account_of
from application.postpaid.stream import load_postpaid

_READ = {PERMISSION: "read"}


def postpaid_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Lists as last projected; one account as it is at this moment."""
    ports = tools.ports

    @get("/postpaid/receivables", opt=_READ, sync_to_thread=True)
    def list_receivables(
        *,
        overdue: FromQuery[bool] = False,
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> ReceivablePage:
        """Orders on account that are not paid, soonest due first, with their age; `sums` has all of them by currency."""
        now_us = ports.clock.now_us()
        return tools.postpaid.receivables(now_us=now_us, overdue=overdue, after=after, limit=limit)

    @get("/postpaid/proposals", opt=_READ, sync_to_thread=True)
    def list_proposals(*, after: FromQuery[UUID | None] = None, limit: Limit = PAGE_ROWS) -> ProposalPage:
        """Limits that wait for a second operator; `queue` tells how many, and how long the oldest waits."""
        return tools.postpaid.waiting(now_us=ports.clock.now_us(), after=after, limit=limit)

    @get("/postpaid/accounts/{account_id:uuid}", opt=_READ, sync_to_thread=True)
    def read_postpaid(account_id: FromPath[UUID]) -> AccountPostpaid:
        """What an account may buy on account, and what of it is unpaid and due."""
        load_account(ports.store, account_id)
        return account_of(account_id, load_postpaid(ports.store, account_id), now_us=ports.clock.now_us())

    return [list_receivables, list_proposals, read_postpaid]
