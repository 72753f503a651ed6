"""The way in: who calls, for which model, at what price and worst case; then the exchange."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from application.bodies.ports import BodySink
from application.bodies.recording import Recording
from application.clock import Clock
from application.dialects.anthropic.surface.counting import count_answer, estimate_tokens
from application.dialects.anthropic.surface.head import parse_count
from application.directory import Directory
from application.directory_views import Caller, ModelView
from application.eventlog import EventLogError, Journal
from application.gateway.attempts import Attempts
from application.gateway.client import BodyTooLarge, BodyTooSlow, Call, Client
from application.gateway.exchange import Context, Exchange
from application.gateway.offering import Agreed, Offering
from application.gateway.receiving import Uploads
from application.gateway.refusals import (
    bad_key,
    in_debt,
    no_credit,
    no_key,
    no_keyed_form,
    no_model,
    over_budget,
)
from application.gateway.refused import Refused, ledger_unavailable
from application.gateway.settlement import Settlement
from application.idempotent_requests.recording import RecordingClient
from application.idempotent_requests.repeats import Repeats, Unclaimed
from application.ledger.lease_book import LeaseBook
from application.ledger.live_lease import Admission, Hold
from application.limits import Permit, RateLimited, RateLimiter
from application.routing.controls import (
    NO_CONTROLS,
    Controls,
    has_controls,
    read_controls,
    without_controls,
)
from application.routing.plan import Planner
from application.routing.scores import Scores
from application.speech.port import Endpoint, Head
from application.speech.upload import Upload
from application.upstream import Upstream
from application.wire.errors import InvalidRequest
from application.wire.head import parse_object
from application.wire.spending import CONTROLS
from domain.keys.access import AccountNotOpen, InvalidApiKey
from domain.ledger.refusals import AccountInDebt, BudgetExceeded, InsufficientCredit, LedgerRefusal

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
        repeats: Repeats,
        bodies: BodySink,
        is_fresh: Callable[[], bool],
    ) -> None:
        self._directory = directory
        self._limiter = limiter
        self._book = book
        self._journal = journal
        self._upstream = upstream
        self._clock = clock
        self._context = context
        self._offering = Offering(directory=directory, planner=planner, clock=clock)
        self._scores = scores
        self._uploads = uploads
        self._repeats = repeats
        self._bodies = bodies
        self._is_fresh = is_fresh

    @contextmanager
    def visited(self, call: Call) -> Iterator[Caller]:
        """Who calls for what costs no credit, but our processor as often as anybody likes: rate limits count it.

        Raises:
            Refused: nobody, or too often.
        """
        caller = self._authenticate(call)
        permit = self._permit(caller, tokens=0)
        try:
            yield caller
        finally:
            permit.end(0)

    def caller(self, call: Call) -> Caller:
        """Who calls, for our own books: nothing is counted. Raises: Refused."""
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
        if caller.account.logs_bodies:
            with Recording(
                client, call=call, caller=caller, request=body, sink=self._bodies, clock=self._clock
            ) as recorded:
                await self._serve(call, recorded, endpoint, caller, body)
        else:
            await self._serve(call, client, endpoint, caller, body)

    async def _serve(
        self, call: Call, client: Client, endpoint: Endpoint, caller: Caller, body: bytes
    ) -> None:
        unclaimed = None
        if call.idempotency_key is not None:
            unclaimed = await self._looked_up(call.idempotency_key, caller, client, endpoint, body)
            if unclaimed is None:
                return
        head = _parsed(endpoint.parse, body)
        controls = NO_CONTROLS
        if has_controls(head.unpriced):
            controls, body = _controls(body)
        await self._answer(
            call,
            client,
            endpoint,
            caller=caller,
            head=head,
            body=body,
            controls=controls,
            unclaimed=unclaimed,
        )

    async def _looked_up(
        self, key: bytes, caller: Caller, client: Client, endpoint: Endpoint, body: bytes
    ) -> Unclaimed | None:
        """None when the request was answered again. That counts as a request, like a refusal here, and not as usage."""
        account_id = caller.account.account_id
        try:
            found = await self._repeats.look(key, account_id=account_id, endpoint=endpoint.name, body=body)
        except Refused:
            self._permit(caller, tokens=0).end(0)
            raise
        if isinstance(found, Unclaimed):
            return found
        permit = self._permit(caller, tokens=0)
        try:
            await self._repeats.answer_again(found, client, account_id=account_id)
        finally:
            permit.end(0)
        return None

    async def serve_form(self, call: Call, client: Client, endpoint: Endpoint, content_type: bytes) -> None:
        """As `serve`, for an endpoint that takes forms. Raises: as `serve`."""
        caller = self._authenticate(call)
        if call.idempotency_key is not None:
            raise no_keyed_form()
        async with self._uploads.received(client, content_type) as upload:
            head = _parsed(endpoint.parse_form, upload)
            for name in CONTROLS:
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
        unclaimed: Unclaimed | None = None,
    ) -> None:
        agreed = self._offering.agree(
            call, endpoint, caller=caller, head=head, body=body, upload=upload, controls=controls
        )
        if not (self._is_fresh() and self._journal.is_writable()):
            raise ledger_unavailable()
        permit = self._permit(caller, tokens=agreed.tokens)
        used_tokens = 0
        recording: RecordingClient | None = None
        try:
            hold = await self._hold(call, caller, head, agreed)
            settlement = Settlement(hold, book=self._book, clock=self._clock, started_s=call.started_s)
            if unclaimed is not None:
                client = recording = await self._repeats.begin(unclaimed, hold, settlement, client)
            exchange = Exchange(
                call=call,
                client=client,
                context=self._context,
                endpoint=endpoint,
                asking=agreed.asking,
                terms=agreed.terms,
                other_terms=agreed.other_terms,
                settlement=settlement,
                attempts=Attempts(
                    upstream=self._upstream,
                    clock=self._clock,
                    limits=self._context.limits,
                    scores=self._scores,
                    passed_over=agreed.planned.passed_over,
                    has_other_models=bool(agreed.other_terms),
                    requires_all=controls.require_parameters,
                ),
                limit_headers=permit.headers(),
            )
            await exchange.run(agreed.planned.candidates)
            usage = exchange.usage
            if usage is not None:
                used_tokens = usage.input + usage.cached_input + usage.cache_write + usage.output
        finally:
            permit.end(used_tokens)
            if recording is not None:
                await recording.close()

    async def count_tokens(self, call: Call, client: Client) -> bytes:
        """Estimate a prompt of Anthropic's dialect; nothing is sent and nothing is charged. Raises: as `serve`."""
        caller = self._authenticate(call)
        body = await _body_of(client)
        head = _parsed(parse_count, body)
        route = self._offering.route(caller, head.model)
        model = route.deployments[0].upstream_model
        permit = self._permit(caller, tokens=0)  # no credit, but our processor for as long as anybody likes
        try:
            tokens = await asyncio.to_thread(
                estimate_tokens, parse_object(body), self._context.counter, model=model
            )
        except InvalidRequest as fault:
            raise Refused(fault.code, fault.message, param=fault.param) from None
        finally:
            permit.end(0)
        return count_answer(tokens)

    def _authenticate(self, call: Call) -> Caller:
        if call.secret is None:
            raise no_key()
        try:
            return self._directory.authenticate(call.secret, now_us=self._clock.now_us())
        except InvalidApiKey:
            raise bad_key() from None
        except AccountNotOpen as refusal:
            raise Refused("permission_denied", f"The account is {refusal.status}.") from None

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
                rule=limited.kind,
                limit=limited.limit,
            ) from None

    async def _hold(self, call: Call, caller: Caller, head: Head, agreed: Agreed) -> Hold:
        admission = Admission(
            request_id=call.request_id,
            account_id=caller.account.account_id,
            key_id=caller.key.key_id,
            alias=head.model,
            stream=head.stream,
            hold_nano=agreed.hold_nano,
            price_version=agreed.terms.price.version,
            client_ref=call.client_ref,
            budgets=caller.budgets,
        )
        try:
            return self._book.try_hold(admission) or await self._book.hold(admission)
        except InsufficientCredit as refusal:
            raise no_credit(refusal) from None
        except AccountInDebt as refusal:
            raise in_debt(refusal) from None
        except BudgetExceeded as refusal:
            raise over_budget(refusal, now_us=self._clock.now_us()) from None
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


def _controls(body: bytes) -> tuple[Controls, bytes]:
    """What the client says to the gateway, and the body without it."""
    try:
        controls = read_controls(parse_object(body))
    except InvalidRequest as fault:
        raise Refused(fault.code, fault.message, param=fault.param) from None
    return controls, without_controls(body)
