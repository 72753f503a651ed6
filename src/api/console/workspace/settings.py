"""What an account is called, whom its documents are for, what is kept of it, and its end."""

import asyncio
from typing import Any, Final
from uuid import UUID

from babel import Locale
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.admin.codes import BadRequest
from api.admin.views import names_of
from api.console.access import NEEDS, Needs, Visit, visit_of
from api.console.acting import go, refused_by
from api.console.entrance import status_for
from api.console.headers import HEADERS
from api.console.languages import TAGS
from api.console.pages import Flash, Pages
from api.console.workspace.account_export import export_of
from application.accounts import erase_account, rename
from application.command import load
from application.invoicing.buyers import profile_and_buyer
from application.people.sign_in import WrongSignIn
from domain.invoicing import billing
from domain.invoicing.billing import Billing, BillingProfileSet, billing_stream
from domain.invoicing.parties import Buyer
from domain.privacy import SubjectErased
from domain.refusal import BadField, NotFound, NotPermitted, Refusal

Asked = Request[Any, Any, Any]
_READ: Final = {NEEDS: Needs("account", "read")}
_MEMBERS: Final = {NEEDS: Needs("account", "members")}
_CODE: Final = 2
#: Of Unicode's list of territories: groups, pseudo-locales and the unknown.
_NO_COUNTRIES: Final = frozenset({"EU", "EZ", "UN", "XA", "XB", "XK", "ZZ", "QO"})


def settings_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/app/<account>/settings`, its export and its end."""
    ports = pages.tools.admin.ports

    def context(account_id: UUID) -> dict[str, Any]:
        profile, buyer = billing_of(pages, account_id)
        return {
            "account_name": names_of(ports, [account_id]).get(account_id, ""),
            "profile": profile,
            "buyer": buyer,
        }

    async def show(request: Asked, account_id: UUID, *, status: int = 200, **more: Any) -> Response[str]:
        values = await asyncio.to_thread(context, account_id)
        visit = visit_of(request)
        return pages.page(
            request,
            "workspace/settings.html",
            status=status,
            **(values | {"problem": None, "countries": country_names(TAGS[visit.language])} | more),
        )

    @get("/app/{account_id:uuid}/settings", opt=_READ)
    async def show_settings(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        return await show(request, account_id)

    @get("/app/{account_id:uuid}/settings/export", opt=_MEMBERS)
    async def download_export(account_id: FromPath[UUID]) -> Response[bytes]:
        """Everything that is kept of the account and its people, as one JSON file."""
        body = await asyncio.to_thread(export_of, pages.tools, account_id)
        name = f'attachment; filename="account-{account_id}.json"'
        headers = {**HEADERS, "content-disposition": name}
        return Response(body, media_type="application/json", headers=headers)

    @post("/app/{account_id:uuid}/settings/rename", opt=_MEMBERS)
    async def rename_account(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        back = f"/app/{account_id}/settings"
        command = rename.Rename(subject_id=account_id, name=str((await request.form()).get("name", "")))
        try:
            await asyncio.to_thread(rename.handle, command, actor=visit_of(request).member, ports=ports)
        except BadField as refusal:
            return await refused_by(pages, request, refusal, back=back)
        return go(pages, request, back, Flash("saved"))

    @post("/app/{account_id:uuid}/settings/erase", opt=_MEMBERS)
    async def erase(request: Asked, account_id: FromPath[UUID]) -> Response[str]:
        """By an owner alone, with the password and the account's name: there is no way back."""
        form, visit = await request.form(), visit_of(request)
        names = await asyncio.to_thread(names_of, ports, [account_id])
        try:
            _require_owner(visit, written=str(form.get("name", "")), name=names.get(account_id, ""))
            await require_password(pages, request, str(form.get("password", "")))
        except (Refusal, BadRequest) as refusal:
            return await show(request, account_id, status=status_for(refusal.code), problem=refusal.code)
        command = erase_account.EraseAccount(account_id=account_id, reason="asked for by its owner")
        await asyncio.to_thread(erase_account.handle, command, actor=visit.member, ports=ports)
        await pages.tools.refresh()
        return pages.see("/me", Flash("account_erased"))

    return [show_settings, download_export, rename_account, erase]


def billing_of(pages: Pages, account_id: UUID) -> tuple[BillingProfileSet | None, Buyer | None]:
    """Whom documents are for; nobody before somebody has said it, and after an erasure. Blocking."""
    ports = pages.tools.admin.ports
    state = load(ports.store, billing_stream(account_id), Billing(), billing.evolve)
    try:
        return profile_and_buyer(ports.personal, state)
    except (NotFound, SubjectErased):
        return state.profile, None


async def require_password(pages: Pages, request: Asked, password: str) -> None:
    """Raises: WrongSignIn, TooManyFailures."""
    visit = visit_of(request)
    assert visit.person is not None, "the gate asks for one"
    check = pages.tools.sign_in.is_password_right
    if not await asyncio.to_thread(check, visit.person, password, visitor=visit.visitor):
        raise WrongSignIn("this is not the password")


def _require_owner(visit: Visit, *, written: str, name: str) -> None:
    """Who owns the account, and knows which it is."""
    if visit.member_role != "owner":
        raise NotPermitted("the role owner")
    if written.strip() != name:
        raise BadRequest("the name is not the account's", code="wrong_name")


def country_names(tag: str) -> list[tuple[str, str]]:
    """By their names in a language."""
    territories = Locale.parse(tag, sep="-").territories
    found = [(code, name) for code, name in territories.items() if len(code) == _CODE and code.isalpha()]
    return sorted((one for one in found if one[0] not in _NO_COUNTRIES), key=lambda one: one[1])
