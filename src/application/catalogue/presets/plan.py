"""What enabling a preset comes to, before anything is written: which provider, deployments, aliases and prices."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from application.catalogue.presets.credits import in_credits, price_at, rate_in, starts_us
from application.catalogue.presets.preset import DEFAULT_REGION, Preset, PresetEndpoint, PresetModel
from domain.catalogue.deployment_spec import DeploymentSpec, Details
from domain.catalogue.prices import PriceText, Publication, checked, price_of
from domain.catalogue.provider import Dialect
from domain.refusal import BadField
from domain.text import alias_name

UNPUBLISHED_CONTEXT_TOKENS: Final = 32_768
"""Stands in where a provider names no bound: of models that make pictures or sound, or hear it."""
UNPUBLISHED_OUTPUT_TOKENS: Final = 16_384
_SAYS_NOTHING: Final = frozenset({"embedding", "moderation"})
_OUTPUT_TOKENS_LEAST: Final = 1


class PlannedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """Credits from a time on."""

    starts_us: int  #: Unix microseconds; what has begun by now begins now
    text: PriceText


class PlannedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment, the alias that leads to it, and what that is to cost."""

    model: PresetModel
    alias: str
    spec: DeploymentSpec  #: without its credential
    prices: tuple[PlannedPrice, ...]


def endpoint_of(preset: Preset, dialect: Dialect | None) -> PresetEndpoint:
    """The one that speaks a dialect; the first if none is named.

    Raises:
        BadField: the provider does not speak it.
    """
    if dialect is None:
        return preset.endpoints[0]
    for endpoint in preset.endpoints:
        if endpoint.dialect == dialect:
            return endpoint
    raise BadField("dialect", "is not one that this provider speaks")


def base_url_in(endpoint: PresetEndpoint, region: str) -> str:
    """Raises: BadField: the endpoint is not in that region."""
    url = endpoint.base_urls.get(region)
    if url is None:
        raise BadField("region", f"must be one of {', '.join(endpoint.base_urls)}")
    return url


def chosen(preset: Preset, endpoint: PresetEndpoint, model_ids: tuple[str, ...]) -> list[PresetModel]:
    """The models that are named, or those with a role, in the order of the preset.

    Raises:
        BadField: a model is not in the preset, or not behind this endpoint.
    """
    served = [one for one in preset.models if set(one.operations) & set(endpoint.operations)]
    wanted = set(model_ids) or set(preset.roles.values())
    found = [one for one in served if one.id in wanted]
    if model_ids and len(found) < len(wanted):
        raise BadField("model_ids", "has a model that the preset does not have at this endpoint")
    return found


def planned(
    model: PresetModel,
    *,
    preset: Preset,
    endpoint: PresetEndpoint,
    region: str,
    prefix: str,
    rate: Decimal,
    now_us: int,
) -> PlannedModel:
    """Raises: BadField: the alias or a price cannot be used."""
    alias = alias_name(prefix + model.id)
    rate = rate_in(region, model, rate)
    current = price_at(model.prices, now_us)
    prices = tuple(
        PlannedPrice(starts_us=starts_us(one), text=in_credits(one.usd, rate))
        for one in model.prices
        if one is current or starts_us(one) > now_us
    )
    cost = None if current is None else in_credits(current.usd, rate)
    spec = spec_of(model, endpoint, is_first=endpoint is preset.endpoints[0], cost=cost)
    return PlannedModel(model=model, alias=alias, spec=spec, prices=prices)


def spec_of(
    model: PresetModel, endpoint: PresetEndpoint, *, is_first: bool, cost: PriceText | None
) -> DeploymentSpec:
    """A model as a deployment at an endpoint. Nothing `passes`: what costs extra is the operator's to let through."""
    output_unpublished = _OUTPUT_TOKENS_LEAST if model.kind in _SAYS_NOTHING else UNPUBLISHED_OUTPUT_TOKENS
    return DeploymentSpec(
        upstream_model=model.id,
        context_tokens=model.context_tokens or UNPUBLISHED_CONTEXT_TOKENS,
        output_tokens_max=model.output_tokens_max or output_unpublished,
        output_field=endpoint.output_field,
        details=Details(
            serves=tuple(one for one in model.operations if one in endpoint.operations),
            traits=(*endpoint.traits, *(model.traits if is_first else ())),
            cost=None if cost is None else price_of(cost, field=f"cost.{model.id}"),
        ),
    )


def publications(models: Iterable[PlannedModel], *, markup_ppm: int, now_us: int) -> list[Publication]:
    """One for the present and one for each later day, to be stored together.

    Raises:
        BadField: a price or the markup cannot be used.
    """
    by_start: dict[int, dict[str, PriceText]] = {}
    for one in models:
        for price in one.prices:
            start_us = price.starts_us if price.starts_us > now_us else 0
            by_start.setdefault(start_us, {})[one.alias] = price.text
    return [
        checked(entries=entries, markup_ppm=markup_ppm, effective_from_us=start_us or None, now_us=now_us)
        for start_us, entries in sorted(by_start.items())
    ]


def provider_name_of(preset: Preset, endpoint: PresetEndpoint, region: str) -> str:
    """The preset's id; with the dialect and the region where they are not the first ones."""
    parts = [preset.id]
    if endpoint is not preset.endpoints[0]:
        parts.append(endpoint.dialect)
    if region != DEFAULT_REGION:
        parts.append(region)
    return "-".join(parts)
