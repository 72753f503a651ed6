"""Responses as a `ChatUpstream`, for models that their provider offers at no other endpoint.

What a model thought is told where the provider tells it, and goes no further: the next request does not bring it back.
"""

from application.dialects.openai.responses.answer import response_text
from application.dialects.openai.responses.head import PATH
from application.dialects.openai.responses.upstream.answer import read_completion
from application.dialects.openai.responses.upstream.request import request_of
from application.dialects.openai.responses.upstream.stream import ResponsesChatStream
from application.dialects.port import Asked, ChatStream, Json, Read, Target


class ResponsesUpstream:
    """Asks for responses where chat completions are wanted."""

    def ask(self, chat: Json, target: Target, *, stream: bool) -> Asked:
        """As `ChatUpstream.ask`. Nothing is stored at the provider."""
        return request_of(chat, target, path=PATH, stream=stream)

    def read(self, body: bytes, *, alias: str, created_s: int) -> Read:
        return read_completion(body, alias=alias, created_s=created_s, spoken=response_text(body))

    def stream(self, *, alias: str, created_s: int) -> ChatStream:
        return ResponsesChatStream(alias=alias, created_s=created_s)
