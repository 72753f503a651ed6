"""One admitted request: try deployments, pass the answer on, charge it before its end, whatever goes wrong.

Rules kept here. No byte goes to the client before the admission is durable, and not the last one before the
charge is. Another deployment is tried only while nothing has gone to the client. When the client leaves, the
upstream is read on for a bounded time to learn the real usage; after that, and when an upstream breaks within
its answer, what was seen is charged, counted here and marked estimated.
"""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from application.directory_views import DeploymentView
from application.gateway.attempts import Attempts, Limits, Opened, Plan
from application.gateway.client import Call, Client, ClientGone
from application.gateway.head import answer_headers
from application.gateway.rating import Terms, answer_of, metered, rated_nano
from application.gateway.refused import Refused
from application.gateway.settlement import Settlement
from application.upstream import UpstreamError
from application.wire.answer import read_answer, spoken_text
from application.wire.relay import PING, StreamMeter, Tail, error_event
from application.wire.spoken import SpokenText
from application.wire.tokens import TokenCounter
from application.wire.usage import Usage
from application.wire.usage_event import Stamp, usage_event

NOTHING_SAID = SpokenText("", 0)


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
        plan: Plan,
        terms: Terms,
        usage_wanted: bool,
        settlement: Settlement,
        attempts: Attempts,
        limit_headers: Sequence[tuple[bytes, bytes]],
    ) -> None:
        self._call = call
        self._client = client
        self._context = context
        self._plan = plan
        self._terms = terms
        self._usage_wanted = usage_wanted
        self._settlement = settlement
        self._attempts = attempts
        self._limit_headers = limit_headers
        self._deadline: asyncio.Timeout | None = None
        self._meter: StreamMeter | None = None
        self._first_byte_ms = 0
        self.usage: Usage | None = None  #: what was charged, once known

    async def run(self, candidates: Sequence[DeploymentView]) -> None:
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

    async def _serve(self, candidates: Sequence[DeploymentView]) -> None:
        for deployment in candidates:
            if self._client.gone:
                raise ClientGone
            if await self._try(deployment):
                return
        raise self._attempts.refusal()

    async def _try(self, deployment: DeploymentView) -> bool:
        """True when the request has ended with this deployment, well or not."""
        opened = self._meter = None
        self._deadline = deadline = asyncio.timeout(None)  # it begins when the client leaves
        try:
            async with deadline:
                opened = await self._attempts.call(deployment, self._plan)
                if opened is None:
                    return False
                if self._plan.stream:
                    return await self._stream(opened)
                return await self._whole(opened)
        except TimeoutError:
            if not deadline.expired():
                raise  # nobody's deadline: a mistake of ours
            self._deadline = None  # it has struck: a charge has no clock to stop any more
            if opened is not None:
                await opened.response.aclose()
            await self._left_unanswered(deployment)
            return True
        finally:
            self._deadline = None  # a client that leaves from here on finds nothing to shorten
            if opened is not None:
                await opened.response.aclose()

    def _release(self, code: str) -> None:
        """The request ends without a charge; does nothing to one that was charged."""
        self._attempts.interrupt(code)
        self._settlement.release(code, tuple(self._attempts.records))

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
        read = read_answer(body)
        if read.fault is not None:
            self._attempts.fail_with(opened, body)
            return False
        self._attempts.succeed(opened)
        spoken = NOTHING_SAID if read.usage_raw else spoken_text(body)
        await self._charge(
            opened.deployment, read.usage_raw, spoken, "client-left" if self._client.gone else "completed"
        )
        await self._client.start(200, self._headers(opened, body_bytes=len(read.body)))
        await self._client.end(read.body)
        return True

    # --- a stream

    async def _stream(self, opened: Opened) -> bool:
        meter = self._meter = StreamMeter(usage_wanted=self._usage_wanted)
        first = await self._first_bytes(opened, meter)
        if first is None:
            return False
        self._first_byte_ms = self._settlement.total_ms()
        await self._settlement.admitted()
        await self._client.start(200, self._headers(opened, body_bytes=None))
        if first:
            await self._client.send(first)
        try:
            await self._relay(opened, meter)
        except UpstreamError:
            await self._end_stream(opened, meter, Tail(b"", complete=False, fault="truncated"))
        else:
            await self._end_stream(opened, meter, meter.finish())
        return True

    async def _first_bytes(self, opened: Opened, meter: StreamMeter) -> bytes | None:
        """The first bytes that may go to the client; None if the stream failed before there were any."""
        try:
            while not meter.done:
                piece = await opened.response.receive(idle_s=self._attempts.idle_s(opened))
                if not piece:
                    break
                first = meter.feed(piece)
                if first:
                    return first
                if meter.fault is not None:
                    self._attempts.fail_with(opened, meter.error_body)
                    return None
        except UpstreamError as error:
            self._attempts.fail_by(opened, error)
            return None
        if meter.chunks:
            return b""  # all of it is withheld until the charge is durable
        self._attempts.fail_with(opened, b"")
        return None

    async def _relay(self, opened: Opened, meter: StreamMeter) -> None:
        receive, client = opened.response.receive, self._client
        idle_s, ping_s = self._attempts.idle_s(opened), self._context.ping_s
        while not meter.done and meter.fault is None:
            piece = await receive(idle_s=idle_s, ping_s=ping_s)
            if piece is None:
                await client.send(PING)
                continue
            if not piece:
                break
            forward = meter.feed(piece)
            if forward:
                await client.send(forward)

    async def _end_stream(self, opened: Opened, meter: StreamMeter, tail: Tail) -> None:
        """Charge what was served, and only then let the end go."""
        result = "completed" if tail.complete else "cut"
        self._attempts.succeed(opened, "ok" if tail.complete else tail.fault or "cut")
        if self._client.gone:
            result = "client-left"
        try:
            await self._charge(opened.deployment, meter.usage_raw, meter.spoken(), result)
        except Refused as refusal:
            await self._client.end(error_event(refusal.code, refusal.message))
            return
        if tail.complete:
            await self._client.end(self._last_bytes(opened, meter, tail))
        else:
            message = "The provider's answer broke off. What was received was charged."
            await self._client.end(tail.data + error_event("upstream_error", message))

    def _last_bytes(self, opened: Opened, meter: StreamMeter, tail: Tail) -> bytes:
        """What ends a stream; a client that asked for usage gets it, if not from the upstream then from here."""
        if not self._usage_wanted or meter.usage_shown or self.usage is None:
            return tail.data
        stamp = Stamp(
            id=f"chatcmpl-{self._call.request_id}",
            created_s=opened.started_us // 1_000_000,
            model=opened.deployment.upstream_model,
        )
        return tail.with_event(usage_event(tail.last_events, meter.beginning, self.usage, otherwise=stamp))

    # --- money and time

    async def _charge(
        self, deployment: DeploymentView, raw: bytes | None, spoken: SpokenText, result: str
    ) -> None:
        await self._stop_clock()
        usage = self.usage = await metered(
            raw,
            deployment=deployment,
            bound=self._terms.bound,
            counter=self._context.counter,
            request=self._plan.body,
            spoken=spoken,
        )
        answer = answer_of(
            usage,
            terms=self._terms,
            deployment=deployment,
            attempts=self._attempts,
            result=result,
            first_byte_ms=self._first_byte_ms,
            total_ms=self._settlement.total_ms(),
        )
        await self._settlement.charge(rated_nano=rated_nano(usage, self._terms.price), answer=answer)

    async def _left_unanswered(self, deployment: DeploymentView) -> None:
        """The client left and the upstream did not end in time: what was read and seen is charged.

        Raises:
            ClientGone: the upstream has refused the request: there is nothing to pay for.
        """
        if not self._attempts.interrupt("client-left"):
            raise ClientGone
        meter = self._meter
        raw, spoken = (meter.usage_raw, meter.spoken()) if meter is not None else (None, NOTHING_SAID)
        await self._charge(deployment, raw, spoken, "client-left")

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

    def _headers(self, opened: Opened, *, body_bytes: int | None) -> Sequence[tuple[bytes, bytes]]:
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
            body_bytes=body_bytes,
        )
