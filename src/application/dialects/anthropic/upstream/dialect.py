"""Anthropic's Messages as a `ChatUpstream`.

`anthropic-version` is the older of the two that exist: under the newer one no model takes sampling parameters, under this
one those that can still do.
"""

from typing import Final

import msgspec

from application.dialects.anthropic.upstream.answer import read_message
from application.dialects.anthropic.upstream.notes import Notes
from application.dialects.anthropic.upstream.request import messages_body
from application.dialects.anthropic.upstream.stream import AnthropicStream
from application.dialects.port import Asked, ChatStream, Json, Read, Target

PATH: Final = b"/v1/messages"
VERSION: Final = b"2023-06-01"
_encode: Final = msgspec.json.Encoder().encode


class AnthropicUpstream:
    """Asks in Messages for chat completions."""

    def ask(self, chat: Json, target: Target, *, stream: bool) -> Asked:
        """As `ChatUpstream.ask`. A user's name goes as a hash, and pictures by URL are fetched by the provider."""
        notes = Notes()
        body = messages_body(chat, target, notes, stream=stream)
        return Asked(
            path=PATH,
            body=_encode(body),
            headers=((b"anthropic-version", VERSION),),
            dropped=notes.dropped,
        )

    def read(self, body: bytes, *, alias: str, created_s: int) -> Read:
        return read_message(body, alias=alias, created_s=created_s)

    def stream(self, *, alias: str, created_s: int) -> ChatStream:
        return AnthropicStream(alias=alias, created_s=created_s)
