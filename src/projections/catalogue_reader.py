"""The questions to the read model `catalogue`: implements `application.catalogue.queries.CatalogueQueries`."""

from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.rows import DictRow, dict_row

from application.catalogue.queries import (
    AliasPage,
    AliasRow,
    CredentialPage,
    CredentialRow,
    DeploymentPage,
    DeploymentRow,
    PricesPage,
    PricesRow,
    ProviderPage,
    ProviderRow,
    PublishedPrice,
)
from application.queries import PAGE_ROWS_MAX, clean
from domain.catalogue.provider import Provider
from domain.pricing import Price
from projections.arrays import array_literal
from projections.catalogue import ALIASES, CREDENTIALS, DEPLOYMENTS, PROVIDERS
from projections.folded import FoldTable
from projections.projection import Connection, Pool

_NAMES: Final = """
    SELECT DISTINCT alias FROM catalogue_prices
    WHERE alias > %(after)s AND (%(alias)s::text IS NULL OR alias = %(alias)s) ORDER BY alias LIMIT %(limit)s
"""
_PRICES: Final = """
    SELECT alias, version, effective_from_us, markup_ppm, price, published_us, published_by, approved_by, note,
        lead(effective_from_us) OVER (PARTITION BY alias ORDER BY effective_from_us, version) AS effective_until_us
    FROM catalogue_prices WHERE alias = ANY(%s::text[]) ORDER BY alias, effective_from_us, version
"""
_ORIGINS: Final = "SELECT state FROM catalogue_providers WHERE provider_id = ANY(%s::uuid[])"
_FIRST_ID: Final = UUID(int=0)


class CatalogueReader:
    """All of an answer is of one moment."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def providers(self, *, after: UUID | None = None, limit: int = 100) -> ProviderPage:
        with self._pool.connection() as connection:
            found, more = _page(connection, PROVIDERS, after or _FIRST_ID, limit)
        items = tuple(_shown(ProviderRow, one) for one in found)
        return ProviderPage(items=items, next_after=items[-1].provider_id if more else None)

    def credentials(
        self, *, provider_id: UUID | None = None, after: UUID | None = None, limit: int = 100
    ) -> CredentialPage:
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found, more = _page(connection, CREDENTIALS, after or _FIRST_ID, limit, provider_id=provider_id)
            providers = _providers(connection, {one["state"].provider_id for one in found})
        items = tuple(
            _shown(CredentialRow, one, needs_reentry=_needs_reentry(one["state"], providers)) for one in found
        )
        return CredentialPage(items=items, next_after=items[-1].credential_id if more else None)

    def deployments(
        self, *, provider_id: UUID | None = None, after: UUID | None = None, limit: int = 100
    ) -> DeploymentPage:
        with self._pool.connection() as connection:
            found, more = _page(connection, DEPLOYMENTS, after or _FIRST_ID, limit, provider_id=provider_id)
        items = tuple(_shown(DeploymentRow, one) for one in found)
        return DeploymentPage(items=items, next_after=items[-1].deployment_id if more else None)

    def aliases(self, *, after: str | None = None, limit: int = 100) -> AliasPage:
        with self._pool.connection() as connection:
            found, more = _page(connection, ALIASES, clean(after or ""), limit, removed=False)
        items = tuple(
            AliasRow(**msgspec.structs.asdict(one["state"]), alias=one["alias"], changed_us=one["changed_us"])
            for one in found
        )
        return AliasPage(items=items, next_after=items[-1].alias if more else None)

    def prices(self, *, alias: str | None = None, after: str | None = None, limit: int = 100) -> PricesPage:
        size = _size(limit)
        wanted = {
            "alias": None if alias is None else clean(alias),
            "after": clean(after or ""),
            "limit": size + 1,
        }
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            names = [name for (name,) in connection.execute(_NAMES, wanted)]
            prices = _prices(connection, names[:size])
        items = tuple(PricesRow(alias=name, prices=tuple(prices[name])) for name in names[:size])
        return PricesPage(items=items, next_after=items[-1].alias if len(names) > size else None)


def _size(limit: int) -> int:
    return max(1, min(limit, PAGE_ROWS_MAX))


def _page(
    connection: Connection, table: FoldTable, after: UUID | str, limit: int, **wanted: object
) -> tuple[list[DictRow], bool]:
    """Rows with their decoded `state`, and whether there are more; what is wanted of columns that are none allows all."""
    size = _size(limit)
    given = {name: value for name, value in wanted.items() if value is not None}
    conditions = [f"{table.key} > %(after)s", *(f"{name} = %({name})s" for name in given)]
    statement = (
        f"SELECT {table.key}, first_us, changed_us, state FROM {table.name} "  # noqa: S608  # our own names
        f"WHERE {' AND '.join(conditions)} ORDER BY {table.key} LIMIT %(limit)s"
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, {**given, "after": after, "limit": size + 1}).fetchall()
    for row in rows:
        row["state"] = msgspec.json.decode(row["state"], type=table.state)
    return rows[:size], len(rows) > size


def _shown(kind: Any, row: DictRow, **more: object) -> Any:
    own = msgspec.structs.asdict(row["state"])
    return kind(**own, added_us=row["first_us"], changed_us=row["changed_us"], **more)


def _providers(connection: Connection, provider_ids: set[UUID]) -> dict[UUID, Provider]:
    if not provider_ids:
        return {}
    rows = connection.execute(_ORIGINS, [array_literal(sorted(provider_ids))])
    found = [msgspec.json.decode(state, type=Provider) for (state,) in rows]
    return {one.provider_id: one for one in found}


def _needs_reentry(credential: Any, providers: dict[UUID, Provider]) -> bool:
    provider = providers.get(credential.provider_id)
    return provider is not None and not credential.revoked and not credential.fits(provider)


def _prices(connection: Connection, names: list[str]) -> dict[str, list[PublishedPrice]]:
    found: dict[str, list[PublishedPrice]] = {name: [] for name in names}
    if names:
        with connection.cursor(row_factory=dict_row) as rows:
            for row in rows.execute(_PRICES, [array_literal(names)]):
                price = msgspec.json.decode(row.pop("price"), type=Price)
                found[row.pop("alias")].append(PublishedPrice(price=price, **row))
    return found
