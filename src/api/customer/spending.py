"""The GET routes of an account's credit: its balance, what was asked for, and what it cost."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from api.admin.reading import Limit, nothing_yet
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from api.customer.access import customer_of
from api.customer.reading import READ
from api.customer.views import (
    CustomerRequest,
    CustomerRequestPage,
    CustomerReviewPage,
    request_of,
    review_of,
)
from application.auto_recharge.show import AutoShown, show_auto
from application.balance_alerts.queries import LowBalancePage
from application.documents.statement_files import MEDIA, StatementForm
from application.documents.statements import StatementAsked
from application.i18n.locales import SOURCE, Locale
from application.queries import Balance, RequestFilter, RequestState, ReviewState
from application.reports.period import asked
from application.reports.reviews import ReviewFilter
from application.reports.statement import Statement
from application.reports.usage import UsageFilter, UsagePage, usage_groups
from domain.refusal import NotFound


def credit_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """The balance, and the requests that it is spent on."""

    @get("/balance", opt=READ, sync_to_thread=True)
    def read_balance(request: Request[Any, Any, Any]) -> Balance:
        """Credit: `posted` is what the account owns, `held` is set aside for open requests, `available` the rest."""
        account_id = customer_of(request).account_id
        return tools.balances.balance(account_id) or nothing_yet(account_id)

    @get("/balances/alerts", opt=READ, sync_to_thread=True)
    def list_low_balances(
        request: Request[Any, Any, Any],
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> LowBalancePage:
        """When the balance fell below its threshold, newest first."""
        return tools.low_balances.low_balances(
            account_id=customer_of(request).account_id, before_position=before_position, limit=limit
        )

    @get("/auto-recharge", opt=READ, sync_to_thread=True)
    def read_auto_recharge(request: Request[Any, Any, Any]) -> AutoShown:
        """Whether the account recharges by itself, by which rule, and what came of it last."""
        account_id = customer_of(request).account_id
        return show_auto(tools.ports.store, account_id, clock=tools.ports.clock)

    @get("/requests", opt=READ, sync_to_thread=True)
    def list_requests(
        *,
        request: Request[Any, Any, Any],
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
    ) -> CustomerRequestPage:
        """Newest first; `next_before` is the `before_position` of the next page."""
        wanted = RequestFilter(
            account_id=customer_of(request).account_id,
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
        page = tools.requests.requests(wanted, before_position=before_position, limit=limit)
        return CustomerRequestPage(
            items=tuple(request_of(one) for one in page.requests), next_before=page.next_before
        )

    @get("/requests/{request_id:uuid}", opt=READ, sync_to_thread=True)
    def read_request(request: Request[Any, Any, Any], request_id: FromPath[UUID]) -> CustomerRequest:
        """One request. Its receipt, to be checked by anybody: GET /v1/receipts/{request_id} with the API key."""
        detail = tools.requests.request(request_id)
        if detail is None or detail.request.account_id != customer_of(request).account_id:
            raise NotFound("request", request_id)
        return request_of(detail.request)

    @get("/charges/reviews", opt=READ, sync_to_thread=True)
    def list_reviews(
        *,
        request: Request[Any, Any, Any],
        review_state: Annotated[ReviewState | None, QueryParameter(name="state")] = None,
        request_id: FromQuery[UUID | None] = None,
        after_position: FromQuery[int] = 0,
        limit: Limit = PAGE_ROWS,
    ) -> CustomerReviewPage:
        """Charges that are looked at or were, because their usage cannot be or because you dispute them; oldest first."""
        wanted = ReviewFilter(
            state=review_state, account_id=customer_of(request).account_id, request_id=request_id
        )
        now_us = tools.ports.clock.now_us()
        page = tools.reviews.reviews(wanted, now_us=now_us, after_position=after_position, limit=limit)
        return CustomerReviewPage(
            items=tuple(review_of(one) for one in page.items), next_after=page.next_after
        )

    return [read_balance, list_low_balances, read_auto_recharge, list_requests, read_request, list_reviews]


def report_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """Usage and statements."""

    @get("/usage", opt=READ, sync_to_thread=True)
    def read_usage(
        *,
        request: Request[Any, Any, Any],
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        by: FromQuery[str] = "day",
        key_id: FromQuery[UUID | None] = None,
        alias: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> UsagePage:
        """What was asked, used and charged, added up by hour, day, month, key, member, alias or operation."""
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        account_id = customer_of(request).account_id
        wanted = UsageFilter(period=period, account_id=account_id, key_id=key_id, alias=alias)
        return tools.usage.usage(wanted, by=usage_groups(by), zone=zone, after=after, limit=limit)

    @get("/statements", opt=READ, sync_to_thread=True)
    def read_statement(
        *,
        request: Request[Any, Any, Any],
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> Statement:
        """The credit from the opening to the closing of a period, line by line.

        The charges behind a line: GET /requests with its key, alias, price version and positions.
        """
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        account_id = customer_of(request).account_id
        return tools.statements.statement(account_id, period, zone=zone, after=after, limit=limit)

    @get("/statements/{form:str}", opt=READ, sync_to_thread=True)
    def read_statement_file(
        *,
        request: Request[Any, Any, Any],
        form: FromPath[StatementForm],
        month: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        zone: FromQuery[str] = "UTC",
        locale: FromQuery[Locale] = SOURCE,
    ) -> Response[bytes]:
        """The whole statement as a file, `csv`, `json` or, of at most 3,000 lines, `pdf` in the language of `locale`.

        Of a period that is over always the same bytes.
        """
        period = asked(month_name=month, from_us=from_us, until_us=until_us, zone=zone)
        account_id = customer_of(request).account_id
        wanted = StatementAsked(account_id=account_id, period=period, zone=zone, locale=locale)
        return Response(tools.statement_files.file(wanted, form), media_type=MEDIA[form])

    return [read_usage, read_statement, read_statement_file]
