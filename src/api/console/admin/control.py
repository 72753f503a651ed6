"""Whether the books are right, who did what, and who may."""

import asyncio
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.tools import AdminTools
from api.admin.views import names_of, operator_items
from api.console import looking, texts
from api.console.access import NEEDS, Needs, Visit, visit_of
from api.console.files import AS, FORMS, PAGE_ROWS, Turn, file_of, stream_of
from api.console.looking import factors_item
from api.console.pages import Pages
from application.command import load
from application.people.email import open_email
from application.people.ports import Factors
from application.recharge.queries import OrderFilter
from application.reports.audit_log import ActFilter, ActPage
from application.sealing.reading import NotSealed, SealBroken, SealStatus
from domain import periods
from domain.fact import SYSTEM
from domain.operators import PERMISSIONS
from domain.periods import PERIODS_STREAM, Periods
from domain.recharge.reference import read_reference
from domain.refusal import Refusal

_READ: Final = {NEEDS: Needs("staff", "read")}
_NAME_CHARS_MAX: Final = 200
_NAMES_MAX: Final = 1_000
"""So many that hold a word are looked at, to find the one that is called so."""


def control_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/ledger`, `/console/audit`, `/console/operators`, `/console/settings`."""
    return [
        *_ledger_routes(pages),
        *_audit_routes(pages),
        *_operator_routes(pages),
        *_setting_routes(pages),
    ]


def _ledger_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def figures(after: str) -> dict[str, Any]:
        holds = tools.balances.open_holds(limit=20)
        balance = tools.ports.books.trial_balance(after=after, limit=looking.PAGE_ROWS)
        ids = {one for row in balance.items if (one := looking.uuid_of((row.name + ":").split(":")[1]))}
        return {
            "health": tools.health.health(),
            "balance": balance,
            "names": {str(one): name for one, name in names_of(tools.ports, list(ids)).items()},
            "holds": holds,
            "hold_names": names_of(tools.ports, list({one.account_id for one in holds})),
            "seal": _seal(tools),
            "closed": load(tools.ports.store, PERIODS_STREAM, Periods(), periods.evolve).newest,
        }

    def accounts(at: Any) -> tuple[Any, Any]:
        page = tools.ports.books.trial_balance(after=at or "", limit=PAGE_ROWS)
        return page.items, page.next_after

    @get("/console/ledger", opt=_READ)
    async def show_ledger(
        request: Request[Any, Any, Any],
        after: FromQuery[str] = "",
        table: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        if form in FORMS and table == "trial-balance":
            return await stream_of(accounts, name=table, form=form)
        months = looking.months(tools.ports.clock.now_us(), "UTC")
        context = await asyncio.to_thread(figures, after)
        tables = {
            "read-models": context["health"].read_models,
            "oldest-holds": context["holds"],
        }
        return pages.page(request, "admin/ledger.html", tables=tables, months=months[1:], **context)

    return [show_ledger]


def _audit_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def wanted(filters: dict[str, str], zone: str) -> ActFilter:
        """Blocking."""
        return ActFilter(
            actor=filters["actor"].strip() or None,
            topic=looking.one_of(filters["topic"], tools.acts.topics),
            subject_kind=looking.one_of(filters["kind"], tools.acts.subject_kinds),
            subject=_subject_of(tools, filters["subject"].strip()[:_NAME_CHARS_MAX]) or None,
            from_us=looking.day_us(filters["day"], zone),
            until_us=looking.day_us(filters["until"], zone, end=True),
        )

    def turn_of(wish: ActFilter) -> Turn:
        def turn(at: Any) -> tuple[Any, Any]:
            page = tools.acts.acts(wish, before_position=at, limit=PAGE_ROWS)
            return page.items, page.next_before

        return turn

    def acts(wish: ActFilter, before: int | None) -> tuple[ActPage, dict[str, str]]:
        page = tools.acts.acts(wish, before_position=before, limit=looking.PAGE_ROWS)
        ids = [one for act in page.items if (one := looking.uuid_of(act.actor.partition(":")[2]))]
        ids += [one for act in page.items if (one := looking.uuid_of(act.subject))]
        ids += tools.directory.staff.operators
        return page, {str(one): name for one, name in names_of(tools.ports, ids).items()} | _catalogue(tools)

    def currencies(page: ActPage) -> dict[str, str]:
        """Of the orders that acts are about: most acts do not say it again."""
        ids = {
            one for act in page.items if act.subject_kind == "order" and (one := looking.uuid_of(act.subject))
        }
        found = (tools.orders.order(one) for one in ids)
        return {str(one.order_id): one.currency for one in found if one is not None}

    def actors(visit: Visit, names: dict[str, str], chosen: str) -> list[tuple[str, str]]:
        """Operators by name, those who have none by their id, the system; and whoever is chosen."""
        staff = {f"operator:{one}": names.get(str(one)) for one in tools.directory.staff.operators}
        named = sorted(((one, name or one) for one, name in staff.items()), key=lambda row: row[1].casefold())
        named.append((SYSTEM.label, pages.text(visit, texts.ACTORS[SYSTEM.kind])))
        if chosen and chosen not in dict(named):
            named.append((chosen, names.get(chosen.partition(":")[2]) or chosen))
        return named

    @get("/console/audit", opt=_READ)
    async def list_acts(
        *,
        request: Request[Any, Any, Any],
        kind: FromQuery[str] = "",
        subject: FromQuery[str] = "",
        actor: FromQuery[str] = "",
        topic: FromQuery[str] = "",
        day: FromQuery[str] = "",
        until: FromQuery[str] = "",
        before: FromQuery[str] = "",
        form: Annotated[str, AS] = "",
    ) -> Response[Any]:
        filters = {
            "kind": kind,
            "subject": subject,
            "actor": actor,
            "topic": topic,
            "day": day,
            "until": until,
        }
        wish = await asyncio.to_thread(wanted, filters, visit_of(request).zone)
        if form in FORMS:
            return await stream_of(turn_of(wish), name="audit-log", form=form)
        page, names = await asyncio.to_thread(acts, wish, looking.number_of(before))
        return pages.page(
            request,
            "admin/audit.html",
            page=page,
            names=names,
            kinds=tools.acts.subject_kinds,
            topics=tools.acts.topics,
            currencies=await asyncio.to_thread(currencies, page),
            actors=actors(visit_of(request), names, wish.actor or ""),
            filters=filters,
        )

    return [list_acts]


def _seal(tools: AdminTools) -> SealStatus | Refusal | None:
    """How far the log is sealed, or what is wrong with that; none where this process was not told of a sealed log."""
    if tools.sealed is None:
        return None
    try:
        return tools.sealed.status()
    except (NotSealed, SealBroken) as refusal:
        return refusal


def _subject_of(tools: AdminTools, text: str) -> str:
    """What the log calls it: an order by its reference, whatever has a name by the whole of it if nothing else is called so;
    else as it is. Blocking.
    """
    if not text or looking.uuid_of(text) is not None:
        return text
    if reference := read_reference(text):
        found = tools.orders.orders(OrderFilter(reference=reference), limit=1).items
        return str(found[0].order_id) if found else text
    ids = tools.ports.names.like(text, limit=_NAMES_MAX)
    names = {str(one): name for one, name in names_of(tools.ports, ids).items()} | _catalogue(tools)
    called = [one for one, name in names.items() if name.casefold() == text.casefold()]
    return called[0] if len(called) == 1 else text


def _catalogue(tools: AdminTools) -> dict[str, str]:
    """What people call providers and deployments, by id."""
    providers = tools.directory.providers
    return {str(one.provider_id): one.name for one in providers.values()} | {
        str(one.deployment_id): f"{providers[one.provider_id].name} / {one.spec.upstream_model}"
        for one in tools.directory.deployments.values()
    }


def _operator_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools.admin

    def rows() -> list[tuple[Any, str | None, str | None, Factors | None]]:
        """Each with name, address and what they have beside a password."""
        operators = list(tools.directory.staff.operators.values())
        ids = [one.operator_id for one in operators]
        names, factors = names_of(tools.ports, ids), pages.tools.people.people.factors(ids)
        return [
            (
                one,
                names.get(one.operator_id),
                open_email(tools.ports.personal, one.operator_id, one.pii),
                factors.get(one.operator_id),
            )
            for one in sorted(operators, key=lambda one: (one.disabled, str(one.operator_id)))
        ]

    @get("/console/operators", opt=_READ)
    async def list_operators(request: Request[Any, Any, Any]) -> Response[str]:
        found = await asyncio.to_thread(rows)
        listed = operator_items(
            [one for one, *_ in found], {one.operator_id: name or "" for one, name, *_ in found}
        )
        if visit_of(request).may("operators"):
            listed = [item | factors_item(row[-1]) for item, row in zip(listed, found, strict=True)]
        return pages.page(
            request,
            "admin/operators.html",
            tables={"operators": listed},
            rows=found,
            permissions=PERMISSIONS,
            needs_codes=pages.tools.staff_needs_codes,
        )

    return [list_operators]


def _setting_routes(pages: Pages) -> list[HTTPRouteHandler]:
    tools = pages.tools

    @get("/console/settings", opt=_READ)
    async def show_settings(request: Request[Any, Any, Any], form: Annotated[str, AS] = "") -> Response[Any]:
        if form in FORMS:
            return file_of(tools.settings, name="settings", form=form)
        ports = tools.admin.ports
        return pages.page(
            request,
            "admin/settings.html",
            settings=tools.settings,
            url=tools.url,
            api_url=tools.api_url,
            approval_nano=ports.approval_nano,
            checkouts=[(one.name, one.mode) for one in ports.checkouts.all()],
            is_sealed=tools.admin.sealed is not None,
        )

    return [show_settings]
