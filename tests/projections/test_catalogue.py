"""The read model `catalogue`."""

from uuid import UUID

import pytest

from application.catalogue.queries import PublishedPrice
from application.eventlog import NewEvent
from domain.catalogue.alias import AliasPointed, AliasRemoved, RouteSet, RouteTarget
from domain.catalogue.credential import CredentialRevoked, CredentialRotated, CredentialStored
from domain.catalogue.deployment import DeploymentAdded, DeploymentDisabled
from domain.catalogue.prices import PRICE_LIST_STREAM, PriceListPublished
from domain.catalogue.provider import ProviderChanged, ProviderDisabled, ProviderEnabled, ProviderRegistered
from domain.event import Event
from domain.pricing import Price
from projections.catalogue import Catalogue
from projections.catalogue_reader import CatalogueReader
from tests.histories import numbered, sample
from tests.projections.lab import Lab

ACME, OTHER = (UUID(int=number) for number in (1, 2))
OLD, NEW = (UUID(int=number) for number in (11, 12))
BIG, SMALL = (UUID(int=number) for number in (21, 22))
HERE, THERE = "https://here.example/v1", "https://there.example/v1"


def _price(nano: int) -> Price:
    return Price(
        input_nano_per_million=nano,
        cached_input_nano_per_million=nano,
        cache_write_nano_per_million=nano,
        output_nano_per_million=nano,
        request_nano_per_million=0,
    )


def _published(from_us: int, **prices: int) -> Event:
    entries = {alias: _price(nano) for alias, nano in prices.items()}
    return sample(PriceListPublished, entries=entries, effective_from_us=from_us)


def _history() -> list[NewEvent]:
    """A provider that moves, another that is off; credentials, models, names, and prices that replace each other."""
    streams: dict[UUID, list[Event]] = {
        ACME: [sample(ProviderRegistered, provider_id=ACME, name="acme", base_url=HERE, occurred_us=1)],
        OTHER: [
            sample(ProviderRegistered, provider_id=OTHER, name="other", base_url=HERE),
            sample(ProviderDisabled, provider_id=OTHER),
            sample(ProviderEnabled, provider_id=OTHER),
            sample(ProviderDisabled, provider_id=OTHER),
        ],
        OLD: [sample(CredentialStored, credential_id=OLD, provider_id=ACME, origin="https://here.example")],
        NEW: [
            sample(CredentialStored, credential_id=NEW, provider_id=ACME, origin="https://here.example"),
            sample(CredentialRotated, credential_id=NEW, provider_id=ACME, origin="https://there.example"),
        ],
        BIG: [sample(DeploymentAdded, deployment_id=BIG, provider_id=ACME)],
        SMALL: [
            sample(DeploymentAdded, deployment_id=SMALL, provider_id=OTHER),
            sample(DeploymentDisabled, deployment_id=SMALL),
        ],
        UUID(int=31): [sample(RouteSet, alias="big", targets=(RouteTarget(deployment_id=BIG),))],
        UUID(int=32): [sample(AliasPointed, alias="latest", target="big")],
        UUID(int=33): [
            sample(AliasPointed, alias="gone", target="big"),
            sample(AliasRemoved, alias="gone"),
        ],
        PRICE_LIST_STREAM: [
            _published(100, big=1, small=5),
            _published(300, big=2),
            _published(200, big=3),
            _published(200, big=4),
        ],
    }
    events = [event for stream_id, facts in streams.items() for event in numbered(stream_id, 1, facts)]
    return [
        *events,
        *numbered(ACME, 2, [sample(ProviderChanged, provider_id=ACME, base_url=THERE, occurred_us=9)]),
    ]


@pytest.fixture
def reader(whole: Lab) -> CatalogueReader:
    whole.log.extend(_history())
    whole.catch_up()
    return CatalogueReader(whole.pool)


def test_things_are_as_their_facts_have_them(reader: CatalogueReader) -> None:
    """With when they were added and changed."""
    acme, other = reader.providers().items
    assert (acme.name, acme.base_url, acme.disabled, acme.added_us, acme.changed_us) == (
        "acme",
        THERE,
        False,
        1,
        9,
    )
    assert (other.name, other.disabled) == ("other", True)
    big, small = reader.deployments().items
    assert (big.spec.upstream_model, big.disabled, small.disabled) == ("big-1", False, True)
    assert [one.deployment_id for one in reader.deployments(provider_id=OTHER).items] == [SMALL]


def test_a_credential_of_a_provider_that_moved_must_be_entered_again(
    whole: Lab, reader: CatalogueReader
) -> None:
    """But for one that was entered for the new place, or is revoked."""
    assert [one.needs_reentry for one in reader.credentials(provider_id=ACME).items] == [True, False]
    whole.log.extend(numbered(OLD, 2, [sample(CredentialRevoked, credential_id=OLD, provider_id=ACME)]))
    whole.catch_up()
    assert [(one.revoked, one.needs_reentry) for one in reader.credentials().items] == [
        (True, False),
        (False, False),
    ]


def test_names_that_lead_somewhere_are_listed(whole: Lab, reader: CatalogueReader) -> None:
    """A name that was removed is not, until it leads somewhere again."""
    big, latest = reader.aliases().items
    assert (big.alias, big.targets[0].deployment_id, latest.alias, latest.points_to) == (
        "big",
        BIG,
        "latest",
        "big",
    )
    whole.log.extend(numbered(UUID(int=33), 3, [sample(AliasPointed, alias="gone", target="big")]))
    whole.catch_up()
    assert [one.alias for one in reader.aliases().items] == ["big", "gone", "latest"]


def _spans(prices: tuple[PublishedPrice, ...]) -> list[tuple[int, int, int | None, int]]:
    return [
        (one.version, one.effective_from_us, one.effective_until_us, one.price.input_nano_per_million)
        for one in prices
    ]


def test_a_price_has_the_time_that_it_is_for(reader: CatalogueReader) -> None:
    """Until the next one begins, whichever was published first; one that was replaced at its start has no time at all."""
    big, small = reader.prices().items
    assert _spans(big.prices) == [(1, 100, 200, 1), (3, 200, 200, 3), (4, 200, 300, 4), (2, 300, None, 2)]
    assert (small.alias, _spans(small.prices)) == ("small", [(1, 100, None, 5)])
    assert reader.prices(alias="small").items == (small,)
    assert small.prices[0].note == "december prices"


def test_pages_follow_each_other(reader: CatalogueReader) -> None:
    """Each thing is on one of them, whatever it is named by."""
    first = reader.providers(limit=1)
    second = reader.providers(after=first.next_after, limit=1)
    assert [one.provider_id for one in (*first.items, *second.items)] == [ACME, OTHER]
    assert second.next_after is None
    assert reader.credentials(after=OLD).items[0].credential_id == NEW
    assert reader.aliases(limit=1).next_after == "big"
    assert [one.alias for one in reader.aliases(after="big").items] == ["latest"]
    assert reader.prices(limit=1).next_after == "big"
    assert [one.alias for one in reader.prices(after="big").items] == ["small"]


@pytest.mark.parametrize("batch_events", [1, 2, 3, 100])
def test_a_rebuild_is_equal(whole: Lab, batch_events: int) -> None:
    """P10 and P11: in whatever batches, and if all of it comes twice."""
    whole.log.extend(_history())
    whole.catch_up(batch_events=batch_events)
    before = whole.hashes()[Catalogue.name]
    whole.rewind(0)
    whole.catch_up(batch_events=batch_events)
    assert whole.hashes()[Catalogue.name] == before
    assert whole.rebuild(Catalogue.name) == before
