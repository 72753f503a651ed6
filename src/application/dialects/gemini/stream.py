"""Reads one stream of Gemini's as chunks of a chat completion.

Each event is a whole response with the next parts; usage comes with every one, and the latest counts. There is no last
word: a stream is whole if every candidate in it has said why it ended before it closed.
"""

from application.dialects.gemini.answer import Answer, Said, readable
from application.dialects.gemini.choice import Choice
from application.dialects.gemini.frames import Frames
from application.dialects.gemini.usage import chat_usage
from application.dialects.port import ChatEnd, Json
from application.wire.chunk_meter import ERROR_BYTES_MAX
from application.wire.relay import Fault
from application.wire.spoken import SpokenText

_FOLD_BYTES = 16 * 1024


class GeminiStream:
    """Reads one stream. See `ChatStream`."""

    def __init__(self, *, alias: str, created_s: int, frames: Frames | None = None) -> None:
        self._head: Json = {"created": created_s, "model": alias}
        self._frames = frames or Frames()
        self._answer = Answer()
        self._fault: Fault | None = None
        self._error_body = b""
        self._chunks = 0
        self._fold_at = _FOLD_BYTES

    @property
    def done(self) -> bool:
        return self._frames.done

    @property
    def fault(self) -> Fault | None:
        return self._fault

    @property
    def error_body(self) -> bytes:
        return self._error_body or self._frames.error_body

    @property
    def usage_raw(self) -> bytes | None:
        return self._answer.usage_raw

    @property
    def chunks(self) -> int:
        return self._chunks

    def spoken(self) -> SpokenText:
        return self._answer.spoken.text()

    def feed(self, piece: bytes) -> list[Json]:
        payloads = self._frames.feed(piece)
        if self._frames.received_bytes > self._fold_at:
            self._fold_at = self._frames.received_bytes + _FOLD_BYTES
            self._answer.spoken.fold()
        return self._read(payloads)

    def finish(self) -> ChatEnd:
        chunks = self._read(self._frames.close())
        if self._fault is None:
            self._fault = self._fault_at_end()
        tier = self._answer.service_tier
        if self._fault is not None:
            return ChatEnd(chunks=[], complete=False, fault=self._fault, service_tier=tier)
        chunks += self._finishing()
        if self._answer.usage:
            chunks.append(self._chunk([], usage=chat_usage(self._answer.usage)))
        return ChatEnd(chunks=chunks, complete=True, fault=None, service_tier=tier)

    def _read(self, payloads: list[bytes]) -> list[Json]:
        """The chunks for some responses; a fault is known after what came before it."""
        chunks: list[Json] = []
        for payload in payloads:
            if self._fault is None:
                self._response(payload, chunks)
        if self._fault is None:
            self._fault = self._frames.fault
        return chunks

    def _response(self, payload: bytes, chunks: list[Json]) -> None:
        response = readable(payload)
        if type(response) is not dict:
            self._fault = "garbage"
        elif response.get("error"):
            self._fault = "error_event"
            self._error_body = payload[:ERROR_BYTES_MAX]
        else:
            said = self._answer.take(response)
            self._chunks += bool(said)
            chunks += [self._said(one) for one in said if one.began or one.delta or one.logprobs]
            if any(choice.broken for choice in self._answer.choices.values()):
                self._fault = "garbage"

    def _said(self, said: Said) -> Json:
        delta = {"role": "assistant", "content": "", **said.delta} if said.began else said.delta
        return self._chunk([_choice(said.choice, delta, logprobs=said.logprobs)])

    def _fault_at_end(self) -> Fault | None:
        choices = self._answer.choices.values()
        if self._answer.blocked is not None:
            return None
        if not choices or not all(choice.ended for choice in choices):
            return "truncated"
        return "garbage" if any(choice.reason is None for choice in choices) else None

    def _finishing(self) -> list[Json]:
        refusal = self._answer.blocked
        choices = sorted(self._answer.choices.values(), key=lambda choice: choice.index)
        if not choices and refusal is not None:
            blocked = {"index": 0, "delta": _refused(refusal), "logprobs": None}
            return [self._chunk([{**blocked, "finish_reason": "content_filter"}])]
        return [
            self._chunk([_choice(choice, {}, reason=choice.reason or "content_filter")]) for choice in choices
        ]

    def _chunk(self, choices: list[Json], *, usage: Json | None = None) -> Json:
        chunk = {"id": self._answer.answer_id, "object": "chat.completion.chunk", **self._head}
        chunk["choices"] = choices
        if usage is not None:
            chunk["usage"] = usage
            if self._answer.service_tier is not None:
                chunk["service_tier"] = self._answer.service_tier
        return chunk


def _choice(choice: Choice, delta: Json, *, logprobs: Json | None = None, reason: str | None = None) -> Json:
    return {"index": choice.index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}


def _refused(refusal: str) -> Json:
    return {"role": "assistant", "content": None, "refusal": refusal}
