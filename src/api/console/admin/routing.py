"""Why a request would go there: the planner of the gateways, asked about a request that nobody makes."""

import asyncio
from typing import Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.tools import AdminTools
from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.account_filter import account_of
from api.console.pages import Pages
from api.console.unreadable import Unreadable
from application.routing.plan import Wishes
from application.routing.simulation import RouteQuestion, Simulator
from domain.catalogue.alias import Strategy
from domain.catalogue.deployment_spec import Operation

_READ: Final = {NEEDS: Needs("staff", "read")}
_STRATEGIES: Final = get_args(Strategy)
_OPERATIONS: Final = get_args(Operation)
_TOKENS: Final = 1_000
_TOKENS_MAX: Final = 10_000_000


def routing_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/routing`."""
    tools = pages.tools.admin
    directory = tools.directory
    simulator = Simulator(directory=directory, health=pages.tools.health, clock=tools.ports.clock)

    @get("/console/routing", opt=_READ)
    async def simulate(
        *,
        request: Request[Any, Any, Any],
        model: FromQuery[str] = "",
        who: FromQuery[str] = "",
        operation: FromQuery[str] = "chat",
        prompt: FromQuery[str] = "",
        output: FromQuery[str] = "",
        order: FromQuery[str] = "",
        only: FromQuery[str] = "",
        ignore: FromQuery[str] = "",
        sort: FromQuery[str] = "",
        alone: FromQuery[str] = "",
    ) -> Response[str]:
        filters = {
            "model": model.strip(),
            "who": who,
            "operation": looking.one_of(operation, _OPERATIONS) or "chat",
            "prompt": str(_tokens(prompt)),
            "output": str(_tokens(output)),
            "order": order,
            "only": only,
            "ignore": ignore,
            "sort": looking.one_of(sort, _STRATEGIES) or "",
            "alone": "1" if alone else "",
        }
        asked = await asyncio.to_thread(_asked, tools, who.strip())
        found = simulator.ask(_question(filters, asked, directory.keys)) if filters["model"] else None
        ids = [one for one in (asked,) if one is not None]
        return pages.page(
            request,
            "admin/routing.html",
            filters=filters,
            found=found,
            who_name=(await asyncio.to_thread(names_of, tools.ports, ids)).get(asked) if asked else None,
            is_known=asked in directory.keys or asked in directory.accounts,
            aliases=sorted(directory.aliases),
            operations=_OPERATIONS,
            strategies=_STRATEGIES,
        )

    return [simulate]


def _asked(tools: AdminTools, who: str) -> UUID | None:
    """By its id; or an account by its whole name. Blocking."""
    try:
        return looking.uuid_of(who) or (account_of(tools, who) if who else None)
    except Unreadable:
        return None


def _question(filters: dict[str, str], asked: UUID | None, keys: Any) -> RouteQuestion:
    only = _names(filters["only"])
    wishes = Wishes(
        order=_names(filters["order"]),
        only=frozenset(only) if only else None,
        ignore=frozenset(_names(filters["ignore"])),
        allow_fallbacks=not filters["alone"],
        sort=looking.one_of(filters["sort"], _STRATEGIES),
    )
    return RouteQuestion(
        alias=filters["model"],
        account_id=None if asked in keys else asked,
        key_id=asked if asked in keys else None,
        operation=looking.one_of(filters["operation"], _OPERATIONS),
        prompt_tokens=int(filters["prompt"]),
        output_tokens=int(filters["output"]),
        wishes=None if wishes == Wishes() else wishes,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _tokens(text: str) -> int:
    number = looking.number_of(text)
    return _TOKENS if number is None else min(number, _TOKENS_MAX)
