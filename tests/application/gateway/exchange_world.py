"""One exchange on a ledger in memory, with a client and upstreams that do what a test tells them."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

import msgspec

from application.directory_views import Candidate, DeploymentView
from application.gateway.attempts import Attempts, Limits
from application.gateway.client import Call, Headers
from application.gateway.exchange import Context, Exchange
from application.gateway.rating import Terms
from application.gateway.settlement import Settlement
from application.routing.health import Health
from application.routing.scores import Scores
from application.routing.speed import Speeds
from application.speech.chat import ChatEndpoint
from application.speech.port import Asking, Endpoint, Head
from application.upstream import UpstreamRequest, UpstreamResponse, parse_url
from application.wire.bounds import Bound
from application.wire.head import ChatHead
from application.wire.prompt import PromptText
from domain.catalogue.base_url import parse_base_url
from domain.catalogue.deployment_spec import Timeouts
from domain.ledger.events import RequestReleased, UsageCharged
from domain.pricing import NO_MARKUP_PPM, Price, PriceInForce
from tests.application.ledger.ledger_world import KEY, LedgerWorld

WITHIN_S = 30.0
CREDIT_NANO = 1_000_000_000
HOLD_NANO = 1_000_000
REQUEST = b'{"model":"m","messages":[{"role":"user","content":"hello there"}]}'
PROMPT_TOKENS = 7  #: what the counter says of every prompt
JSON_HEAD = [(b"content-type", b"application/json"), (b"x-request-id", b"up-1")]
STREAM_HEAD = [(b"content-type", b"text/event-stream"), (b"x-request-id", b"up-1")]
PRICE = Price(
    input_nano_per_million=1_000_000,
    cached_input_nano_per_million=1_000_000,
    cache_write_nano_per_million=1_000_000,
    output_nano_per_million=1_000_000,
    request_nano_per_million=0,
)

ANSWER = (
    b'{"id":"c1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"one two"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}'
)


def chunk(text: str | None = None, *, finish: str | None = None, usage: str | None = None) -> bytes:
    """One event of a stream."""
    delta = "{}" if text is None else f'{{"role":"assistant","content":"{text}"}}'
    reason = "null" if finish is None else f'"{finish}"'
    more = "" if usage is None else f',"usage":{usage}'
    return (
        'data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"up","choices":'
        f'[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]{more}}}\n\n'
    ).encode()


BOUND = Bound(prompt_tokens=100, answer_tokens=50, output_tokens=50)
DONE = b"data: [DONE]\n\n"


class Hang:
    """The upstream says nothing more. `reached` is set when that is waited for."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def wait(self) -> None:
        self.reached.set()
        await asyncio.Event().wait()


Piece = bytes | Exception | Hang | Callable[[], None]


class Response:
    """Gives its pieces one by one; a callable among them is called on the way."""

    def __init__(self, pieces: Sequence[Piece], *, status: int = 200, headers: Headers = JSON_HEAD) -> None:
        self.status = status
        self.headers = list(headers)
        self.at_end = False
        self.closed = False
        self._pieces = list(pieces)

    async def receive(self, *, idle_s: float, ping_s: float | None = None) -> bytes | None:
        assert idle_s > 0
        assert ping_s is None or ping_s > 0
        while self._pieces:
            piece = self._pieces.pop(0)
            if isinstance(piece, bytes):
                return piece
            if isinstance(piece, Hang):
                await piece.wait()
            elif isinstance(piece, Exception):
                raise piece
            else:
                piece()
        self.at_end = True
        return b""

    async def aiter_raw(self, *, idle_s: float) -> AsyncIterator[bytes]:
        while data := await self.receive(idle_s=idle_s):
            yield data

    async def read(self, max_bytes: int, *, idle_s: float) -> bytes:
        parts = b"".join([part async for part in self.aiter_raw(idle_s=idle_s)])
        assert len(parts) <= max_bytes
        return parts

    async def aclose(self) -> None:
        self.closed = True


Reaction = Response | Exception | Hang | Callable[[], Awaitable[UpstreamResponse]]


class Upstreams:
    """Every call gets the next reaction."""

    def __init__(self, *reactions: Reaction) -> None:
        self._reactions = list(reactions)
        self.add = self._reactions.append
        self.requests: list[UpstreamRequest] = []

    async def send(
        self, request: UpstreamRequest, *, connect_s: float, first_byte_s: float, total_s: float | None = None
    ) -> UpstreamResponse:
        assert min(connect_s, first_byte_s, total_s or 1.0) > 0
        self.requests.append(request)
        reaction = self._reactions.pop(0)
        if isinstance(reaction, Exception):
            raise reaction
        if isinstance(reaction, Hang):
            await reaction.wait()
            raise AssertionError  # noqa: TRY004  a hang has no end but an interruption
        if isinstance(reaction, Response):
            return reaction
        return await reaction()

    async def aclose(self) -> None:
        assert not self._reactions


class FakeClient:
    """Takes everything at once, until it leaves."""

    def __init__(self) -> None:
        self.gone = False
        self.write_s = 0.0
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.parts: list[bytes] = []
        self.ended = False
        self.before_end: Callable[[], None] = lambda: None
        self._on_gone: Callable[[], None] = lambda: None

    @property
    def received(self) -> bytes:
        return b"".join(self.parts)

    def leave(self) -> None:
        self.gone = True
        self._on_gone()

    async def body(self) -> bytes:
        return REQUEST

    async def pieces(self, *, bytes_max: int) -> AsyncGenerator[bytes, None]:
        assert len(REQUEST) <= bytes_max
        yield REQUEST

    def watch(self, on_gone: Callable[[], None], *, write_s: float) -> None:
        self._on_gone = on_gone
        self.write_s = write_s

    async def start(self, status: int, headers: Headers) -> None:
        if not self.gone:
            self.status, self.headers = status, dict(headers)

    async def send(self, data: bytes) -> None:
        if not self.gone:
            self.parts.append(data)

    async def end(self, data: bytes = b"") -> None:
        if not self.gone:
            self.before_end()
            self.parts.append(data)
            self.ended = True


class WordCounter:
    """Words for tokens."""

    def count_text(self, text: str, *, model: str = "") -> int:
        assert model
        return len(text.split())

    def count_prompt(self, prompt: PromptText, *, model: str = "") -> int:
        assert prompt.texts
        assert model
        return PROMPT_TOKENS


def deployment(number: int = 1) -> DeploymentView:
    base = f"http://127.0.0.1:{9000 + number}"
    return DeploymentView(
        deployment_id=UUID(int=number),
        provider_id=UUID(int=99),
        provider="p",
        dialect="openai",
        usage_dialect="openai",
        base_url=parse_base_url(base),
        chat_url=parse_url(f"{base}/chat/completions"),
        authorization=None,
        upstream_model=f"up-{number}",
        context_tokens=1_000,
        output_tokens_max=100,
        output_field="max_tokens",
        timeouts=Timeouts(),
        weight=0,
    )


class ExchangeWorld:
    """One request that holds credit, and what became of it."""

    def __init__(self, *reactions: Reaction, stream: bool = False, usage_wanted: bool = False) -> None:
        self.ledger = LedgerWorld(CREDIT_NANO)
        self.client = FakeClient()
        self.upstreams = Upstreams(*reactions)
        self.stream = stream
        self.usage_wanted = usage_wanted
        self.cost_wanted = False
        self.drain_s = 0.01
        self.endpoint: Endpoint = ChatEndpoint()
        self.request = REQUEST
        self.price = PRICE
        self.service_tier = ""
        self.health = Health(instance_id=UUID(int=1), clock=self.ledger.clock)
        self.exchange: Exchange

    async def run(self, *deployments: DeploymentView) -> None:
        """Run the exchange to its end. Raises what it raises."""
        hold = await self.ledger.first.hold(HOLD_NANO)
        request_id = hold.admission.request_id
        limits = Limits(connect_s=WITHIN_S, first_byte_s=WITHIN_S, idle_s=WITHIN_S, total_s=WITHIN_S)
        started_s = time.monotonic()
        self.exchange = Exchange(
            call=Call(request_id=request_id, secret=None, client_ref=None, started_s=started_s),
            client=self.client,
            context=Context(counter=WordCounter(), limits=limits, ping_s=WITHIN_S, drain_s=self.drain_s),
            endpoint=self.endpoint,
            asking=Asking(
                request_id=request_id,
                body=self.request,
                head=self._head(),
                bound=BOUND,
                created_s=1,
                cost_wanted=self.cost_wanted,
            ),
            terms=Terms(
                key_id=KEY,
                alias="m",
                bound=BOUND,
                price=PriceInForce(
                    version=1, effective_from_us=0, markup_ppm=NO_MARKUP_PPM, price=self.price
                ),
                service_tier=self.service_tier,
            ),
            settlement=Settlement(
                hold, book=self.ledger.first.book, clock=self.ledger.clock, started_s=started_s
            ),
            attempts=Attempts(
                upstream=self.upstreams,
                clock=self.ledger.clock,
                limits=limits,
                scores=Scores(health=self.health, speeds=Speeds(), clock=self.ledger.clock),
            ),
            limit_headers=(),
        )
        async with asyncio.timeout(WITHIN_S):
            await self.exchange.run([Candidate(one) for one in deployments or (deployment(),)])

    def _head(self) -> Head:
        head = self.endpoint.parse(self.request)
        if isinstance(head, ChatHead):
            return msgspec.structs.replace(head, stream=self.stream, include_usage=self.usage_wanted)
        return head

    async def closed(self) -> None:
        """The books balance and no hold is open."""
        await self.ledger.closed()

    def ending(self) -> UsageCharged | RequestReleased:
        """How the request ended, once."""
        (ended,) = [one for one in self.ledger.facts() if isinstance(one, UsageCharged | RequestReleased)]
        return ended

    def charged(self) -> UsageCharged:
        ended = self.ending()
        assert isinstance(ended, UsageCharged), ended
        return ended

    def released(self) -> RequestReleased:
        ended = self.ending()
        assert isinstance(ended, RequestReleased), ended
        return ended


def run(scenario: Callable[[], Awaitable[ExchangeWorld]]) -> ExchangeWorld:
    """Run it; afterwards the request has ended exactly once and nothing is held."""

    async def main() -> ExchangeWorld:
        world = await scenario()
        await world.closed()
        return world

    world = asyncio.run(main())
    world.ending()
    return world
