"""Puts a surface and an upstream dialect together: what either side says goes through chat completions."""

from typing import Final

import msgspec

from application.dialects.port import ChatStream, Json, SurfaceStream
from application.wire.errors import envelope
from application.wire.relay import Fault, Tail, error_event
from application.wire.spoken import SpokenText

_encode: Final = msgspec.json.Encoder().encode


class TranslatedRelay:
    """A `Relay` that reads one dialect and writes another. The end is withheld until `finish`."""

    def __init__(self, source: ChatStream, target: SurfaceStream) -> None:
        self._source = source
        self._target = target

    @property
    def done(self) -> bool:
        return self._source.done

    @property
    def fault(self) -> Fault | None:
        return self._source.fault

    @property
    def error_body(self) -> bytes:
        return self._source.error_body

    @property
    def usage_raw(self) -> bytes | None:
        return self._source.usage_raw

    @property
    def chunks(self) -> int:
        return self._source.chunks

    def spoken(self) -> SpokenText:
        return self._source.spoken()

    def feed(self, piece: bytes) -> bytes:
        return b"".join([self._target.write(chunk) for chunk in self._source.feed(piece)])

    def error(self, code: str, message: str) -> bytes:
        """The events that tell the client inside its stream that no more will come."""
        return self._target.error(code, message)

    def finish(self) -> Tail:
        end = self._source.finish()
        data = b"".join([self._target.write(chunk) for chunk in end.chunks])
        if end.complete:
            data += self._target.end()
        return Tail(data, complete=end.complete, fault=end.fault, service_tier=end.service_tier)


class ChatSurface:
    """A `Surface` for clients that speak chat completions themselves: nothing is translated on their side."""

    def __init__(self, *, usage_wanted: bool) -> None:
        self._usage_wanted = usage_wanted

    def chat_of(self, request: Json) -> Json:
        return request

    def answer(self, completion: Json, *, request: Json) -> bytes:  # noqa: ARG002  the port's
        return _encode(completion)

    def error(self, code: str, message: str, *, param: str | None, request_id: str) -> bytes:  # noqa: ARG002  the port's
        return envelope(code, message, param)

    def stream(self, *, request: Json) -> "ChatSurfaceStream":  # noqa: ARG002  the port's
        return ChatSurfaceStream(usage_wanted=self._usage_wanted)


class ChatSurfaceStream:
    """Chunks as events. A chunk of usage alone goes to clients that asked for it; to them the others say `null`."""

    def __init__(self, *, usage_wanted: bool) -> None:
        self._usage_wanted = usage_wanted

    def write(self, chunk: Json) -> bytes:
        if self._usage_wanted:
            chunk = {**chunk, "usage": chunk.get("usage")}
        elif "usage" in chunk:
            if not chunk["choices"]:
                return b""
            chunk = {name: value for name, value in chunk.items() if name != "usage"}
        return b"data: " + _encode(chunk) + b"\n\n"

    def end(self) -> bytes:
        return b"data: [DONE]\n\n"

    def error(self, code: str, message: str) -> bytes:
        return error_event(code, message)
