"""The GET routes of providers, credentials (never their secrets), deployments, aliases, prices, proposed prices and presets."""

from typing import Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.catalogue.list_presets import PresetSummary, find_preset, list_presets, summary_of
from application.catalogue.presets.preset import Preset
from application.catalogue.price_proposals import PriceProposalPage, page_of
from application.catalogue.queries import (
    AliasPage,
    CredentialPage,
    DeploymentPage,
    PricesPage,
    ProviderPage,
)

_READ: Final = {PERMISSION: "read"}


class Presets(msgspec.Struct, frozen=True, kw_only=True):
    """Every preset, by id."""

    items: tuple[PresetSummary, ...]
    next_after: str | None


def catalogue_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """What the read model has of the catalogue."""
    catalogue = tools.catalogue

    @get("/providers", opt=_READ, sync_to_thread=True)
    def list_providers(after: FromQuery[UUID | None] = None, limit: Limit = PAGE_ROWS) -> ProviderPage:
        """Who serves, and where."""
        return catalogue.providers(after=after, limit=limit)

    @get("/credentials", opt=_READ, sync_to_thread=True)
    def list_credentials(
        provider_id: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> CredentialPage:
        """What opens providers; never its secret."""
        return catalogue.credentials(provider_id=provider_id, after=after, limit=limit)

    @get("/deployments", opt=_READ, sync_to_thread=True)
    def list_deployments(
        provider_id: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> DeploymentPage:
        """Models at providers."""
        return catalogue.deployments(provider_id=provider_id, after=after, limit=limit)

    @get("/aliases", opt=_READ, sync_to_thread=True)
    def list_aliases(after: FromQuery[str | None] = None, limit: Limit = PAGE_ROWS) -> AliasPage:
        """What clients may write in `model`, and where it leads."""
        return catalogue.aliases(after=after, limit=limit)

    @get("/prices", opt=_READ, sync_to_thread=True)
    def list_prices(
        alias: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> PricesPage:
        """Every price that was ever published, with the time that it is for."""
        return catalogue.prices(alias=alias, after=after, limit=limit)

    @get("/prices/proposals", opt=_READ, sync_to_thread=True)
    def list_price_proposals(
        after: FromQuery[UUID | None] = None, limit: Limit = PAGE_ROWS
    ) -> PriceProposalPage:
        """Prices that were proposed and what became of them, the newest first. At most one waits."""
        return page_of(tools.ports.store, after=after, limit=limit)

    @get("/presets", opt=_READ, sync_to_thread=True)
    def read_presets() -> Presets:
        """Providers that are known already; `preset/enable` makes one ready."""
        return Presets(items=tuple(summary_of(one) for one in list_presets()), next_after=None)

    @get("/presets/{preset_id:str}", opt=_READ, sync_to_thread=True)
    def read_preset(preset_id: FromPath[str]) -> Preset:
        """One preset, with its models and their prices in USD."""
        return find_preset(preset_id)

    return [
        read_presets,
        read_preset,
        list_providers,
        list_credentials,
        list_deployments,
        list_aliases,
        list_prices,
        list_price_proposals,
    ]
