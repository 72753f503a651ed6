"""The way in: who calls, for which model, at what price and worst case; then the exchange."""

import random
from collections.abc import Callable
from typing import Final

from application.clock import Clock
from application.directory import Directory
from application.directory_views import Caller, ModelView, RouteView
from application.eventlog import EventLogError, Journal
from application.gateway.attempts import Attempts, Plan
from application.gateway.client import BodyTooLarge, BodyTooSlow, Call, Client
from application.gateway.exchange import Context, Exchange
from application.gateway.rating import Terms
from application.gateway.refused import Refused, ledger_unavailable
from application.gateway.settlement import Settlement
from application.ledger.lease_book import LeaseBook
from application.ledger.live_lease import Admission, Hold
from application.limits import Permit, RateLimited, RateLimiter
from application.upstream import Upstream
from application.wire.bounds import ModelLimits, bound_of
from application.wire.errors import InvalidRequest
from application.wire.head import ChatHead, parse_chat
from domain.keys.access import AccountNotOpen, InvalidApiKey, ModelNotAllowed
from domain.ledger.refusals import InsufficientCredit, LedgerRefusal
from domain.pricing import Bounds, PriceInForce, hold_nano

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
        is_fresh: Callable[[], bool],
    ) -> None:
        self._directory = directory
        self._limiter = limiter
        self._book = book
        self._journal = journal
        self._upstream = upstream
        self._clock = clock
        self._context = context
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

    async def chat(self, call: Call, client: Client) -> None:
        """Serve one chat completion.

        Raises:
            Refused: nothing of an answer has gone to the client, and nothing was charged.
            ClientGone: the client left before its request was read, or before it was answered; nothing was charged.
        """
        caller = self._authenticate(call)
        body = await _body_of(client)
        head = _parse(body)
        route = self._route(caller, head.model)
        if head.unpriced:
            _require_priced(head, route)
        price = route.price_at(self._clock.now_us())
        if price is None:
            raise Refused("model_not_found", f"The model '{route.alias}' has no price and cannot be used.")
        bound = bound_of(head, _limits_of(route))
        if not (self._is_fresh() and self._journal.is_writable()):
            raise ledger_unavailable()
        permit = self._permit(caller, tokens=bound.prompt_tokens + bound.output_tokens)
        used_tokens = 0
        try:
            hold = await self._hold(
                call,
                caller,
                head,
                price,
                hold_nano=_worst(price, bound_prompt=bound.prompt_tokens, bound_output=bound.output_tokens),
            )
            exchange = Exchange(
                call=call,
                client=client,
                context=self._context,
                plan=Plan(
                    body=body,
                    stream=head.stream,
                    answer_tokens=bound.answer_tokens,
                    request_id=call.request_id,
                ),
                terms=Terms(key_id=caller.key.key_id, alias=route.alias, bound=bound, price=price),
                usage_wanted=head.include_usage,
                settlement=Settlement(hold, book=self._book, clock=self._clock, started_s=call.started_s),
                attempts=Attempts(upstream=self._upstream, clock=self._clock, limits=self._context.limits),
                limit_headers=permit.headers(),
            )
            await exchange.run(route.candidates(random.random()))  # noqa: S311  # spreads load, no secret
            if exchange.usage is not None:
                usage = exchange.usage
                used_tokens = usage.input + usage.cached_input + usage.cache_write + usage.output
        finally:
            permit.end(used_tokens)

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


def _worst(price: PriceInForce, *, bound_prompt: int, bound_output: int) -> int:
    bounds = Bounds(prompt_tokens=bound_prompt, output_tokens=bound_output)
    return hold_nano(bounds, price.price, price.markup_ppm)


async def _body_of(client: Client) -> bytes:
    try:
        return await client.body()
    except BodyTooLarge:
        raise Refused("request_too_large", "The request body is too large.") from None
    except BodyTooSlow:
        raise Refused("request_timeout", "The request body did not arrive in time.") from None


def _parse(body: bytes) -> ChatHead:
    try:
        return parse_chat(body)
    except InvalidRequest as fault:
        raise Refused(fault.code, fault.message, param=fault.param) from None


def _limits_of(route: RouteView) -> ModelLimits:
    """The widest of what any deployment of the route could do: whichever serves, the hold covers it."""
    return ModelLimits(
        context_tokens=max(one.context_tokens for one in route.deployments),
        output_tokens_max=max(one.output_tokens_max for one in route.deployments),
    )


def _require_priced(head: ChatHead, route: RouteView) -> None:
    """Whichever deployment serves, what the request spends beyond tokens is in its price."""
    for name in head.unpriced:
        if not all(name in one.passes for one in route.deployments):
            raise Refused(
                "unsupported_parameter",
                f"'{name}' with this value is not supported for the model '{route.alias}' here: "
                "it changes what the request costs.",
                param=name,
            )


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
