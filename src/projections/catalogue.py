"""Read model `catalogue`: providers, credentials, deployments, aliases, and every price with the time that it is for.

For lists. Must not be used to route or to rate a request: it lags behind the log. The directory does that.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec

from domain.catalogue import alias as alias_rules
from domain.catalogue import credential as credential_rules
from domain.catalogue import deployment as deployment_rules
from domain.catalogue import provider as provider_rules
from domain.catalogue.alias import ALIAS_EVENTS, NO_ALIAS, Alias, AliasPointed, RouteSet
from domain.catalogue.credential import CREDENTIAL_EVENTS, Credential, CredentialStored
from domain.catalogue.deployment import DEPLOYMENT_EVENTS, Deployment, DeploymentAdded
from domain.catalogue.prices import PRICE_LIST_EVENTS, PriceListPublished
from domain.catalogue.provider import PROVIDER_EVENTS, Provider, ProviderRegistered
from projections.arrays import column_literals
from projections.folded import FoldTable
from projections.projection import Connection, Located, Table, Write, topics_of
from projections.sums import TEXT, Cleaned

PROVIDERS: Final = FoldTable(
    name="catalogue_providers",
    key="provider_id",
    key_kind="uuid",
    state=Provider,
    evolve=provider_rules.evolve,
    events=PROVIDER_EVENTS,
    begins=(ProviderRegistered,),
    shown={
        "name": (TEXT, lambda provider: provider.name),
        "disabled": ("boolean", lambda provider: provider.disabled),
    },
)
CREDENTIALS: Final = FoldTable(
    name="catalogue_credentials",
    key="credential_id",
    key_kind="uuid",
    state=Credential,
    evolve=credential_rules.evolve,
    events=CREDENTIAL_EVENTS,
    begins=(CredentialStored,),
    shown={
        "provider_id": ("uuid", lambda credential: credential.provider_id),
        "revoked": ("boolean", lambda credential: credential.revoked),
    },
    indexes=("(provider_id, credential_id)",),
)
DEPLOYMENTS: Final = FoldTable(
    name="catalogue_deployments",
    key="deployment_id",
    key_kind="uuid",
    state=Deployment,
    evolve=deployment_rules.evolve,
    events=DEPLOYMENT_EVENTS,
    begins=(DeploymentAdded,),
    shown={
        "provider_id": ("uuid", lambda deployment: deployment.provider_id),
        "upstream_model": (TEXT, lambda deployment: deployment.spec.upstream_model),
        "disabled": ("boolean", lambda deployment: deployment.disabled),
    },
    indexes=("(provider_id, deployment_id)",),
)
ALIASES: Final = FoldTable(
    name="catalogue_aliases",
    key="alias",
    key_kind=TEXT,
    state=Alias,
    evolve=alias_rules.evolve,
    events=ALIAS_EVENTS,
    begins=(RouteSet, AliasPointed),
    blank=NO_ALIAS,
    shown={
        "points_to": (TEXT, lambda alias: alias.points_to),
        "removed": ("boolean", lambda alias: not alias.exists),
    },
)
_PRICES: Final = Table(
    name="catalogue_prices",
    key="alias, effective_from_us, version",
    columns=f"""
        alias {TEXT} NOT NULL,
        effective_from_us bigint NOT NULL,
        version bigint NOT NULL,
        markup_ppm bigint NOT NULL,
        published_us bigint NOT NULL,
        published_by text NOT NULL,
        approved_by text NOT NULL,
        note text NOT NULL,
        position bigint NOT NULL,
        price text NOT NULL,
        PRIMARY KEY (alias, effective_from_us, version)
    """,
)
#: A price that was published stays as it was.
_PUBLISH: Final = """
    INSERT INTO {schema}.catalogue_prices
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[],
        %s::bigint[], %s::text[])
    WHERE {moved}
    ON CONFLICT (alias, effective_from_us, version) DO NOTHING
"""
_FOLDED: Final = (PROVIDERS, CREDENTIALS, DEPLOYMENTS, ALIASES)
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class Catalogue:
    """The fold: the domain's own, and a row for each price."""

    name: ClassVar[str] = "catalogue"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table, ...]] = (*(one.table() for one in _FOLDED), _PRICES)
    topics: ClassVar[frozenset[str]] = topics_of(PRICE_LIST_EVENTS).union(*(one.topics for one in _FOLDED))

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        writes = [write for one in _FOLDED for write in one.fold(connection, schema, facts)]
        rows = _prices(facts)
        if rows:
            writes.append(Write(_PUBLISH, column_literals(rows)))
        return writes


def _prices(facts: Sequence[Located]) -> list[tuple[object, ...]]:
    texts = Cleaned()
    rows: dict[tuple[object, ...], tuple[object, ...]] = {}
    for fact in facts:
        event = fact.event
        if not isinstance(event, PriceListPublished):
            continue
        told = (
            event.markup_ppm,
            event.occurred_us,
            texts[event.actor],
            texts[event.approved_by],
            texts[event.note],
            fact.position,
        )
        for alias, price in event.entries.items():
            key = (texts[alias], event.effective_from_us, fact.version)
            rows.setdefault(key, (*key, *told, _encode(price).decode()))
    return list(rows.values())
