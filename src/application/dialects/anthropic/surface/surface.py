"""The surface of clients that speak Anthropic's Messages dialect, over the form of chat completions."""

from application.dialects.anthropic.surface.answer import message_of
from application.dialects.anthropic.surface.errors import error_body
from application.dialects.anthropic.surface.request import chat_request
from application.dialects.anthropic.surface.stream import MessagesStream
from application.dialects.port import Json
from domain.catalogue.provider import UsageDialect


class MessagesSurface:
    """A `Surface`.

    `usage_dialect` is that of the figures in the completions: a translated answer has OpenAI's. `reasoning` sends the
    client's record of earlier thoughts along, for the providers that ask for it (DeepSeek, Kimi, GLM); others refuse it.
    """

    def __init__(self, *, usage_dialect: UsageDialect = "openai", reasoning: bool = False) -> None:
        self._usage_dialect = usage_dialect
        self._reasoning = reasoning

    def chat_of(self, request: Json) -> Json:
        """As `Surface.chat_of`. `stream_options` is the gateway's to set.

        Raises:
            InvalidRequest: it is malformed, or chat completions have no way to say it.
        """
        return chat_request(request, reasoning=self._reasoning)

    def answer(self, completion: Json, *, request: Json) -> bytes:
        return message_of(completion, model=_model(request), dialect=self._usage_dialect)

    def stream(self, *, request: Json) -> MessagesStream:
        return MessagesStream(model=_model(request), dialect=self._usage_dialect)

    def error(self, code: str, message: str, *, param: str | None, request_id: str) -> bytes:  # noqa: ARG002  this envelope has no place for it; messages name it
        return error_body(code, message, request_id=request_id)


def _model(request: Json) -> str:
    """What the client called the model."""
    model = request.get("model")
    return model if type(model) is str else ""
