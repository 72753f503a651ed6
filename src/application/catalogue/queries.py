"""What surfaces may ask about the catalogue: the answers' shapes and the port that gives them. As last projected.

Times are Unix microseconds: `added_us` of the first fact about a thing, `changed_us` of the last.
"""

from typing import Protocol
from uuid import UUID

import msgspec

from domain.catalogue.alias import Alias
from domain.catalogue.credential import Credential
from domain.catalogue.deployment import Deployment
from domain.catalogue.provider import Provider
from domain.pricing import PriceInForce


class ProviderRow(Provider, frozen=True, kw_only=True):
    """One provider."""

    added_us: int
    changed_us: int


class CredentialRow(Credential, frozen=True, kw_only=True):
    """One credential; its secret is in no read model."""

    needs_reentry: bool  #: its provider has moved to another origin since it was entered
    added_us: int
    changed_us: int


class DeploymentRow(Deployment, frozen=True, kw_only=True):
    """One model at one provider."""

    added_us: int
    changed_us: int


class AliasRow(Alias, frozen=True, kw_only=True):
    """One name that clients may write in `model`."""

    alias: str
    changed_us: int


class PublishedPrice(PriceInForce, frozen=True, kw_only=True):
    """A price and the span of time that it is for: from <= t < until. One that another replaced at its start has none."""

    effective_until_us: int | None  #: none: until another is published
    published_us: int
    published_by: str
    approved_by: str
    note: str


class PricesRow(msgspec.Struct, frozen=True, kw_only=True):
    """Every price of one alias that was ever published, in the order of their start."""

    alias: str
    prices: tuple[PublishedPrice, ...]


class ProviderPage(msgspec.Struct, frozen=True, kw_only=True):
    """Providers by id. `next_after` is the `after` of the next page; `None` on the last."""

    items: tuple[ProviderRow, ...]
    next_after: UUID | None


class CredentialPage(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials by id."""

    items: tuple[CredentialRow, ...]
    next_after: UUID | None


class DeploymentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Deployments by id."""

    items: tuple[DeploymentRow, ...]
    next_after: UUID | None


class AliasPage(msgspec.Struct, frozen=True, kw_only=True):
    """Aliases that lead somewhere, by name."""

    items: tuple[AliasRow, ...]
    next_after: str | None


class PricesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Aliases with a price, by name."""

    items: tuple[PricesRow, ...]
    next_after: str | None


class CatalogueQueries(Protocol):
    """Blocking; safe to use from threads. `limit` is capped at `PAGE_ROWS_MAX`."""

    def providers(self, *, after: UUID | None = None, limit: int = 100) -> ProviderPage: ...

    def credentials(
        self, *, provider_id: UUID | None = None, after: UUID | None = None, limit: int = 100
    ) -> CredentialPage: ...

    def deployments(
        self, *, provider_id: UUID | None = None, after: UUID | None = None, limit: int = 100
    ) -> DeploymentPage: ...

    def aliases(self, *, after: str | None = None, limit: int = 100) -> AliasPage: ...

    def prices(
        self, *, alias: str | None = None, after: str | None = None, limit: int = 100
    ) -> PricesPage: ...
