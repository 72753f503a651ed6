"""Every route of operators."""

from functools import partial
from typing import Any

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from api.admin.commands import COMMANDS
from api.admin.tables.entry import Entry
from api.console.access import NEEDS, Needs, visit_of
from api.console.account_filter import with_account
from api.console.acting import act
from api.console.admin.announcements import announcement_routes
from api.console.admin.budgets import budget_routes
from api.console.admin.catalogue import catalogue_routes
from api.console.admin.charges import charge_routes
from api.console.admin.codes import code_routes
from api.console.admin.control import control_routes
from api.console.admin.corrections import correction_routes
from api.console.admin.customers import customer_routes
from api.console.admin.documents import document_routes
from api.console.admin.earnings import earning_routes
from api.console.admin.integrations import integration_routes
from api.console.admin.invoices import invoice_routes
from api.console.admin.launch import launch_routes
from api.console.admin.mails import mail_routes
from api.console.admin.orders import order_routes
from api.console.admin.overview import overview_routes
from api.console.admin.postpaid import postpaid_routes
from api.console.admin.prices import price_routes
from api.console.admin.refunds import refund_routes
from api.console.admin.requests import request_routes
from api.console.admin.routing import routing_routes
from api.console.admin.statements import statement_routes
from api.console.admin.work import work_routes
from api.console.pages import Pages


def admin_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """The pages, and one form target for every command."""
    return [
        *overview_routes(pages),
        *request_routes(pages),
        *customer_routes(pages),
        *catalogue_routes(pages),
        *control_routes(pages),
        *announcement_routes(pages),
        *launch_routes(pages),
        *invoice_routes(pages),
        *document_routes(pages),
        *mail_routes(pages),
        *integration_routes(pages),
        *statement_routes(pages),
        *routing_routes(pages),
        *price_routes(pages),
        *order_routes(pages),
        *refund_routes(pages),
        *postpaid_routes(pages),
        *correction_routes(pages),
        *charge_routes(pages),
        *code_routes(pages),
        *work_routes(pages),
        *budget_routes(pages),
        *earning_routes(pages),
        *(_form(pages, entry) for entry in COMMANDS),
    ]


def _form(pages: Pages, entry: Entry) -> HTTPRouteHandler:
    find = partial(with_account, pages.tools.admin)

    @post(
        f"/console/do{entry.path}",
        opt={NEEDS: Needs("staff", entry.permission)},
        name=f"console_{entry.noun}_{entry.verb}",
    )
    async def form(request: Request[Any, Any, Any]) -> Response[str]:
        return await act(pages, request, entry, actor=visit_of(request).operator, find=find, home="/console")

    return form
