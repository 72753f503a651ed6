"""The seam between what a client speaks (a surface) and what a provider speaks (an upstream dialect).

Where both are the same, bytes pass (`application.wire`). Where they differ, both sides meet in one form: the parsed
chat completion of the OpenAI dialect, its request, its answer and its chunks. So n surfaces and m upstreams need
n + m translations, and a new dialect touches its own folder only.

Everything here is pure: no I/O, no clock, no state beyond one stream. Nothing raises but `InvalidRequest`, and that only
before anything was sent: what a provider says wrongly is a `fault`.
"""

from typing import Any, Literal, Protocol

import msgspec

from application.upstream import BodySource
from application.wire.answer import AnswerFault
from application.wire.relay import Fault, Tail
from application.wire.spoken import SpokenText

Json = dict[str, Any]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The model that is asked, as far as a translation depends on it."""

    model: str
    output_tokens: int  #: the bound of one answer that was held for; it is always sent
    traits: frozenset[str] = (
        frozenset()
    )  #: what this model takes or refuses; each dialect lists those it knows


Takes = Literal[
    "asked",  # a stream of events if one was asked for, else a document
    "either",  # a document also where a stream was asked for: some models have none
    "sound",  # bytes, passed on as they come; a document instead of them is an error
]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request in the upstream's dialect, without credential and content type."""

    path: bytes  #: below the base URL, with its query
    body: bytes | BodySource
    headers: tuple[tuple[bytes, bytes], ...] = ()
    dropped: tuple[str, ...] = ()  #: members that have no equal there; the client is told their names
    content_type: bytes = b"application/json"
    takes: Takes = "asked"


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `completion` is a `chat.completion` with usage, unless there is a `fault`."""

    completion: Json | None
    usage_raw: bytes | None  #: in the upstream's own words, as metering reads it; none if it said nothing
    spoken: SpokenText  #: what was generated, for a local count
    fault: AnswerFault | None = None


class ChatEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream still owed when its upstream closed. `complete`: it ended as an answer should; then there is no fault."""

    chunks: list[
        Json
    ]  #: those that finish the choices, then one with `choices: []` and usage if the upstream told it
    complete: bool
    fault: Fault | None
    service_tier: str | None = None  #: that answered, if the upstream told it beside its usage


class Relay(Protocol):
    """Passes a stream on in the dialect that it came in, byte for byte but for the rewrites that its class lists.

    As `ChatStream`, in bytes: what `feed` returns may go on at once; the end is withheld until `finish`.
    `application.wire.relay.StreamMeter` is the one for chat completions.
    """

    @property
    def done(self) -> bool: ...

    @property
    def fault(self) -> Fault | None: ...

    @property
    def error_body(self) -> bytes: ...

    @property
    def usage_raw(self) -> bytes | None: ...

    @property
    def chunks(self) -> int: ...

    def spoken(self) -> SpokenText: ...

    def feed(self, piece: bytes) -> bytes: ...

    def finish(self) -> Tail: ...


class ChatStream(Protocol):
    """Reads one upstream stream, in any pieces, as `chat.completion.chunk` objects. Memory is constant.

    A chunk with a `finish_reason` comes from `finish` only, since it may go on only once the charge is durable. After a
    fault no chunk comes any more, the finishing ones neither.
    """

    @property
    def done(self) -> bool:
        """The upstream said its last word: nothing more will be read."""
        ...

    @property
    def fault(self) -> Fault | None: ...

    @property
    def error_body(self) -> bytes:
        """What the upstream said instead of going on, to classify; never for clients."""
        ...

    @property
    def usage_raw(self) -> bytes | None:
        """The usage so far as one object in the upstream's own words: cumulative figures merged, never added."""
        ...

    @property
    def chunks(self) -> int:
        """How much of an answer was read; 0 means that nothing was generated yet."""
        ...

    def spoken(self) -> SpokenText: ...

    def feed(self, piece: bytes) -> list[Json]:
        """Take the next bytes; the chunks that may go on now. Never raises."""
        ...

    def finish(self) -> ChatEnd:
        """The upstream closed. Call it once, last."""
        ...


class ChatUpstream(Protocol):
    """A dialect in which providers are asked for chat completions."""

    def ask(self, chat: Json, target: Target, *, stream: bool) -> Asked:
        """Translate a chat request that has passed `parse_chat`; `chat` is not changed.

        Raises:
            InvalidRequest: this dialect has no way to say it; another deployment may have.
        """
        ...

    def read(self, body: bytes, *, alias: str, created_s: int) -> Read:
        """Read the whole body of a 200. `alias` is what the client called the model."""
        ...

    def stream(self, *, alias: str, created_s: int) -> ChatStream:
        """Read a stream."""
        ...


class SurfaceStream(Protocol):
    """Writes one answer as a client's stream, from chat chunks in order."""

    def write(self, chunk: Json) -> bytes:
        """The events for one chunk; empty where it says nothing yet."""
        ...

    def end(self) -> bytes:
        """The events that close a complete answer."""
        ...

    def error(self, code: str, message: str) -> bytes:
        """The events that tell a client inside its stream that no more will come. Its SDKs raise on them."""
        ...


class Surface(Protocol):
    """What a client speaks that is not chat completions."""

    def chat_of(self, request: Json) -> Json:
        """The chat request that asks for the same, with the client's `model` and `stream`; `request` is not changed.

        Raises:
            InvalidRequest: it is malformed, or chat completions have no way to say it.
        """
        ...

    def answer(self, completion: Json, *, request: Json) -> bytes:
        """The whole answer in the client's dialect."""
        ...

    def stream(self, *, request: Json) -> SurfaceStream:
        """The answer as a stream."""
        ...

    def error(self, code: str, message: str, *, param: str | None, request_id: str) -> bytes:
        """The body of a refusal; `code` is one of ours (`application.wire.errors`)."""
        ...
