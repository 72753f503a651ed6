"""Gemini as an upstream of chat completions. See `ChatUpstream`; the base URL ends in the API's version."""

from application.dialects.gemini.completion import read_completion
from application.dialects.gemini.request import chat_request
from application.dialects.gemini.stream import GeminiStream
from application.dialects.port import Asked, Json, Read, Target


class GeminiUpstream:
    """Asks `generateContent` and `streamGenerateContent`. It holds no state."""

    def ask(self, chat: Json, target: Target, *, stream: bool) -> Asked:
        """Translate a chat request; `chat` is not changed.

        Raises:
            InvalidRequest: it is malformed, or this model has no way to say it.
        """
        return chat_request(chat, target, stream=stream)

    def read(self, body: bytes, *, alias: str, created_s: int) -> Read:
        return read_completion(body, alias=alias, created_s=created_s)

    def stream(self, *, alias: str, created_s: int) -> GeminiStream:
        return GeminiStream(alias=alias, created_s=created_s)
