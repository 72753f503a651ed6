"""The way in: who calls, for which model, at what price and worst case; then the exchange."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from application.clock import Clock
from application.dialects.anthropic.surface.counting import count_answer, estimate_tokens
from application.dialects.anthropic.surface.head import parse_count
from application.directory import Directory
from application.directory_views import Caller, ModelView, RouteView
from application.eventlog import EventLogError, Journal
from application.gateway.attempts import Attempts
from application.gateway.client import BodyTooLarge, BodyTooSlow, Call, Client
from application.gateway.exchange import Context, Exchange
from application.gateway.rating import Terms
from application.gateway.receiving import Uploads
from application.gateway.refusals import (
    bad_key,
    no_credit,
    no_deployment,
    no_key,
    no_model,
    not_priced,
    not_served,
    too_expensive,
)
from application.gateway.refused import Refused, ledger_unavailable
from application.gateway.settlement import Settlement
from application.ledger.lease_book import LeaseBook
from application.ledger.live_lease import Admission, Hold
from application.limits import Permit, RateLimited, RateLimiter
from application.routing.affinity import conversation_of, draw_of
from application.routing.controls import (
    NO_CONTROLS,
    Controls,
    has_controls,
    read_controls,
    without_controls,
)
from application.routing.offers import (
    BYTES_PER_TOKEN,
    Offer,
    Unpriced,
    affordable,
    factor_ppm,
    limits_of,
    needs_draw,
    plan,
    planned_offers,
    widest,
)
from application.routing.plan import Needs, Planned, Planner
from application.routing.scores import Scores
from application.speech.port import Asking, Endpoint, Head
from application.speech.upload import Upload
from application.upstream import Upstream
from application.wire.bounds import Bound
from application.wire.errors import InvalidRequest
from application.wire.head import parse_object
from application.wire.spending import ROUTING
from domain.keys.access import AccountNotOpen, InvalidApiKey, ModelNotAllowed
from domain.ledger.refusals import InsufficientCredit, LedgerRefusal
from domain.pricing import NO_MARKUP_PPM, PriceInForce

_Body = TypeVar("_Body", bytes, Upload)


class Gateway:
    """Serves `/v1` requests of one process. Belongs to the event loop."""

    def __init__(
        self,
        *,
        directory: Directory,
        limiter: RateLimiter,
        book: LeaseBook,
        journal: Journal,
        upstream: Upstream,
        clock: Clock,
        context: Context,
        planner: Planner,
        scores: Scores,
        uploads: Uploads,
        is_fresh: Callable[[], bool],
    ) -> None:
        self._directory = directory
        self._limiter = limiter
        self._book = book
        self._journal = journal
        self._upstream = upstream
        self._clock = clock
        self._context = context
        self._planner = planner
        self._scores = scores
        self._uploads = uploads
        self._is_fresh = is_fresh

    def caller(self, call: Call) -> Caller:
        """Who calls. Raises: Refused."""
        return self._authenticate(call)

    def models(self, call: Call) -> list[ModelView]:
        """The models that this key may use. Raises: Refused."""
        caller = self._authenticate(call)
        return self._directory.models(now_us=self._clock.now_us(), caller=caller)

    def model(self, call: Call, model_id: str) -> ModelView:
        """One of `models`. Raises: Refused."""
        for model in self.models(call):
            if model.id == model_id:
                return model
        raise no_model(model_id)

    async def serve(self, call: Call, client: Client, endpoint: Endpoint) -> None:
        """Serve one request for an answer of a model.

        Raises:
            Refused: nothing of an answer has gone to the client, and nothing was charged.
            ClientGone: the client left before its request was read, or before it was answered; nothing was charged.
        """
        caller = self._authenticate(call)
        body = await _body_of(client)
        head = _parsed(endpoint.parse, body)
        controls = NO_CONTROLS
        if has_controls(head.unpriced):
            controls, body = _controls(body)
        await self._answer(call, client, endpoint, caller=caller, head=head, body=body, controls=controls)

    async def serve_form(self, call: Call, client: Client, endpoint: Endpoint, content_type: bytes) -> None:
        """As `serve`, for an endpoint that takes forms. Raises: as `serve`."""
        caller = self._authenticate(call)
        async with self._uploads.received(client, content_type) as upload:
            head = _parsed(endpoint.parse_form, upload)
            for name in ROUTING:
                if name in head.unpriced:
                    raise Refused(
                        "unsupported_parameter", f"'{name}' is not supported in a form.", param=name
                    )
            await self._answer(call, client, endpoint, caller=caller, head=head, upload=upload)

    async def _answer(
        self,
        call: Call,
        client: Client,
        endpoint: Endpoint,
        *,
        caller: Caller,
        head: Head,
        body: bytes = b"",
        upload: Upload | None = None,
        controls: Controls = NO_CONTROLS,
    ) -> None:
        offers = self._offers(caller, head, controls)
        bound = _bound(endpoint, head, offers)
        if not (self._is_fresh() and self._journal.is_writable()):
            raise ledger_unavailable()
        asking = Asking(
            request_id=call.request_id,
            body=body,
            head=head,
            bound=bound,
            created_s=self._clock.now_us() // 1_000_000,
            headers=call.headers,
            upload=upload,
        )
        planned = self._plan(
            offers, controls=controls, asking=asking, endpoint=endpoint, caller=caller, bound=bound
        )
        offers = planned_offers(offers, planned)
        permit = self._permit(caller, tokens=bound.prompt_tokens + bound.output_tokens)
        used_tokens = 0
        try:
            hold_nano = max(offer.worst_nano(bound) for offer in offers)
            hold = await self._hold(call, caller, head, offers[0].price, hold_nano=hold_nano)
            terms = [
                Terms(
                    key_id=caller.key.key_id,
                    alias=offer.alias,
                    bound=bound,
                    price=offer.price,
                    factor_ppm=offer.factor_ppm,
                    window_ppm=offer.window_ppm,
                    service_tier=head.service_tier,
                    operation=endpoint.name,
                )
                for offer in offers
            ]
            exchange = Exchange(
                call=call,
                client=client,
                context=self._context,
                endpoint=endpoint,
                asking=asking,
                terms=terms[0],
                other_terms={one.alias: one for one in terms[1:]},
                settlement=Settlement(hold, book=self._book, clock=self._clock, started_s=call.started_s),
                attempts=Attempts(
                    upstream=self._upstream,
                    clock=self._clock,
                    limits=self._context.limits,
                    scores=self._scores,
                    passed_over=planned.passed_over,
                    has_other_models=len(offers) > 1,
                    requires_all=controls.require_parameters,
                ),
                limit_headers=permit.headers(),
            )
            await exchange.run(planned.candidates)
            if exchange.usage is not None:
                usage = exchange.usage
                used_tokens = usage.input + usage.cached_input + usage.cache_write + usage.output
        finally:
            permit.end(used_tokens)

    async def count_tokens(self, call: Call, client: Client) -> bytes:
        """Estimate a prompt of Anthropic's dialect; nothing is sent and nothing is charged. Raises: as `serve`."""
        caller = self._authenticate(call)
        body = await _body_of(client)
        head = _parsed(parse_count, body)
        route = self._route(caller, head.model)
        model = route.deployments[0].upstream_model
        permit = self._permit(
            caller, tokens=0
        )  # no credit, but as much of our processor as anybody likes to send
        try:
            tokens = await asyncio.to_thread(
                estimate_tokens, parse_object(body), self._context.counter, model=model
            )
        except InvalidRequest as fault:
            raise Refused(fault.code, fault.message, param=fault.param) from None
        finally:
            permit.end(0)
        return count_answer(tokens)

    def _offers(self, caller: Caller, head: Head, controls: Controls) -> list[Offer]:
        """The request's own alias and those that the client names besides; one without a deployment is left out."""
        aliases = dict.fromkeys((head.model, *controls.models))
        routes = [
            self._known_route(caller, alias, param="model" if alias == head.model else "models")
            for alias in aliases
        ]
        served = [one for one in routes if one.deployments]
        if not served:
            raise not_served(head.model)
        return [self._offer(head, route) for route in served]

    def _offer(self, head: Head, route: RouteView) -> Offer:
        now_us = self._clock.now_us()
        price = route.price_at(now_us)
        if price is None:
            raise Refused("model_not_found", f"The model '{route.alias}' has no price and cannot be used.")
        try:
            factor = factor_ppm(head, route, price.price, now_us=now_us)
        except Unpriced as unpriced:
            raise not_priced(unpriced) from None
        window_ppm = price.price.window_ppm(now_us) if price.price.windows else NO_MARKUP_PPM
        return Offer(route=route, price=price, factor_ppm=factor, window_ppm=window_ppm)

    def _plan(
        self,
        offers: list[Offer],
        *,
        controls: Controls,
        asking: Asking,
        endpoint: Endpoint,
        caller: Caller,
        bound: Bound,
    ) -> Planned:
        draw = 0.0
        if needs_draw(offers):
            draw = draw_of(caller.account.account_id.bytes, conversation_of(asking))
        within = affordable(offers, controls, bound)
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
            draw=draw,
            now_us=self._clock.now_us(),
            now_s=self._clock.monotonic_s(),
        )
        if not planned.candidates:
            raise no_deployment(within[0].route, planned)
        return planned

    def _authenticate(self, call: Call) -> Caller:
        if call.secret is None:
            raise no_key()
        try:
            return self._directory.authenticate(call.secret, now_us=self._clock.now_us())
        except InvalidApiKey:
            raise bad_key() from None
        except AccountNotOpen as refusal:
            raise Refused("permission_denied", f"The account is {refusal.status}.") from None

    def _route(self, caller: Caller, model: str) -> RouteView:
        route = self._known_route(caller, model)
        if not route.deployments:
            raise not_served(model)
        return route

    def _known_route(self, caller: Caller, model: str, *, param: str = "model") -> RouteView:
        route = self._directory.alias(model)
        if route is None:
            raise no_model(model, param=param)
        try:
            caller.require_model(model)
        except ModelNotAllowed:
            raise Refused(
                "permission_denied", f"This API key may not use the model '{model}'.", param=param
            ) from None
        return route

    def _permit(self, caller: Caller, *, tokens: int) -> Permit:
        key, account = caller.key, caller.account
        try:
            return self._limiter.admit(
                key.key_id,
                key.limits,
                account.account_id,
                account.limits,
                tokens=tokens,
                now_s=self._clock.monotonic_s(),
            )
        except RateLimited as limited:
            raise Refused(
                "rate_limit_exceeded",
                f"Limit of {limited.limit} {limited.kind} reached. Try again later.",
                retry_after_s=limited.retry_after_s,
                headers=self._limiter.headers(key.key_id, account.account_id),
            ) from None

    async def _hold(
        self, call: Call, caller: Caller, head: Head, price: PriceInForce, *, hold_nano: int
    ) -> Hold:
        admission = Admission(
            request_id=call.request_id,
            account_id=caller.account.account_id,
            key_id=caller.key.key_id,
            alias=head.model,
            stream=head.stream,
            hold_nano=hold_nano,
            price_version=price.version,
            client_ref=call.client_ref,
        )
        try:
            return self._book.try_hold(admission) or await self._book.hold(admission)
        except InsufficientCredit as refusal:
            raise no_credit(refusal) from None
        except (EventLogError, LedgerRefusal):
            raise ledger_unavailable() from None


async def _body_of(client: Client) -> bytes:
    try:
        return await client.body()
    except BodyTooLarge:
        raise Refused("request_too_large", "The request body is too large.") from None
    except BodyTooSlow:
        raise Refused("request_timeout", "The request body did not arrive in time.") from None


def _parsed(parse: Callable[[_Body], Head], body: _Body) -> Head:
    try:
        return parse(body)
    except InvalidRequest as fault:
        raise Refused(fault.code, fault.message, param=fault.param) from None


def _bound(endpoint: Endpoint, head: Head, offers: Sequence[Offer]) -> Bound:
    """What covers every offer."""
    limits = limits_of(offers)
    try:
        return widest([endpoint.bound(head, limits, one.price.price) for one in offers])
    except InvalidRequest as fault:
        raise Refused(fault.code, fault.message, param=fault.param) from None


def _controls(body: bytes) -> tuple[Controls, bytes]:
    """What the client says of the routing, and the body without it."""
    try:
        controls = read_controls(parse_object(body))
    except InvalidRequest as fault:
        raise Refused(fault.code, fault.message, param=fault.param) from None
    return controls, without_controls(body)
