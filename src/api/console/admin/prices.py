"""Versions of the price list: what each changed, from when on, and the one that waits for a second operator."""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.admin.views import names_of
from api.console import looking
from api.console.access import NEEDS, Needs
from api.console.admin.price_changes import UNITS, Change, changes_of, has_more, in_force
from api.console.files import AS, FORMS, file_of
from api.console.pages import Pages
from application.catalogue.price_proposals import is_stale, load_proposals
from application.directory import Directory
from application.directory_views import price_at
from application.eventlog import EventStore
from domain.catalogue.price_proposals import PriceProposal
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished, Publication
from domain.refusal import NotFound
from domain.topics import REGISTRY

_READ: Final = {NEEDS: Needs("staff", "read")}
_VERSIONS: Final = 50


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One publication."""

    version: int
    published: PriceListPublished


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """One publication of the proposal that waits, with what it would change."""

    publication: Publication
    changes: list[Change]

    @property
    def has_more(self) -> bool:
        return has_more(self.publication.entries)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The proposal that waits."""

    proposal: PriceProposal
    is_stale: bool
    parts: list[Proposed]


def price_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """`/console/prices`."""
    tools = pages.tools.admin
    directory, store = tools.directory, tools.ports.store

    @get("/console/prices", opt=_READ)
    async def list_prices(request: Request[Any, Any, Any], form: Annotated[str, AS] = "") -> Response[Any]:
        now_us = tools.ports.clock.now_us()
        now_prices = {name: price_at(prices, now_us) for name, prices in sorted(directory.prices.items())}
        if form in FORMS:
            rows = [{"alias": name, "price": price} for name, price in now_prices.items()]
            return file_of(rows, name="prices", form=form)
        versions = await asyncio.to_thread(_versions, store)
        waiting = await asyncio.to_thread(_waiting, store, directory, now_us)
        actors = [row.published.actor for row in versions]
        actors += [] if waiting is None else [waiting.proposal.proposed.actor]
        who = [one for actor in actors if (one := looking.uuid_of(actor.partition(":")[2]))]
        names = await asyncio.to_thread(names_of, tools.ports, who)
        return pages.page(
            request,
            "admin/prices.html",
            tables={"versions": versions, "proposed": _figures(waiting)},
            waiting=waiting,
            needs_approval=tools.ports.prices_need_approval,
            versions=versions,
            names={str(key): name for key, name in names.items()},
            margins=[in_force(directory, name, price) for name, price in now_prices.items() if price],
            units=UNITS,
        )

    @get("/console/prices/{version:str}", opt=_READ)
    async def show_version(request: Request[Any, Any, Any], version: FromPath[str]) -> Response[str]:
        found = await asyncio.to_thread(_version, store, looking.number_of(version) or 0)
        published = found.published
        changes = changes_of(
            directory,
            published.entries,
            markup_ppm=published.markup_ppm,
            start_us=published.effective_from_us,
            next_version=found.version,
        )
        return pages.page(
            request,
            "admin/price_version.html",
            tables={"changes": changes},
            row=found,
            changes=changes,
            units=UNITS,
            has_more=has_more(published.entries),
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


def _waiting(store: EventStore, directory: Directory, now_us: int) -> Waiting | None:
    """Compared with the prices as they would be at its beginning, if it were approved now. Blocking."""
    proposal = load_proposals(store).waiting
    if proposal is None:
        return None
    next_version = proposal.proposed.base_version + 1
    return Waiting(
        proposal=proposal,
        is_stale=is_stale(store, proposal),
        parts=[
            Proposed(
                publication=one,
                changes=changes_of(
                    directory,
                    one.entries,
                    markup_ppm=one.markup_ppm,
                    start_us=max(one.effective_from_us or 0, now_us),
                    next_version=next_version,
                ),
            )
            for one in proposal.proposed.publications
        ],
    )


def _figures(waiting: Waiting | None) -> list[dict[str, Any]]:
    """All figures of the proposal in one table, each with its beginning."""
    return [
        {"effective_from_us": part.publication.effective_from_us} | msgspec.structs.asdict(change)
        for part in (() if waiting is None else waiting.parts)
        for change in part.changes
    ]
