"""What is sold and by whom it is served: models with routes and prices, providers with credentials and deployments."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.views import found
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.admin.provider_health import provider_health
from api.console.pages import Pages
from api.console.provider_states import ProviderRow, deployment_state, provider_row, serving_lately
from application.catalogue.list_presets import list_presets, summary_of
from application.directory import Directory
from application.directory_views import price_at
from domain.catalogue.deployment import Deployment
from domain.refusal import NotFound

_READ: Final = {NEEDS: Needs("staff", "read")}
_ROUTE_ROWS: Final = 6


def catalogue_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/models` and `/console/providers`."""
    directory, ports = pages.tools.admin.directory, pages.tools.admin.ports

    def provider_rows() -> list[ProviderRow]:
        serving = serving_lately(pages)
        known = sorted(directory.providers.values(), key=lambda one: one.name)
        return [provider_row(pages, one, serving) for one in known]

    @get("/console/models", opt=_READ)
    async def list_models(request: Request[Any, Any, Any]) -> Response[str]:
        rows = looking.model_rows(directory, ports.clock.now_us())
        choices = _choices(directory)
        return pages.page(
            request,
            "admin/models.html",
            tables={"models": rows},
            rows=rows,
            choices=choices,
            route_rows=_ROUTE_ROWS,
        )

    @get("/console/models/{alias:path}", opt=_READ)
    async def show_model(request: Request[Any, Any, Any], alias: FromPath[str]) -> Response[str]:
        name = str(alias).lstrip("/")
        known = directory.aliases.get(name)
        prices = directory.prices.get(name, ())
        if known is None and not prices:
            raise NotFound("alias", name)
        return pages.page(
            request,
            "admin/model.html",
            tables={"route": known.targets if known else (), "prices": prices},
            name=name,
            alias=known,
            prices=list(reversed(prices)),
            price=price_at(prices, ports.clock.now_us()),
            needs_approval=ports.prices_need_approval,
            targets=_targets(pages, known.targets if known else ()),
            choices=_choices(directory),
            route_rows=_ROUTE_ROWS,
        )

    @get("/console/providers", opt=_READ)
    async def list_providers(request: Request[Any, Any, Any]) -> Response[str]:
        presets = await asyncio.to_thread(lambda: [summary_of(one) for one in list_presets()])
        rows = await asyncio.to_thread(provider_rows)
        return pages.page(
            request,
            "admin/providers.html",
            tables={"providers": rows},
            rows=rows,
            presets=looking.presets_by_name(presets),
        )

    @get("/console/providers/{provider_id:uuid}", opt=_READ)
    async def show_provider(
        request: Request[Any, Any, Any], provider_id: FromPath[UUID], before: FromQuery[str] = ""
    ) -> Response[str]:
        provider = found(directory.providers, provider_id, kind="provider")
        health = pages.tools.health
        credentials = [one for one in directory.credentials.values() if one.provider_id == provider_id]
        deployments = [one for one in directory.deployments.values() if one.provider_id == provider_id]
        lately = await asyncio.to_thread(provider_health, pages, provider_id, deployments)
        breakers, earlier = lately.page(looking.number_of(before))
        row = await asyncio.to_thread(lambda: provider_row(pages, provider, serving_lately(pages)))
        return pages.page(
            request,
            "admin/provider.html",
            tables={
                "deployments": deployments,
                "credentials": credentials,
                "breakers": lately.breaker_items,
                "probes": lately.probes,
            },
            provider=provider,
            usable=looking.credential_choices(credentials),
            lately=lately,
            breakers=breakers,
            earlier=earlier,
            is_earlier=bool(before),
            row=row,
            credentials=[
                (one, health.condition(one.credential_id), directory.needs_reentry(one))
                for one in credentials
            ],
            deployments=[
                (one, health.breaker(one.deployment_id), deployment_state(pages, one, row.state))
                for one in sorted(deployments, key=lambda one: one.spec.upstream_model)
            ],
        )

    return [list_models, show_model, list_providers, show_provider]


def _targets(pages: Pages, targets: tuple[Any, ...]) -> list[tuple[Any, Deployment, str, str]]:
    """Each with its deployment, provider and state."""
    directory = pages.tools.admin.directory
    rows = []
    for target in targets:
        deployment = directory.deployments[target.deployment_id]
        provider = directory.providers[deployment.provider_id]
        rows.append((target, deployment, provider.name, deployment_state(pages, deployment)))
    return rows


def _choices(directory: Directory) -> list[tuple[UUID, str]]:
    """Deployments to choose from, as provider and model."""
    named = [
        (one.deployment_id, f"{directory.providers[one.provider_id].name} / {one.spec.upstream_model}")
        for one in directory.deployments.values()
        if not one.disabled
    ]
    return sorted(named, key=lambda row: row[1])
