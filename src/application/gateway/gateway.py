"""The way in: who calls, for which model, at what price and worst case; then the exchange."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

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
from application.gateway.refused import Refused, ledger_unavailable
from application.gateway.settlement import Settlement
from application.ledger.lease_book import LeaseBook
from application.ledger.live_lease import Admission, Hold
from application.limits import Permit, RateLimited, RateLimiter
from application.routing.affinity import conversation_of, draw_of
from application.routing.plan import Needs, Planned, Planner, Strategy
from application.routing.scores import Scores
from application.speech.port import Asking, Endpoint
from application.upstream import Upstream
from application.wire.bounds import TOKENS_PER_REQUEST, Bound, ModelLimits, bound_of
from application.wire.errors import InvalidRequest
from application.wire.head import ChatHead, parse_object
from domain.keys.access import AccountNotOpen, InvalidApiKey, ModelNotAllowed
from domain.ledger.refusals import InsufficientCredit, LedgerRefusal
from domain.pricing import NO_MARKUP_PPM, Bounds, Price, PriceInForce, combined_ppm, hold_nano

_BYTES_PER_TOKEN: Final = 4  #: about; to compare costs and contexts, never to charge
_NO_KEY: Final = "You didn't provide an API key. Send it in the header 'Authorization: Bearer YOUR_KEY'."
_BAD_KEY: Final = "Incorrect API key provided, or it was revoked or has expired."


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
        self._is_fresh = is_fresh

    def models(self, call: Call) -> list[ModelView]:
        """The models that this key may use. Raises: Refused."""
        caller = self._authenticate(call)
        return self._directory.models(now_us=self._clock.now_us(), caller=caller)

    def model(self, call: Call, model_id: str) -> ModelView:
        """One of `models`. Raises: Refused."""
        for model in self.models(call):
            if model.id == model_id:
                return model
        raise _no_model(model_id)

    async def serve(self, call: Call, client: Client, endpoint: Endpoint) -> None:
        """Serve one request for an answer of a model.

        Raises:
            Refused: nothing of an answer has gone to the client, and nothing was charged.
            ClientGone: the client left before its request was read, or before it was answered; nothing was charged.
        """
        caller = self._authenticate(call)
        body = await _body_of(client)
        head = _parsed(endpoint.parse, body)
        route = self._route(caller, head.model)
        price = route.price_at(self._clock.now_us())
        if price is None:
            raise Refused("model_not_found", f"The model '{route.alias}' has no price and cannot be used.")
        factor_ppm = self._factor_ppm(head, route, price.price)
        bound = bound_of(head, _limits_of(route))
        if not (self._is_fresh() and self._journal.is_writable()):
            raise ledger_unavailable()
        asking = Asking(
            request_id=call.request_id,
            body=body,
            head=head,
            answer_tokens=bound.answer_tokens,
            created_s=self._clock.now_us() // 1_000_000,
            headers=call.headers,
        )
        planned = self._plan(route, asking, endpoint, caller, bound)
        permit = self._permit(caller, tokens=bound.prompt_tokens + bound.output_tokens)
        used_tokens = 0
        try:
            hold = await self._hold(
                call, caller, head, price, hold_nano=_worst(price, bound, factor_ppm=factor_ppm)
            )
            exchange = Exchange(
                call=call,
                client=client,
                context=self._context,
                endpoint=endpoint,
                asking=asking,
                terms=Terms(
                    key_id=caller.key.key_id,
                    alias=route.alias,
                    bound=bound,
                    price=price,
                    factor_ppm=factor_ppm,
                    operation=endpoint.name,
                ),
                settlement=Settlement(hold, book=self._book, clock=self._clock, started_s=call.started_s),
                attempts=Attempts(
                    upstream=self._upstream,
                    clock=self._clock,
                    limits=self._context.limits,
                    scores=self._scores,
                    passed_over=planned.passed_over,
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
        try:
            tokens = await asyncio.to_thread(
                estimate_tokens, parse_object(body), self._context.counter, model=model
            )
        except InvalidRequest as fault:
            raise Refused(fault.code, fault.message, param=fault.param) from None
        return count_answer(tokens)

    def _plan(
        self, route: RouteView, asking: Asking, endpoint: Endpoint, caller: Caller, bound: Bound
    ) -> Planned:
        strategy: Strategy = "weighted" if route.is_weighted else "ordered"
        draw = 0.0
        if route.needs_draw:
            draw = draw_of(caller.account.account_id.bytes, conversation_of(asking))
        planned = self._planner.plan(
            route.deployments,
            strategy=strategy,
            wishes=None,
            policy=None,
            needs=Needs(
                serving=endpoint.serving,
                expected_prompt_tokens=bound.prompt_tokens // _BYTES_PER_TOKEN,
                output_tokens=bound.output_tokens,
            ),
            draw=draw,
            now_us=self._clock.now_us(),
            now_s=self._clock.monotonic_s(),
        )
        if not planned.candidates:
            raise _no_deployment(route, planned)
        return planned

    def _factor_ppm(self, head: ChatHead, route: RouteView, price: Price) -> int:
        """The factor of the hour and of the service tier that was asked for.

        Raises:
            Refused: the request spends what the price does not cover.
        """
        window_ppm = price.window_ppm(self._clock.now_us()) if price.windows else NO_MARKUP_PPM
        tier_ppm = NO_MARKUP_PPM
        for name in head.unpriced:
            if name == "service_tier" and head.service_tier in price.service_tiers:
                tier_ppm = price.service_tiers[head.service_tier]
            elif not all(name in one.passes for one in route.deployments):
                raise _unpriced(name, route)
        if window_ppm == tier_ppm == NO_MARKUP_PPM:
            return NO_MARKUP_PPM
        return combined_ppm(window_ppm, tier_ppm)

    def _authenticate(self, call: Call) -> Caller:
        if call.secret is None:
            raise Refused("invalid_api_key", _NO_KEY)
        try:
            return self._directory.authenticate(call.secret, now_us=self._clock.now_us())
        except InvalidApiKey:
            raise Refused("invalid_api_key", _BAD_KEY) from None
        except AccountNotOpen as refusal:
            raise Refused("permission_denied", f"The account is {refusal.status}.") from None

    def _route(self, caller: Caller, model: str) -> RouteView:
        route = self._directory.alias(model)
        if route is None:
            raise _no_model(model)
        try:
            caller.require_model(model)
        except ModelNotAllowed:
            raise Refused(
                "permission_denied", f"This API key may not use the model '{model}'.", param="model"
            ) from None
        if not route.deployments:
            raise Refused("upstream_error", f"No provider serves '{model}' at the moment.", retry_after_s=5)
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
        self, call: Call, caller: Caller, head: ChatHead, price: PriceInForce, *, hold_nano: int
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
            raise _no_credit(refusal) from None
        except (EventLogError, LedgerRefusal):
            raise ledger_unavailable() from None


def _worst(price: PriceInForce, bound: Bound, *, factor_ppm: int) -> int:
    bounds = Bounds(prompt_tokens=bound.prompt_tokens, output_tokens=bound.output_tokens)
    return hold_nano(bounds, price.price, price.markup_ppm, factor_ppm=factor_ppm)


async def _body_of(client: Client) -> bytes:
    try:
        return await client.body()
    except BodyTooLarge:
        raise Refused("request_too_large", "The request body is too large.") from None
    except BodyTooSlow:
        raise Refused("request_timeout", "The request body did not arrive in time.") from None


def _parsed(parse: Callable[[bytes], ChatHead], body: bytes) -> ChatHead:
    try:
        return parse(body)
    except InvalidRequest as fault:
        raise Refused(fault.code, fault.message, param=fault.param) from None


def _limits_of(route: RouteView) -> ModelLimits:
    """The widest of what any deployment of the route could do: whichever serves, the hold covers it."""
    some = route.deployments
    return ModelLimits(
        context_tokens=max(one.context_tokens for one in some),
        output_tokens_max=max(one.output_tokens_max for one in some),
        image_tokens_max=_widest(one.image_tokens_max for one in some),
        audio_tokens_max=_widest(one.audio_tokens_max for one in some),
        request_tokens=max(one.preamble_tokens or TOKENS_PER_REQUEST for one in some),
    )


def _widest(figures: Iterable[int | None]) -> int | None:
    """None where any has no figure."""
    widest = 0
    for figure in figures:
        if figure is None:
            return None
        widest = max(widest, figure)
    return widest


def _unpriced(name: str, route: RouteView) -> Refused:
    return Refused(
        "unsupported_parameter",
        f"'{name}' with this value is not supported for the model '{route.alias}' here: "
        "it changes what the request costs.",
        param=name,
    )


def _no_deployment(route: RouteView, planned: Planned) -> Refused:
    """Nothing may serve: is that the request's doing, or ours?"""
    reasons = {one.reason for one in planned.passed_over}
    if reasons == {"too_small"}:
        return Refused(
            "context_length_exceeded",
            f"The prompt is longer than the context of the model '{route.alias}'.",
            param="messages",
        )
    if reasons <= {"cannot", "too_small"}:
        return Refused(
            "unsupported_operation", f"The model '{route.alias}' is not offered at this URL.", param="model"
        )
    return Refused("upstream_error", f"No provider serves '{route.alias}' at the moment.", retry_after_s=5)


def _no_model(model: str) -> Refused:
    shown = model if model.isprintable() else "?"
    return Refused(
        "model_not_found",
        f"The model '{shown[:200]}' does not exist or you do not have access to it.",
        param="model",
    )


def _no_credit(refusal: InsufficientCredit) -> Refused:
    return Refused(
        "insufficient_quota",
        "The account's credit does not cover this request at its worst case: "
        f"{refusal.required_nano} nano-credits are required, {refusal.available_nano} are available. "
        "Recharge, or ask for fewer tokens.",
        required_nano=refusal.required_nano,
        available_nano=refusal.available_nano,
    )
