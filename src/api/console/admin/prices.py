"""Versions of the price list: what each changed, from when on, and what is left after the provider's cost."""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.files import AS, FORMS, file_of
from api.console.pages import Pages
from api.console.texts import N_
from application.directory import Directory
from application.directory_views import price_at
from application.eventlog import EventStore
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.pricing import Price, PriceInForce
from domain.refusal import NotFound
from domain.topics import REGISTRY

_READ: Final = {NEEDS: Needs("staff", "read")}
_VERSIONS: Final = 50
#: What is compared of a price, and what it is called.
UNITS: Final = {
    "input_nano_per_million": N_("Input"),
    "cached_input_nano_per_million": N_("Cached input"),
    "cache_write_nano_per_million": N_("Cache write"),
    "output_nano_per_million": N_("Output"),
    "request_nano_per_million": N_("A million requests"),
    "image_nano_per_million": N_("A million images"),
    "audio_ms_nano_per_million": N_("A million ms of sound"),
    "character_nano_per_million": N_("A million characters"),
    "search_nano_per_million": N_("A million searches"),
}
_PPM: Final = 1_000_000


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One publication."""

    version: int
    published: PriceListPublished


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one alias, in nano-credits for a million, markup included."""

    alias: str
    unit: str
    before_nano: int | None
    after_nano: int | None
    cost_nano: int | None  #: of the dearest deployment that serves it; none if one is not known

    @property
    def share(self) -> float | None:
        """By how much it changed."""
        if not self.before_nano or self.after_nano is None:
            return None
        return self.after_nano / self.before_nano - 1

    @property
    def margin(self) -> float | None:
        """Which share of the price is left after the dearest deployment's cost."""
        if self.cost_nano is None or not self.after_nano:
            return None
        return 1 - self.cost_nano / self.after_nano


def price_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/prices`."""
    tools = pages.tools.admin
    directory, store = tools.directory, tools.ports.store

    @get("/console/prices", opt=_READ)
    async def list_prices(request: Request[Any, Any, Any], form: Annotated[str, AS] = "") -> Response[Any]:
        now_us = tools.ports.clock.now_us()
        in_force = {name: price_at(prices, now_us) for name, prices in sorted(directory.prices.items())}
        if form in FORMS:
            rows = [{"alias": name, "price": price} for name, price in in_force.items()]
            return file_of(rows, name="prices", form=form)
        versions = await asyncio.to_thread(_versions, store)
        who = [one for row in versions if (one := looking.uuid_of(row.published.actor.partition(":")[2]))]
        names = await asyncio.to_thread(names_of, tools.ports, who)
        return pages.page(
            request,
            "admin/prices.html",
            tables={"versions": versions},
            versions=versions,
            names={str(key): name for key, name in names.items()},
            margins=[_now(directory, name, price) for name, price in in_force.items() if price],
            units=UNITS,
        )

    @get("/console/prices/{version:str}", opt=_READ)
    async def show_version(request: Request[Any, Any, Any], version: FromPath[str]) -> Response[str]:
        found = await asyncio.to_thread(_version, store, looking.number_of(version) or 0)
        changes = _changes(directory, found)
        return pages.page(
            request,
            "admin/price_version.html",
            tables={"changes": changes},
            row=found,
            changes=changes,
            units=UNITS,
            has_more=any(
                price.tiers or price.windows or price.service_tiers or price.pictures
                for price in found.published.entries.values()
            ),
        )

    return [list_prices, show_version]


def _versions(store: EventStore) -> list[Version]:
    """The newest, newest first. Blocking."""
    stored = store.read_stream(PRICE_LIST_STREAM)
    return [Version(version=one.version, published=_decoded(one)) for one in reversed(stored[-_VERSIONS:])]


def _version(store: EventStore, version: int) -> Version:
    stored = store.read_stream(PRICE_LIST_STREAM, after_version=version - 1) if version > 0 else []
    if not stored or stored[0].version != version:
        raise NotFound("price version", version)
    return Version(version=version, published=_decoded(stored[0]))


def _decoded(recorded: Any) -> PriceListPublished:
    published = REGISTRY.decode(recorded.topic, recorded.state)
    assert isinstance(published, PriceListPublished), "the stream has nothing else"
    return published


def _changes(directory: Directory, row: Version) -> list[Change]:
    """Against what was in force for each alias when the version began."""
    published = row.published
    changes = []
    for alias, price in sorted(published.entries.items()):
        earlier = [one for one in directory.prices.get(alias, ()) if one.version < row.version]
        before = price_at(tuple(earlier), published.effective_from_us)
        cost = dearest_cost(directory, alias)
        changes += [
            Change(
                alias=alias,
                unit=unit,
                before_nano=None if before is None else _figure(before.price, unit, before.markup_ppm),
                after_nano=_figure(price, unit, published.markup_ppm),
                cost_nano=None if cost is None else getattr(cost, unit),
            )
            for unit in UNITS
            if getattr(price, unit) or (before is not None and getattr(before.price, unit))
        ]
    return changes


def _now(directory: Directory, alias: str, price: PriceInForce) -> tuple[str, PriceInForce, list[Change]]:
    """Input and output of an alias at present, with what is left of each."""
    cost = dearest_cost(directory, alias)
    return (
        alias,
        price,
        [
            Change(
                alias=alias,
                unit=unit,
                before_nano=None,
                after_nano=_figure(price.price, unit, price.markup_ppm),
                cost_nano=None if cost is None else getattr(cost, unit),
            )
            for unit in ("input_nano_per_million", "output_nano_per_million")
        ],
    )


def _figure(price: Price, unit: str, markup_ppm: int) -> int | None:
    plain: int | None = getattr(price, unit)
    return None if plain is None else plain * markup_ppm // _PPM


def dearest_cost(directory: Directory, alias: str) -> Price | None:
    """The cost of the deployment whose answer costs most; none if that of one is not known, or there is none."""
    route = directory.alias(alias)
    costs = [] if route is None else [one.cost for one in route.deployments]
    known = [one for one in costs if one is not None]
    if not known or len(known) != len(costs):
        return None
    return max(known, key=lambda one: one.output_nano_per_million)
