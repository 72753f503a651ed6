"""Providers."""

import pytest

from domain.catalogue import provider as rules
from domain.catalogue.addresses import NOTHING_PRIVATE
from domain.catalogue.provider import (
    DataTerms,
    Provider,
    ProviderChanged,
    ProviderDisabled,
    ProviderEnabled,
    ProviderEvent,
    ProviderRegistered,
    provider_id_of,
)
from domain.fact import Stamp
from domain.operators import OperatorDisabled
from domain.refusal import AlreadyExists, BadField, NotFound
from tests.spec import Spec

AT = Stamp(now_us=5, actor="system")
ID = provider_id_of("acme")
SPEC: Spec[Provider | None] = Spec(rules.evolve, initial=None)
REGISTERED = ProviderRegistered(
    provider_id=ID,
    name="acme",
    dialect="openai",
    usage_dialect="openai",
    base_url="https://api.acme.example/v1",
    data_terms=DataTerms(region="EU"),
    occurred_us=5,
    actor="system",
)
MOVED = ProviderChanged(
    provider_id=ID,
    usage_dialect="xai",
    base_url="https://new.acme.example/v1",
    data_terms=DataTerms(),
    occurred_us=5,
    actor="system",
)
DISABLED = ProviderDisabled(provider_id=ID, reason="down", occurred_us=5, actor="system")
ENABLED = ProviderEnabled(provider_id=ID, occurred_us=5, actor="system")


def register(
    provider: Provider | None,
    *,
    name: str = "acme",
    base_url: str = "https://API.acme.example/v1/",
    region: str | None = " EU ",
    retention_days: int | None = None,
) -> list[ProviderEvent]:
    return rules.register(
        provider,
        name=name,
        dialect="openai",
        usage_dialect="openai",
        base_url=base_url,
        data_terms=DataTerms(region=region, retention_days=retention_days),
        allowlist=NOTHING_PRIVATE,
        stamp=AT,
    )


def change(provider: Provider | None, base_url: str = "https://new.acme.example/v1") -> list[ProviderEvent]:
    return rules.change(
        provider,
        usage_dialect="xai",
        base_url=base_url,
        data_terms=DataTerms(),
        allowlist=NOTHING_PRIVATE,
        stamp=AT,
    )


def test_a_provider_is_registered_under_one_name() -> None:
    """Again with the same settings does nothing, also while it is disabled; with others it is refused."""
    SPEC.given().when(register).then(REGISTERED)
    SPEC.given(REGISTERED).when(register).then_nothing()
    SPEC.given(REGISTERED, DISABLED).when(register).then_nothing()
    SPEC.given(REGISTERED).when(lambda one: register(one, base_url="https://other.example")).then_refused(
        AlreadyExists
    )


def test_settings_are_replaced() -> None:
    """A change to what is set already does nothing."""
    SPEC.given(REGISTERED).when(change).then(MOVED)
    SPEC.given(REGISTERED, MOVED).when(change).then_nothing()


@pytest.mark.parametrize("url", ["https://169.254.169.254/latest", "http://api.acme.example", "file:///etc"])
def test_a_provider_never_points_inside(url: str) -> None:
    """Neither at registration nor by a change."""
    SPEC.given().when(lambda one: register(one, base_url=url)).then_refused(BadField, field="base_url")
    SPEC.given(REGISTERED).when(lambda one: change(one, url)).then_refused(BadField, field="base_url")


def test_names_and_terms_are_checked() -> None:
    """A name is a slug, a region can be shown, a retention is a number of days."""
    SPEC.given().when(lambda one: register(one, name="Acme Inc")).then_refused(BadField, field="name")
    SPEC.given().when(lambda one: register(one, region="a\x00")).then_refused(BadField, field="region")
    SPEC.given().when(lambda one: register(one, region=None, retention_days=-1)).then_refused(
        BadField, field="retention_days"
    )


def test_a_provider_is_disabled_and_enabled() -> None:
    """Each is a fact once."""

    def disable(provider: Provider | None) -> list[ProviderEvent]:
        return rules.disable(provider, reason="down", stamp=AT)

    def enable(provider: Provider | None) -> list[ProviderEvent]:
        return rules.enable(provider, stamp=AT)

    SPEC.given(REGISTERED).when(disable).then(DISABLED)
    SPEC.given(REGISTERED, DISABLED).when(disable).then_nothing()
    SPEC.given(REGISTERED, DISABLED).when(enable).then(ENABLED)
    SPEC.given(REGISTERED, DISABLED, ENABLED).when(enable).then_nothing()
    SPEC.given().when(enable).then_refused(NotFound)
    SPEC.given().when(disable).then_refused(NotFound)
    SPEC.given().when(change).then_refused(NotFound)


def test_only_its_own_facts_fold() -> None:
    """A foreign fact in the stream is a defect, loud at once."""
    with pytest.raises(AssertionError):
        SPEC.fold(REGISTERED, OperatorDisabled(operator_id=ID, reason="x", occurred_us=1, actor="system"))
    with pytest.raises(AssertionError):
        SPEC.fold(DISABLED)
