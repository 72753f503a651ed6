"""Reads the stream of an upstream that speaks chat completions as chunk objects.

The bytes go through `application.wire.relay.StreamMeter`, which withholds, mends and judges them; here its clean output
is only split into objects and brought to one form. What ends a choice is taken off its chunk and kept until the end.
"""

from typing import Final

from application.dialects.openai.chat import canonical
from application.dialects.openai.chat.calls import CallPieces
from application.dialects.openai.document import Json, object_in, objects_in, parsed
from application.dialects.openai.usage import chat_figures, chat_usage
from application.dialects.port import ChatEnd
from application.wire.relay import Fault, StreamMeter
from application.wire.spoken import SpokenText
from application.wire.sse import end_of_event, take_apart
from domain.catalogue.provider import UsageDialect

_CHOICES_MAX: Final = 128


class OpenAiChatStream:
    """One stream; see `ChatStream` of the port. Memory: that of the meter, and one reason for each choice."""

    def __init__(self, *, alias: str, created_s: int, usage_dialect: UsageDialect) -> None:
        self._meter = StreamMeter(usage_wanted=False)
        self._usage_dialect: UsageDialect = usage_dialect
        self._model = alias
        self._created_s = created_s
        self._id = ""
        self._extra: Json = {}
        self._service_tier: str | None = None
        self._calls = CallPieces()
        self._reasons: dict[int, str | None] = {}  # of each choice that began

    @property
    def done(self) -> bool:
        return self._meter.done

    @property
    def fault(self) -> Fault | None:
        return self._meter.fault

    @property
    def error_body(self) -> bytes:
        return self._meter.error_body

    @property
    def usage_raw(self) -> bytes | None:
        return self._meter.usage_raw

    @property
    def chunks(self) -> int:
        return self._meter.chunks

    def spoken(self) -> SpokenText:
        return self._meter.spoken()

    def feed(self, piece: bytes) -> list[Json]:
        return self._objects(self._meter.feed(piece))

    def finish(self) -> ChatEnd:
        tail = self._meter.finish()
        if not tail.complete:
            return ChatEnd(chunks=[], complete=False, fault=tail.fault, service_tier=self._service_tier)
        chunks = self._objects(tail.data)
        chunks += [
            self._chunk([{"index": index, "delta": {}, "finish_reason": reason or "stop"}])
            for index, reason in sorted(self._reasons.items())
        ]
        counted = chat_figures(self._meter.usage_raw, dialect=self._usage_dialect)
        if counted is not None:
            chunks.append({**self._chunk([]), "usage": chat_usage(counted)})
        return ChatEnd(chunks=chunks, complete=True, fault=None, service_tier=self._service_tier)

    def _objects(self, events: bytes) -> list[Json]:
        chunks: list[Json] = []
        start = 0
        while start < len(events):
            end = end_of_event(events, start)
            event = events[start : end if end > 0 else len(events)]
            start += len(event)
            data = take_apart(event).data
            chunk = None if data is None else parsed(data)
            if chunk is not None:
                chunks += self._canonical(chunk)
        return chunks

    def _canonical(self, chunk: Json) -> list[Json]:
        """The chunk without ends; none where nothing else is left of it."""
        if isinstance(chunk.get("id"), str) and not self._id:
            self._id = chunk["id"]
        created_s = chunk.get("created")
        if type(created_s) is int and created_s > 0:
            self._created_s = created_s
        self._extra |= canonical.extras(chunk)
        if isinstance(chunk.get("service_tier"), str):
            self._service_tier = chunk["service_tier"]
        choices: list[Json] = []
        for choice in objects_in(chunk, "choices"):
            index = canonical.index_of(choice)
            reason = canonical.reason(choice.get("finish_reason"))
            if len(self._reasons) < _CHOICES_MAX or index in self._reasons:
                self._reasons[index] = reason or self._reasons.get(index)
            delta = canonical.delta(object_in(choice, "delta"))
            if "tool_calls" in delta:
                delta["tool_calls"] = [self._calls.piece(index, call) for call in delta["tool_calls"]]
            logprobs = choice.get("logprobs")
            if delta or logprobs is not None:
                kept: Json = {"index": index, "delta": delta, "finish_reason": None}
                if isinstance(logprobs, dict):
                    kept["logprobs"] = logprobs
                choices.append(kept)
        return [self._chunk(choices)] if choices else []

    def _chunk(self, choices: list[Json]) -> Json:
        return {
            "id": self._id or f"chatcmpl-{self._created_s}",
            "object": "chat.completion.chunk",
            "created": self._created_s,
            "model": self._model,
            **self._extra,
            "choices": choices,
        }
