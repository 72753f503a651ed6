"""What prices change, figure by figure, and what is left of each after the provider's cost."""

from collections.abc import Mapping
from typing import Final

import msgspec

from api.console.texts import N_
from application.directory import Directory
from application.directory_views import price_at
from domain.pricing import Price, PriceInForce

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


def changes_of(
    directory: Directory,
    entries: Mapping[str, Price],
    *,
    markup_ppm: int,
    start_us: int,
    next_version: int,
) -> list[Change]:
    """Against what is in force for each alias when they begin, by the versions before theirs."""
    changes = []
    for alias, price in sorted(entries.items()):
        earlier = [one for one in directory.prices.get(alias, ()) if one.version < next_version]
        before = price_at(tuple(earlier), start_us)
        cost = dearest_cost(directory, alias)
        changes += [
            Change(
                alias=alias,
                unit=unit,
                before_nano=None if before is None else _figure(before.price, unit, before.markup_ppm),
                after_nano=_figure(price, unit, markup_ppm),
                cost_nano=None if cost is None else getattr(cost, unit),
            )
            for unit in UNITS
            if getattr(price, unit) or (before is not None and getattr(before.price, unit))
        ]
    return changes


def in_force(directory: Directory, alias: str, price: PriceInForce) -> tuple[str, PriceInForce, list[Change]]:
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


def has_more(entries: Mapping[str, Price]) -> bool:
    """Whether there is something that is not compared."""
    return any(
        price.tiers or price.windows or price.service_tiers or price.pictures for price in entries.values()
    )


def dearest_cost(directory: Directory, alias: str) -> Price | None:
    """The cost of the deployment whose answer costs most; none if that of one is not known, or there is none."""
    route = directory.alias(alias)
    costs = [] if route is None else [one.cost for one in route.deployments]
    known = [one for one in costs if one is not None]
    if not known or len(known) != len(costs):
        return None
    return max(known, key=lambda one: one.output_nano_per_million)
