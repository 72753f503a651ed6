"""What the gateway asks of an endpoint and of the way in which a deployment is spoken to."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from application.dialects.openai.units import Used
from application.dialects.port import Asked, Relay
from application.directory_views import DeploymentView
from application.speech.upload import Upload
from application.wire.answer import AnswerFault
from application.wire.bounds import Bound, ModelLimits, bound_of
from application.wire.head import ChatHead
from application.wire.prompt import PromptText
from application.wire.relay import Tail
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, Usage
from domain.catalogue.deployment_spec import Operation
from domain.pricing import Price

Headers = Sequence[tuple[bytes, bytes]]

_decode: Final = msgspec.json.Decoder().decode
NOTHING_SAID: Final = SpokenText("", 0)


class Head(Protocol):
    """What the gateway reads of any request. `ChatHead` is the one of what a model says, `UnitsHead` of the others."""

    @property
    def model(self) -> str: ...

    @property
    def stream(self) -> bool: ...

    @property
    def include_usage(self) -> bool:
        """The client asked for usage on its stream, where that is its to ask."""
        ...

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Members that spend beyond what is counted, see `application.wire.spending`."""
        ...

    @property
    def service_tier(self) -> str:
        """As the client asked for it, or empty."""
        ...


class Asking(msgspec.Struct, kw_only=True):
    """One client's request, as every deployment is asked with it."""

    request_id: UUID
    body: bytes  #: empty if it is a form
    head: Head
    bound: Bound  #: what was held for
    created_s: int
    cost_wanted: bool = False  #: the client asked for its charge, in the usage of its answer
    headers: Headers = ()  #: those of the client that may change what is asked, names in lower case
    upload: Upload | None = None  #: the form
    _document: dict[str, Any] | None = None
    _ref: bytes = b""

    @property
    def stream(self) -> bool:
        return self.head.stream

    @property
    def usage_wanted(self) -> bool:
        """The client asked for usage on its stream, by itself or with its charge in it."""
        return self.head.include_usage or self.cost_wanted

    def ref(self) -> bytes:
        """The id as text, for headers; made once."""
        if not self._ref:
            self._ref = str(self.request_id).encode()
        return self._ref

    def document(self) -> dict[str, Any]:
        """The body, parsed once; it has passed the endpoint's `parse`. Not to be changed."""
        if self._document is None:
            form = self.upload
            self._document = _decode(self.body) if form is None else form.form.request()
        return self._document

    def answer_tokens_of(self, deployment: DeploymentView) -> int:
        """The bound that a deployment is sent."""
        return min(self.bound.answer_tokens, deployment.output_tokens_max)


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer for the client, unless there is a `fault`."""

    body: bytes
    usage_raw: bytes | None
    fault: AnswerFault | None = None
    used: Used | None = None  #: what `Speech.used` gives of it
    content_type: bytes = b"application/json"
    service_tier: str | None = None  #: that answered, where the upstream's body tells it in its own words
    complete: Callable[[Usage], bytes] | None = None  #: makes the body for the client once its usage is known


class Speech(Protocol):
    """One deployment, spoken to for one request."""

    def ask(self) -> Asked:
        """What is sent.

        Raises:
            InvalidRequest: the deployment's dialect cannot say it; another's may.
        """
        ...

    def read(self, body: bytes) -> Whole:
        """Read a whole answer with status 200. Never raises."""
        ...

    def spoken(self, body: bytes) -> SpokenText:
        """The text of a whole answer that came without usage. Never raises."""
        ...

    def relay(self) -> Relay:
        """Pass a stream on."""
        ...

    def figures(self, reading: Reading) -> Figures:
        """Read the usage object of this deployment's answers, in tokens."""
        ...

    def used(self, said: Whole | Relay | None) -> Used | None:
        """What was told of an answer where that is not tokens alone; `said` is none if nothing came.

        `None`: the raw usage and `figures` are metered, and what they lack is counted in the text.
        """
        ...

    def last_bytes(self, relay: Relay, tail: Tail, usage: Usage, *, charge_nano: int) -> bytes:
        """What ends a complete stream, now that its usage is known and charged."""
        ...

    def error_event(self, relay: Relay, code: str, message: str) -> bytes | None:
        """What tells the client inside the stream that no more will come; `None` if only a broken end can."""
        ...


class Endpoint(Protocol):
    """What a client speaks."""

    @property
    def name(self) -> str:
        """Under which charges record it."""
        ...

    @property
    def serving(self) -> frozenset[Operation]:
        """A deployment that offers any of these can serve it."""
        ...

    @property
    def takes_form(self) -> bool:
        """Requests are forms with files, read by `parse_form`; else they are JSON, read by `parse`."""
        ...

    def parse(self, body: bytes) -> Head:
        """Check a request. Raises: InvalidRequest."""
        ...

    def parse_form(self, upload: Upload) -> Head:
        """Check a form. Raises: InvalidRequest."""
        ...

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:
        """The worst case, in the units that `price` names.

        Raises:
            InvalidRequest: it does not name what this endpoint spends; the model is not offered here.
        """
        ...

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech: ...

    def prompt(self, asking: Asking) -> PromptText | None:
        """The text of the prompt, for a local count."""
        ...


class JsonEndpoint:
    """What all have in common that take JSON."""

    takes_form = False

    def parse_form(self, upload: Upload) -> Head:
        raise NotImplementedError


class TokenEndpoint(JsonEndpoint):
    """What all have in common that are metered in tokens alone, of a prompt and what a model says to it."""

    def bound(self, head: Head, limits: ModelLimits, price: Price) -> Bound:  # noqa: ARG002  tokens have a price always
        assert isinstance(head, ChatHead)
        return bound_of(head, limits)


class Envelope(Protocol):
    """How a client is told that its request was refused."""

    def __call__(
        self, code: str, message: str, *, param: str | None, request_id: str, numbers: dict[str, int]
    ) -> tuple[int, bytes]:
        """Status and body."""
        ...
