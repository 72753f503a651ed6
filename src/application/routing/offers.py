"""What may serve one request: its alias and those that the client names besides, each with its route and its price."""

from collections.abc import Sequence
from typing import Final

import msgspec

from application.directory_views import Candidate, RouteView
from application.routing.controls import NO_CONTROLS, Controls, MaxPrice
from application.routing.plan import Needs, Planned, Planner
from application.speech.port import Head
from application.wire.bounds import Bound
from application.wire.spending import CONTROLS
from domain.ledger.events import PassedOver
from domain.limits import ProviderPolicy
from domain.pricing import NO_MARKUP_PPM, Bounds, Price, PriceInForce, combined_ppm, hold_nano

BYTES_PER_TOKEN: Final = 4  #: about; to compare costs and contexts, never to charge


class Unpriced(Exception):
    """A request spends what an alias' price does not cover. Nothing was planned."""

    def __init__(self, name: str, alias: str) -> None:
        super().__init__(name)
        self.name = name
        self.alias = alias


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One alias, as it stands at this moment."""

    route: RouteView
    price: PriceInForce
    factor_ppm: int  #: of the hour and the service tier, the dearest that may be used
    window_ppm: int = NO_MARKUP_PPM  #: of the hour alone

    @property
    def alias(self) -> str:
        return self.route.alias

    def worst_nano(self, bound: Bound) -> int:
        """The most that the request can cost here."""
        bounds = Bounds(
            prompt_tokens=bound.prompt_tokens,
            output_tokens=bound.output_tokens,
            images=bound.images,
            image_size=bound.image_size,
            image_quality=bound.image_quality,
            audio_ms=bound.audio_ms,
            characters=bound.characters,
            searches=bound.searches,
        )
        return hold_nano(bounds, self.price.price, self.price.markup_ppm, factor_ppm=self.factor_ppm)


def offer_of(head: Head, route: RouteView, *, now_us: int) -> Offer | None:
    """What an alias costs now; none if it has no price.

    Raises:
        Unpriced: the request spends what the price does not cover.
    """
    price = route.price_at(now_us)
    if price is None:
        return None
    if not (head.unpriced or price.price.windows):
        return Offer(route=route, price=price, factor_ppm=NO_MARKUP_PPM)
    window_ppm = price.price.window_ppm(now_us)
    tier_ppm = _tier_ppm(head, route, price.price)
    return Offer(
        route=route, price=price, factor_ppm=combined_ppm(window_ppm, tier_ppm), window_ppm=window_ppm
    )


def _tier_ppm(head: Head, route: RouteView, price: Price) -> int:
    """The factor of the dearer of the service tier that was asked for and the ordinary one.

    A provider may serve another tier than was asked for, and says so: the charge goes by that.
    """
    tier_ppm = NO_MARKUP_PPM
    for name in head.unpriced:
        if name in CONTROLS:
            continue  # ours, and taken out
        if name == "service_tier" and head.service_tier in price.service_tiers:
            tier_ppm = max(NO_MARKUP_PPM, price.service_tiers[head.service_tier])
        elif not all(name in one.passes for one in route.deployments):
            raise Unpriced(name, route.alias)
    return tier_ppm


def widest(bounds: Sequence[Bound]) -> Bound:
    """The most of each unit in any of them."""
    return Bound(**{name: max(getattr(one, name) for one in bounds) for name in Bound.__struct_fields__})


def affordable(offers: Sequence[Offer], most: MaxPrice, bound: Bound) -> Sequence[Offer]:
    """Those within the client's ceiling, which is hard."""
    return [
        one
        for one in offers
        if most.allows(
            one.price.price,
            factor_ppm=one.factor_ppm,
            markup_ppm=one.price.markup_ppm,
            prompt_tokens=bound.prompt_tokens,
        )
    ]


def plan(
    offers: Sequence[Offer],
    planner: Planner,
    *,
    controls: Controls = NO_CONTROLS,
    policy: ProviderPolicy | None,
    needs: Needs,
    draw: float,
    now_us: int,
    now_s: float,
) -> Planned:
    """The candidates of every offer in turn."""
    plans = [
        planner.plan(
            offer.route,
            wishes=controls.wishes,
            policy=policy,
            needs=needs,
            draw=draw,
            now_us=now_us,
            now_s=now_s,
        )
        for offer in offers
    ]
    if len(plans) == 1:
        return plans[0]
    candidates: tuple[Candidate, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    for one in plans:
        candidates += one.candidates
        passed_over += one.passed_over
    return Planned(candidates, passed_over)


def planned_offers(offers: Sequence[Offer], planned: Planned) -> Sequence[Offer]:
    """Those of which a candidate is left: what the hold has to cover."""
    if len(offers) == 1:
        return offers if planned.candidates else ()
    aliases = {one.alias for one in planned.candidates}
    return [one for one in offers if one.alias in aliases]
