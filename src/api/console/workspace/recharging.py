"""Buying credit: what it costs, and what the account has ordered. An order is placed by the operators' command, for the member's own
account and at the country that its documents are made for.
"""

import asyncio
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.codes import BadRequest
from api.console import looking
from api.console.access import NEEDS, Needs, visit_of
from api.console.acting import ENTRIES, act, refused_by
from api.console.pages import Pages
from api.console.workspace.amounts import amount_minor_of, chosen_country
from api.console.workspace.automatic import automatic_of
from application.postpaid.queries import AccountPostpaid, account_of
from application.postpaid.stream import load_postpaid
from application.recharge.list_offers import load_offers
from application.recharge.queries import OrderFilter
from application.recharge.taxing import taxed
from application.recharge.unpaid import TooManyOrders, require_few
from domain.recharge.offers import Offer, Offers, Quote, quote
from domain.recharge.order import INVOICE, MANUAL
from domain.refusal import BadField

Asked = Request[Any, Any, Any]
_READ: Final = {NEEDS: Needs("account", "read")}
_BILLING: Final = {NEEDS: Needs("account", "billing")}


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """What is on offer in one currency, as the page shows it."""

    offer: Offer
    packages: tuple[Quote, ...]
    ways: tuple[str, ...]  #: to pay
    country: str | None  #: of the account's documents; asked for where there is none
    reverse_charge: bool  #: the customer owes the tax instead of us


def recharge_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/recharge`."""
    tools = pages.tools.admin
    ports = tools.ports

    def found(account_id: UUID, currency: str, before: int | None) -> dict[str, Any]:
        offers = load_offers(ports.store)
        open_now = sorted(name for name, one in offers.by_currency.items() if one.open)
        automatic = automatic_of(pages, account_id)
        known, now_us = load_postpaid(ports.store, account_id), ports.clock.now_us()
        postpaid = account_of(account_id, known, now_us=now_us)
        usual = automatic.shown.rule.currency if automatic.shown.rule is not None else ""
        chosen = next((one for one in (currency, usual, *open_now) if one in open_now), None)
        wanted = OrderFilter(account_id=account_id)
        return {
            "currencies": open_now,
            "shelf": None if chosen is None else _shelf(pages, offers, chosen, account_id, postpaid),
            "automatic": automatic,
            "postpaid": postpaid,
            "orders": tools.orders.orders(wanted, before_position=before, limit=looking.PAGE_ROWS),
        }

    @get("/app/{account_id:uuid}/recharge", opt=_READ)
    async def show_recharge(
        request: Asked,
        account_id: FromPath[UUID],
        currency: FromQuery[str] = "",
        before: FromQuery[str] = "",
    ) -> Response[str]:
        values = await asyncio.to_thread(found, account_id, currency, looking.number_of(before))
        return pages.page(
            request,
            "workspace/recharge.html",
            tables={"orders": values["orders"].items, "unpaid-orders": values["postpaid"].unpaid},
            **values,
        )

    def wanted(account_id: UUID, form: FormMultiDict) -> dict[str, Any]:
        require_few(tools.orders, account_id)
        currency = str(form.get("currency", ""))
        return {
            "account_id": str(account_id),
            "currency": currency,
            "amount_minor": amount_minor_of(form, currency),
            "provider": str(form.get("provider", "")) or MANUAL,
            "country": chosen_country(pages, form, account_id, currency),
        }

    @post("/app/{account_id:uuid}/recharge", opt=_BILLING)
    async def place_order(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        home = f"/app/{account_id}/recharge"
        try:
            fixed = await asyncio.to_thread(wanted, account_id, await request.form())
        except (BadRequest, BadField, TooManyOrders) as error:
            return await refused_by(pages, request, error, back=home)
        return await act(
            pages,
            request,
            ENTRIES["order", "place"],
            actor=visit_of(request).member,
            fixed=fixed,
            only=frozenset(),
            home=home,
        )

    return [show_recharge, place_order]


def _shelf(pages: Pages, offers: Offers, currency: str, account_id: UUID, postpaid: AccountPostpaid) -> Shelf:
    ports = pages.tools.admin.ports
    offer, buyer = offers.by_currency[currency], taxed(ports.store, account_id, otherwise=None)
    return Shelf(
        offer=offer,
        packages=tuple(
            quote(
                offers,
                currency=currency,
                amount_minor=one.amount_minor,
                country=buyer.country,
                reverse_charge=buyer.reverse_charge,
            )
            for one in offer.packages
        ),
        ways=(*ports.checkouts.taking(currency), MANUAL, *_on_account(postpaid, currency)),
        country=buyer.country,
        reverse_charge=buyer.reverse_charge,
    )


def _on_account(postpaid: AccountPostpaid, currency: str) -> tuple[str, ...]:
    """Offered where it would not be refused at once."""
    limit = postpaid.limit
    may = limit is not None and limit.currency == currency and not postpaid.is_overdue and postpaid.left_minor
    return (INVOICE,) if may else ()
