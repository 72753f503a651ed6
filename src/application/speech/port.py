"""What the gateway asks of an endpoint and of the way in which a deployment is spoken to."""

from collections.abc import Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from application.dialects.port import Asked, Relay
from application.directory_views import DeploymentView
from application.wire.answer import AnswerFault
from application.wire.head import ChatHead
from application.wire.prompt import PromptText
from application.wire.relay import Tail
from application.wire.spoken import SpokenText
from application.wire.usage import Figures, Reading, Usage
from domain.catalogue.deployment_spec import Operation

Headers = Sequence[tuple[bytes, bytes]]

_decode: Final = msgspec.json.Decoder().decode
NOTHING_SAID: Final = SpokenText("", 0)


class Asking(msgspec.Struct, kw_only=True):
    """One client's request, as every deployment is asked with it."""

    request_id: UUID
    body: bytes
    head: ChatHead
    answer_tokens: int  #: the bound of one answer that was held for
    created_s: int
    headers: Headers = ()  #: those of the client that may change what is asked, names in lower case
    _document: dict[str, Any] | None = None

    @property
    def stream(self) -> bool:
        return self.head.stream

    def document(self) -> dict[str, Any]:
        """The body, parsed once; it has passed the endpoint's `parse`. Not to be changed."""
        if self._document is None:
            self._document = _decode(self.body)
        return self._document

    def answer_tokens_of(self, deployment: DeploymentView) -> int:
        """The bound that a deployment is sent."""
        return min(self.answer_tokens, deployment.output_tokens_max)


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer for the client, unless there is a `fault`."""

    body: bytes
    usage_raw: bytes | None
    fault: AnswerFault | None = None


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
        """Read the usage object of this deployment's answers."""
        ...

    def last_bytes(self, relay: Relay, tail: Tail, usage: Usage) -> bytes:
        """What ends a complete stream, now that its usage is known and charged."""
        ...

    def error_event(self, relay: Relay, code: str, message: str) -> bytes:
        """What tells the client inside the stream that no more will come."""
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

    def parse(self, body: bytes) -> ChatHead:
        """Check a request. Raises: InvalidRequest."""
        ...

    def speak(self, asking: Asking, deployment: DeploymentView) -> Speech: ...

    def prompt(self, asking: Asking) -> PromptText | None:
        """The text of the prompt, for a local count."""
        ...


class Envelope(Protocol):
    """How a client is told that its request was refused."""

    def __call__(
        self, code: str, message: str, *, param: str | None, request_id: str, numbers: dict[str, int]
    ) -> tuple[int, bytes]:
        """Status and body."""
        ...
