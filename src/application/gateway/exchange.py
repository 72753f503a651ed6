"""One admitted request: try deployments, pass the answer on, charge it before its end, whatever goes wrong.

Rules kept here. No byte goes to the client before the admission is durable, and not the last one before the
charge is. Another deployment is tried only while nothing has gone to the client. When the client leaves, the
upstream is read on for a bounded time to learn the real usage; after that, and when an upstream breaks within
its answer, what was seen is charged, counted here and marked estimated.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from application.dialects.openai.units import Used
from application.dialects.port import Relay
from application.directory_views import DeploymentView
from application.gateway.attempts import Attempts, Limits
from application.gateway.calling import Opened, media_type_of
from application.gateway.client import Call, Client, ClientGone
from application.gateway.head import EVENTS, answer_headers
from application.gateway.rating import (
    Terms,
    answer_of,
    metered,
    metered_in_units,
    rated_nano,
    with_told_tier,
)
from application.gateway.refused import Refused
from application.gateway.settlement import Settlement
from application.gateway.tiers import told_tier
from application.routing.plan import Candidate
from application.speech.port import NOTHING_SAID, Asking, Endpoint, Speech
from application.upstream import UpstreamError
from application.wire.relay import PING, Tail
from application.wire.spoken import SpokenText
from application.wire.tokens import TokenCounter
from application.wire.usage import Usage

_NO_TERMS: Final[Mapping[str, Terms]] = MappingProxyType({})
_NO_TAIL: Final = Tail(b"", complete=False, fault=None)
RUNAWAY_CHARS: Final = 4_096
RUNAWAY_CHARS_PER_TOKEN: Final = 32
"""An answer longer than this is cut. Texts have three to five characters a token, runs of blanks some dozens."""
_RUNAWAY_CHECK_BYTES: Final = 64 * 1024
_BROKE_OFF: Final = "The provider's answer broke off. What was received was charged."


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What all exchanges of a process share."""

    counter: TokenCounter
    limits: Limits
    ping_s: float
    drain_s: float
    client_write_s: float = 60.0


class _Said(msgspec.Struct, frozen=True, gc=False):
    """What of an answer decides its charge."""

    raw: bytes | None = None  #: the usage object
    spoken: SpokenText = NOTHING_SAID
    used: Used | None = None  #: in units
    end: bytes = b""  #: where the service tier would be told
    service_tier: str | None = None  #: already read from there


def _said_by(relay: Relay, speech: Speech, tail: Tail = _NO_TAIL) -> _Said:
    return _Said(
        raw=relay.usage_raw,
        spoken=relay.spoken(),
        used=speech.used(relay),
        end=tail.data,
        service_tier=tail.service_tier,
    )


class Exchange:
    """Run it once. Raises `Refused` if nothing has gone to the client; every other end it tells the client itself.

    Raises `ClientGone` when the client has left before any deployment answered; nothing was charged then.
    """

    def __init__(
        self,
        *,
        call: Call,
        client: Client,
        context: Context,
        endpoint: Endpoint,
        asking: Asking,
        terms: Terms,
        settlement: Settlement,
        attempts: Attempts,
        limit_headers: Sequence[tuple[bytes, bytes]],
        other_terms: Mapping[str, Terms] = _NO_TERMS,
    ) -> None:
        self._call = call
        self._client = client
        self._context = context
        self._endpoint = endpoint
        self._asking = asking
        self._terms = self._own_terms = terms
        self._other_terms = other_terms  #: of the aliases beside the request's own
        self._settlement = settlement
        self._attempts = attempts
        self._limit_headers = limit_headers
        self._deadline: asyncio.Timeout | None = None
        self._relay: Relay | None = None
        self._first_byte_ms = 0
        self.usage: Usage | None = None  #: what was charged, once known

    async def run(self, candidates: Sequence[Candidate]) -> None:
        self._client.watch(self._on_client_gone, write_s=self._context.client_write_s)
        try:
            await self._serve(candidates)
        except Refused as refusal:
            self._release(refusal.code)
            raise
        except ClientGone:
            self._release("client_closed")
            raise
        except BaseException:
            self._release("internal_error")
            raise

    async def _serve(self, candidates: Sequence[Candidate]) -> None:
        for candidate in candidates:
            if self._client.gone:
                raise ClientGone
            if self._attempts.is_out(candidate):
                continue
            if not self._attempts.may_begin(self._call.started_s):
                break
            if await self._try(candidate):
                return
        raise self._attempts.refusal()

    async def _try(self, candidate: Candidate) -> bool:
        """True when the request has ended with this deployment, well or not."""
        opened = self._relay = None
        self._terms = self._other_terms.get(candidate.alias, self._own_terms)
        self._deadline = deadline = asyncio.timeout(None)  # it begins when the client leaves
        try:
            async with deadline:
                opened = await self._attempts.call(candidate, self._endpoint, self._asking)
                if opened is None:
                    return False
                if opened.streams:
                    return await self._stream(opened)
                return await self._whole(opened)
        except TimeoutError:
            if not deadline.expired():
                raise  # nobody's deadline: a mistake of ours
            self._deadline = None  # it has struck: a charge has no clock to stop any more
            if opened is not None:
                await opened.response.aclose()
            await self._left_unanswered(candidate.deployment, opened)
            return True
        finally:
            self._deadline = None  # a client that leaves from here on finds nothing to shorten
            if opened is not None:
                await opened.response.aclose()

    def _release(self, code: str) -> None:
        """The request ends without a charge; does nothing to one that was charged."""
        self._attempts.interrupt(code)
        self._settlement.release(code, tuple(self._attempts.records), self._attempts.passed_over)

    # --- a whole answer

    async def _whole(self, opened: Opened) -> bool:
        try:
            body = await opened.response.read(
                self._context.limits.answer_bytes_max, idle_s=self._attempts.idle_s(opened)
            )
        except UpstreamError as error:
            self._attempts.fail_by(opened, error)
            return False
        self._first_byte_ms = self._settlement.total_ms()
        self._attempts.upstream_s = time.monotonic() - opened.started_s
        read = opened.speech.read(body)
        if read.fault is not None:
            self._attempts.fail_with(opened, body)
            return False
        self._attempts.succeed(opened)
        said = _Said(
            raw=read.usage_raw,
            spoken=NOTHING_SAID if read.usage_raw else opened.speech.spoken(body),
            used=opened.speech.used(read),
            end=body,
            service_tier=read.service_tier,
        )
        result = "client-left" if self._client.gone else "completed"
        usage = await self._charge(opened.deployment, opened.speech, said, result)
        self._attempts.score(opened, usage)
        whole = read.body if read.complete is None else read.complete(usage)
        await self._client.start(
            200, self._headers(opened, content_type=read.content_type, body_bytes=len(whole))
        )
        await self._client.end(whole)
        return True

    # --- a stream

    async def _stream(self, opened: Opened) -> bool:
        relay = self._relay = opened.speech.relay()
        first = await self._first_bytes(opened, relay)
        if first is None:
            return False
        self._first_byte_ms = self._settlement.total_ms()
        await self._settlement.admitted()
        is_sound = opened.asked.takes == "sound"
        content_type = media_type_of(opened.response) if is_sound else EVENTS
        await self._client.start(200, self._headers(opened, content_type=content_type, body_bytes=None))
        if first:
            await self._client.send(first)
        try:
            is_runaway = await self._pass_on(opened, relay)
        except UpstreamError:
            await self._end_stream(opened, relay, Tail(b"", complete=False, fault="truncated"))
        else:
            tail = Tail(b"", complete=False, fault="stream_too_long") if is_runaway else relay.finish()
            await self._end_stream(opened, relay, tail)
        return True

    async def _first_bytes(self, opened: Opened, relay: Relay) -> bytes | None:
        """The first bytes that may go to the client; None if the stream failed before there were any."""
        try:
            while not relay.done:
                piece = await opened.response.receive(idle_s=self._attempts.idle_s(opened))
                if not piece:
                    break
                first = relay.feed(piece)
                if first:
                    return first
                if relay.fault is not None:
                    self._attempts.fail_with(opened, relay.error_body)
                    return None
        except UpstreamError as error:
            self._attempts.fail_by(opened, error)
            return None
        if relay.chunks:
            return b""  # all of it is withheld until the charge is durable
        self._attempts.fail_with(opened, b"")
        return None

    async def _pass_on(self, opened: Opened, relay: Relay) -> bool:
        """Returns whether the answer was left because it went on far beyond what was asked for and paid."""
        receive, client = opened.response.receive, self._client
        idle_s = self._attempts.idle_s(opened)
        ping_s = None if opened.asked.takes == "sound" else self._context.ping_s
        unchecked_bytes = 0
        while not relay.done and relay.fault is None:
            piece = await receive(idle_s=idle_s, ping_s=ping_s)
            if piece is None:
                await client.send(PING)
                continue
            if not piece:
                break
            forward = relay.feed(piece)
            if forward:
                await client.send(forward)
            unchecked_bytes += len(piece)
            if unchecked_bytes > _RUNAWAY_CHECK_BYTES:
                unchecked_bytes = 0
                if self._is_runaway(relay):
                    return True
        return False

    def _is_runaway(self, relay: Relay) -> bool:
        """A bound that the provider does not keep to is our loss: nobody is charged above the hold."""
        tokens = self._terms.bound.output_tokens
        return tokens > 0 and relay.spoken().chars_total > RUNAWAY_CHARS + RUNAWAY_CHARS_PER_TOKEN * tokens

    async def _end_stream(self, opened: Opened, relay: Relay, tail: Tail) -> None:
        """Charge what was served, and only then let the end go."""
        result = "completed" if tail.complete else "cut"
        self._attempts.succeed(opened, "ok" if tail.complete else tail.fault or "cut")
        if self._client.gone:
            result = "client-left"
        try:
            said = _said_by(relay, opened.speech, tail)
            usage = await self._charge(opened.deployment, opened.speech, said, result)
        except Refused as refusal:
            await self._break_off(b"", opened.speech.error_event(relay, refusal.code, refusal.message))
            return
        if tail.complete:
            self._attempts.score(opened, usage)
            await self._client.end(opened.speech.last_bytes(relay, tail, usage))
        else:
            self._attempts.broke_off(opened)
            error = opened.speech.error_event(relay, "upstream_error", _BROKE_OFF)
            await self._break_off(tail.data, error)

    async def _break_off(self, data: bytes, error: bytes | None) -> None:
        """Without an error event the end is left open: the server cuts the connection, and no SDK takes that for an end."""
        if error is not None:
            await self._client.end(data + error)

    # --- money and time

    async def _charge(
        self,
        deployment: DeploymentView,
        speech: Speech,
        said: "_Said",
        result: str,
    ) -> Usage:
        await self._stop_clock()
        terms = self._terms
        if said.used is None:
            usage = await metered(
                said.raw,
                figures=speech.figures,
                model=deployment.upstream_model,
                bound=terms.bound,
                counter=self._context.counter,
                prompt=lambda: self._endpoint.prompt(self._asking),
                spoken=said.spoken,
            )
        else:
            usage = metered_in_units(said.used, said.raw, terms)
        self.usage = usage
        if terms.price.price.service_tiers:
            terms = with_told_tier(terms, said.service_tier or told_tier(said.end, said.raw))
        answer = answer_of(
            usage,
            terms=terms,
            deployment=deployment,
            attempts=self._attempts,
            result=result,
            first_byte_ms=self._first_byte_ms,
            total_ms=self._settlement.total_ms(),
        )
        await self._settlement.charge(rated_nano=rated_nano(usage, terms), answer=answer)
        return usage

    async def _left_unanswered(self, deployment: DeploymentView, opened: Opened | None) -> None:
        """The client left and the upstream did not end in time: what was read and seen is charged.

        Raises:
            ClientGone: the upstream has refused the request: there is nothing to pay for.
        """
        if not self._attempts.interrupt("client-left"):
            raise ClientGone
        speech = self._endpoint.speak(self._asking, deployment) if opened is None else opened.speech
        relay = self._relay
        said = _Said(used=speech.used(None)) if relay is None else _said_by(relay, speech)
        await self._charge(deployment, speech, said, "client-left")

    async def _stop_clock(self) -> None:
        """From here on the request must not be interrupted: its charge is made once."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            if deadline.expired():
                await asyncio.sleep(0)  # the interruption is on its way; it goes first
            deadline.reschedule(None)

    def _on_client_gone(self) -> None:
        deadline = self._deadline
        if deadline is not None and not deadline.expired():
            deadline.reschedule(asyncio.get_running_loop().time() + self._context.drain_s)

    def _headers(
        self, opened: Opened, *, content_type: bytes, body_bytes: int | None
    ) -> Sequence[tuple[bytes, bytes]]:
        overhead_s = time.monotonic() - self._call.started_s - self._attempts.upstream_s
        return answer_headers(
            str(self._call.request_id).encode(),
            deployment=opened.deployment,
            attempts=self._attempts,
            overhead_ms=max(0.0, overhead_s * 1000),
            hold_nano=self._settlement.hold_nano,
            charge_nano=None if body_bytes is None else self._settlement.charge_nano,
            balance_nano=self._settlement.balance_nano(),
            limits=self._limit_headers,
            content_type=content_type,
            body_bytes=body_bytes,
            dropped=opened.asked.dropped,
        )
