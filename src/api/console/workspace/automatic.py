"""Buying credit without a click: the card that is used, the rule, and what came of it. The commands are the operators' own, for the
member's own account.

A customer comes back from the provider's page to the page of recharges. Coming back saves nothing; the provider says what was left.
"""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import structlog
from litestar import Request, Response, post
from litestar.datastructures import FormMultiDict
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.admin.codes import BadRequest, code_of
from api.console.access import NEEDS, Needs, visit_of
from api.console.acting import ENTRIES, act, refused, refused_by
from api.console.form_rows import amount_nano, minor
from api.console.pages import Pages
from api.console.workspace.amounts import amount_minor_of, chosen_country
from application.auto_recharge.hindrance import Hindrance, hindrance_of
from application.auto_recharge.save_method import MethodPageOpened, SaveMethod
from application.auto_recharge.save_method import handle as save_method
from application.auto_recharge.show import AutoShown, show_auto
from application.auto_recharge.stream import load_auto
from application.checkout.ports import ProviderError
from application.eventlog import EventLogError
from domain.refusal import BadField, Refusal

Asked = Request[Any, Any, Any]
_BILLING: Final = {NEEDS: Needs("account", "billing")}
_WEB: Final = frozenset({"https", "http"})

log = structlog.get_logger()


class Automatic(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows of it."""

    shown: AutoShown
    savers: tuple[str, ...]  #: providers with which a card can be left
    hindrance: Hindrance | None  #: what keeps a rule that is on from being followed


def automatic_of(pages: Pages, account_id: UUID) -> Automatic:
    """As it is now. Blocking."""
    tools = pages.tools.admin
    ports = tools.ports
    shown, method = (
        show_auto(ports.store, account_id, clock=ports.clock),
        load_auto(ports.store, account_id).method,
    )
    hindrance = None
    if shown.is_on and method is not None:
        hindrance = hindrance_of(
            account_id, method, store=ports.store, orders=tools.orders, checkouts=ports.checkouts
        )
    return Automatic(shown=shown, savers=ports.checkouts.savers(), hindrance=hindrance)


def automatic_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/recharge/automatic` and `/recharge/card`."""
    ports = pages.tools.admin.ports

    def wanted(account_id: UUID, form: FormMultiDict) -> dict[str, Any]:
        currency = str(form.get("currency", ""))
        return {
            "account_id": str(account_id),
            "threshold_nano": amount_nano(str(form.get("threshold", ""))),
            "amount_minor": amount_minor_of(form, currency),
            "currency": currency,
            "cap_minor": minor(str(form.get("cap", "")), currency, "cap"),
            "country": chosen_country(pages, form, account_id, currency),
        }

    @post("/app/{account_id:uuid}/recharge/automatic", opt=_BILLING)
    async def set_automatic(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        home, visit = f"/app/{account_id}/recharge", visit_of(request)
        try:
            fixed = await asyncio.to_thread(wanted, account_id, await request.form())
        except (BadRequest, BadField) as error:
            return await refused_by(pages, request, error, back=home)
        return await act(
            pages,
            request,
            ENTRIES["auto-recharge", "set"],
            actor=visit.member,
            fixed=fixed | {"zone": visit.zone},
            only=frozenset(),
            home=home,
        )

    def opened(account_id: UUID, provider: str, request: Asked) -> MethodPageOpened:
        command = SaveMethod(account_id=account_id, provider=provider)
        return save_method(command, actor=visit_of(request).member, ports=ports)

    @post("/app/{account_id:uuid}/recharge/card", opt=_BILLING)
    async def leave_card(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        """On the way to the provider's page."""
        home, form = f"/app/{account_id}/recharge", await request.form()
        try:
            page = await asyncio.to_thread(opened, account_id, str(form.get("provider", "")), request)
        except (ProviderError, EventLogError, Refusal) as error:
            log.warning("method_page_not_opened", account_id=str(account_id), error=type(error).__name__)
            return await refused(pages, request, code_of(error), "", back=home)
        parts = urlsplit(page.url)
        assert parts.scheme in _WEB, "a provider's page is on the web"
        return pages.page(request, "workspace/leave_card.html", home=home, url=page.url, host=parts.netloc)

    return [set_automatic, leave_card]
