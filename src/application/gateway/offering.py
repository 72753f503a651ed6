"""What a request is offered before it holds credit: its aliases' routes, their prices, its worst case and the plan."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from uuid import UUID

import msgspec

from application.clock import Clock
from application.directory import Directory
from application.directory_views import Caller, RouteView
from application.gateway.client import Call
from application.gateway.rating import Terms
from application.gateway.refusals import (
    no_deployment,
    no_model,
    no_price,
    not_allowed,
    not_priced,
    not_served,
    too_expensive,
)
from application.gateway.refused import Refused
from application.routing.affinity import conversation_of, draw_of
from application.routing.controls import Controls
from application.routing.offers import (
    BYTES_PER_TOKEN,
    Offer,
    Unpriced,
    affordable,
    offer_of,
    plan,
    planned_offers,
    widest,
)
from application.routing.plan import Needs, Planned, Planner
from application.speech.port import Asking, Endpoint, Head
from application.speech.upload import Upload
from application.wire.bounds import Bound, widest_limits
from application.wire.errors import InvalidRequest
from domain.keys.access import ModelNotAllowed

NO_TERMS: Final[Mapping[str, Terms]] = MappingProxyType({})


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """What a request may have, for how much at most."""

    asking: Asking
    planned: Planned
    terms: Terms  #: of its own alias, or of the first beside it that can serve
    other_terms: Mapping[str, Terms]  #: of the aliases beside that one
    hold_nano: int

    @property
    def tokens(self) -> int:
        bound = self.asking.bound
        return bound.prompt_tokens + bound.output_tokens


class Offering:
    """Reads the directory of a process. Everything raises `Refused` where the request cannot be had."""

    def __init__(self, *, directory: Directory, planner: Planner, clock: Clock) -> None:
        self._directory = directory
        self._planner = planner
        self._clock = clock

    def route(self, caller: Caller, model: str) -> RouteView:
        """The route of a model that this key may use and somebody serves."""
        route = self._known_route(caller, model, param="model")
        if not route.deployments:
            raise not_served(model)
        return route

    def agree(
        self,
        call: Call,
        endpoint: Endpoint,
        *,
        caller: Caller,
        head: Head,
        body: bytes,
        upload: Upload | None,
        controls: Controls,
    ) -> Agreed:
        """Find what may serve, in which order, and the most that it can cost."""
        now_us = self._clock.now_us()
        offers = self._offers(caller, head, controls, now_us=now_us)
        bound = _bound(endpoint, head, offers)
        asking = Asking(
            request_id=call.request_id,
            body=body,
            head=head,
            bound=bound,
            created_s=now_us // 1_000_000,
            cost_wanted=controls.cost_wanted,
            headers=call.headers,
            upload=upload,
        )
        planned = self._plan(offers, asking, endpoint, caller=caller, controls=controls, now_us=now_us)
        first, *others = planned_offers(offers, planned)
        key_id, operation = caller.key.key_id, endpoint.name
        hold_nano, other_terms = first.worst_nano(bound), NO_TERMS
        if others:
            hold_nano = max(hold_nano, *(one.worst_nano(bound) for one in others))
            other_terms = {one.alias: _terms(one, asking, key_id, operation) for one in others}
        return Agreed(
            asking=asking,
            planned=planned,
            terms=_terms(first, asking, key_id, operation),
            other_terms=other_terms,
            hold_nano=hold_nano,
        )

    def _offers(self, caller: Caller, head: Head, controls: Controls, *, now_us: int) -> Sequence[Offer]:
        """The request's own alias and those that the client names besides; one without a deployment is left out."""
        if not controls.models:
            return (_offer(head, self.route(caller, head.model), now_us=now_us),)
        aliases = dict.fromkeys((head.model, *controls.models))
        routes = [
            self._known_route(caller, alias, param="model" if alias == head.model else "models")
            for alias in aliases
        ]
        served = [one for one in routes if one.deployments]
        if not served:
            raise not_served(head.model)
        return [_offer(head, route, now_us=now_us) for route in served]

    def _known_route(self, caller: Caller, model: str, *, param: str) -> RouteView:
        route = self._directory.alias(model)
        if route is None:
            raise no_model(model, param=param)
        try:
            caller.require_model(model)
        except ModelNotAllowed:
            raise not_allowed(model, param=param) from None
        return route

    def _plan(
        self,
        offers: Sequence[Offer],
        asking: Asking,
        endpoint: Endpoint,
        *,
        caller: Caller,
        controls: Controls,
        now_us: int,
    ) -> Planned:
        bound = asking.bound
        within = offers
        if controls.max_price is not None:
            within = affordable(offers, controls.max_price, bound)
            if not within:
                raise too_expensive()
        planned = plan(
            within,
            self._planner,
            controls=controls,
            policy=caller.policy,
            needs=Needs(
                serving=endpoint.serving,
                expected_prompt_tokens=0 if bound.several else bound.prompt_tokens // BYTES_PER_TOKEN,
                output_tokens=bound.output_tokens,
            ),
            draw=_draw(within, asking, caller),
            now_us=now_us,
            now_s=self._clock.monotonic_s(),
        )
        if not planned.candidates:
            raise no_deployment(within[0].route, planned)
        return planned


def _offer(head: Head, route: RouteView, *, now_us: int) -> Offer:
    try:
        offer = offer_of(head, route, now_us=now_us)
    except Unpriced as unpriced:
        raise not_priced(unpriced) from None
    if offer is None:
        raise no_price(route.alias)
    return offer


def _bound(endpoint: Endpoint, head: Head, offers: Sequence[Offer]) -> Bound:
    """What covers every offer."""
    first = offers[0]
    try:
        if len(offers) == 1:
            return endpoint.bound(head, first.route.limits, first.price.price)
        limits = widest_limits([one.route.limits for one in offers])
        return widest([endpoint.bound(head, limits, one.price.price) for one in offers])
    except InvalidRequest as fault:
        raise Refused(fault.code, fault.message, param=fault.param) from None


def _draw(offers: Sequence[Offer], asking: Asking, caller: Caller) -> float:
    for one in offers:
        if one.route.needs_draw:
            return draw_of(caller.account.account_id.bytes, conversation_of(asking))
    return 0.0


def _terms(offer: Offer, asking: Asking, key_id: UUID, operation: str) -> Terms:
    return Terms(
        key_id=key_id,
        alias=offer.alias,
        bound=asking.bound,
        price=offer.price,
        factor_ppm=offer.factor_ppm,
        window_ppm=offer.window_ppm,
        service_tier=asking.head.service_tier,
        operation=operation,
    )
