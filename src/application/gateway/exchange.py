"""One admitted request: try deployments, pass the answer on, charge it before its end, whatever goes wrong.

Rules kept here. No byte goes to the client before the admission is durable, and not the last one before the
charge is. Another deployment is tried only while nothing has gone to the client. When the client leaves, the
upstream is read on for a bounded time to learn the real usage; after that, and when an upstream breaks within
its answer, what was seen is charged, counted here and marked estimated.
"""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from application.dialects.port import Relay
from application.directory_views import Candidate, DeploymentView
from application.gateway.attempts import Attempts, Limits
from application.gateway.calling import Opened, media_type_of
from application.gateway.charging import Charging, Said, said_by
from application.gateway.client import Call, Client, ClientGone
from application.gateway.drain import Drain
from application.gateway.head import EVENTS, answer_headers
from application.gateway.rating import Terms
from application.gateway.refused import Refused
from application.gateway.settlement import Settlement
from application.gateway.streaming import Stream
from application.speech.port import NOTHING_SAID, Asking, Endpoint, Speech
from application.upstream import UpstreamError
from application.wire.cost import with_charge
from application.wire.relay import Tail
from application.wire.tokens import TokenCounter
from application.wire.usage import Usage

_NO_TERMS: Final[Mapping[str, Terms]] = MappingProxyType({})
_BROKE_OFF: Final = "The provider's answer broke off. What was received was charged."


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What all exchanges of a process share."""

    counter: TokenCounter
    limits: Limits
    ping_s: float
    drain_s: float
    client_write_s: float = 60.0


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
        self._settlement = settlement
        self._attempts = attempts
        self._limit_headers = limit_headers
        self._charging = Charging(
            endpoint=endpoint,
            asking=asking,
            terms=terms,
            other_terms=other_terms,
            settlement=settlement,
            attempts=attempts,
            counter=context.counter,
        )
        self._drain = Drain(context.drain_s)
        self._relay: Relay | None = None
        self._first_byte_ms = 0

    @property
    def usage(self) -> Usage | None:
        """What was charged, once known."""
        return self._charging.usage

    async def run(self, candidates: Sequence[Candidate]) -> None:
        self._client.watch(self._drain.begin, write_s=self._context.client_write_s)
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
        attempts = self._attempts
        for candidate in candidates:
            if self._client.gone:
                raise ClientGone
            if attempts.records:
                if attempts.is_out(candidate):
                    continue
                if not attempts.may_begin(self._call.started_s):
                    break
            if await self._try(candidate):
                return
        raise attempts.refusal()

    async def _try(self, candidate: Candidate) -> bool:
        """True when the request has ended with this deployment, well or not."""
        opened = self._relay = None
        self._charging.by(candidate.alias)
        deadline = self._drain.opened()
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
            self._drain.closed()  # it has struck: a charge has no clock to stop any more
            if opened is not None:
                await opened.response.aclose()
            await self._left_unanswered(candidate.deployment, opened)
            return True
        finally:
            self._drain.closed()
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
        said = Said(
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
        if self._asking.cost_wanted:
            whole = with_charge(whole, self._settlement.charge_nano)
        await self._client.start(
            200, self._headers(opened, content_type=read.content_type, body_bytes=len(whole))
        )
        await self._client.end(whole)
        return True

    # --- a stream

    async def _stream(self, opened: Opened) -> bool:
        relay = self._relay = opened.speech.relay()
        stream = Stream(opened, relay, self._attempts)
        first = await stream.first_bytes()
        if first is None:
            return False
        self._first_byte_ms = self._settlement.total_ms()
        await self._settlement.admitted()
        is_sound = opened.asked.takes == "sound"
        content_type = media_type_of(opened.response) if is_sound else EVENTS
        await self._client.start(200, self._headers(opened, content_type=content_type, body_bytes=None))
        if first:
            await self._client.send(first)
        tail = await stream.rest(
            self._client,
            ping_s=self._context.ping_s,
            output_tokens=self._charging.terms.bound.output_tokens,
        )
        await self._end_stream(opened, relay, tail)
        return True

    async def _end_stream(self, opened: Opened, relay: Relay, tail: Tail) -> None:
        """Charge what was served, and only then let the end go."""
        result = "completed" if tail.complete else "cut"
        self._attempts.succeed(opened, "ok" if tail.complete else tail.fault or "cut")
        if self._client.gone:
            result = "client-left"
        try:
            said = said_by(relay, opened.speech, tail)
            usage = await self._charge(opened.deployment, opened.speech, said, result)
        except Refused as refusal:
            await self._break_off(b"", opened.speech.error_event(relay, refusal.code, refusal.message))
            return
        if tail.complete:
            self._attempts.score(opened, usage)
            charge_nano = self._settlement.charge_nano
            await self._client.end(opened.speech.last_bytes(relay, tail, usage, charge_nano=charge_nano))
        else:
            self._attempts.broke_off(opened, tail.fault)
            error = opened.speech.error_event(relay, "upstream_error", _BROKE_OFF)
            await self._break_off(tail.data, error)

    async def _break_off(self, data: bytes, error: bytes | None) -> None:
        """Without an error event the end is left open: the server cuts the connection, and no SDK takes that for an end."""
        if error is not None:
            await self._client.end(data + error)

    # --- money

    async def _charge(self, deployment: DeploymentView, speech: Speech, said: Said, result: str) -> Usage:
        await self._drain.stop()
        return await self._charging.charge(
            deployment, speech, said, result=result, first_byte_ms=self._first_byte_ms
        )

    async def _left_unanswered(self, deployment: DeploymentView, opened: Opened | None) -> None:
        """The client left and the upstream did not end in time: what was read and seen is charged.

        Raises:
            ClientGone: the upstream has refused the request: there is nothing to pay for.
        """
        if not self._attempts.interrupt("client-left"):
            raise ClientGone
        speech = self._endpoint.speak(self._asking, deployment) if opened is None else opened.speech
        relay = self._relay
        said = Said(used=speech.used(None)) if relay is None else said_by(relay, speech)
        await self._charge(deployment, speech, said, "client-left")

    def _headers(
        self, opened: Opened, *, content_type: bytes, body_bytes: int | None
    ) -> Sequence[tuple[bytes, bytes]]:
        overhead_s = time.monotonic() - self._call.started_s - self._attempts.upstream_s
        return answer_headers(
            self._asking.ref(),
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
