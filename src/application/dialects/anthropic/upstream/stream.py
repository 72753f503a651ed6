"""A stream of Messages as chunks of a chat completion.

The role is told with the first thing that was generated, so that a provider that fails right after `message_start`, as
overloaded ones do, has told the client nothing. Indices of tool calls are counted here: those of blocks count text too.
"""

from typing import Any, Final

from application.dialects.anthropic.upstream.answer import told_usage
from application.dialects.anthropic.upstream.blocks import Block, opened
from application.dialects.anthropic.upstream.events import EventReader
from application.dialects.anthropic.upstream.shape import finish_reason, parsed, refusal_text, text_of
from application.dialects.anthropic.usage import StreamUsage
from application.dialects.port import ChatEnd, Json
from application.wire.relay import Fault
from application.wire.spoken import Spoken, SpokenText
from application.wire.sse import SseEvent

_ERROR_BYTES_MAX: Final = 16 * 1024
_OPEN_BLOCKS_MAX: Final = 128
_FOLD_BYTES: Final = 16 * 1024  # so much of a stream is read before the pieces of its text are joined


class AnthropicStream:
    """Reads one stream; a `ChatStream`."""

    def __init__(self, *, alias: str, created_s: int) -> None:
        self.done = False
        self.error_body = b""
        self.chunks = 0
        self._alias = alias
        self._created_s = created_s
        self._fault: Fault | None = None
        self._events = EventReader()
        self._usage = StreamUsage()
        self._spoken = Spoken()
        self._unfolded_bytes = 0
        self._id = ""  # of the message
        self._started = False
        self._role_told = False
        self._stop_reason = ""
        self._stop_details: Any = None
        self._calls = 0
        self._thoughts = 0
        self._blocks: dict[Any, Block] = {}

    @property
    def fault(self) -> Fault | None:
        return self._fault

    @property
    def usage_raw(self) -> bytes | None:
        return self._usage.raw

    def spoken(self) -> SpokenText:
        return self._spoken.text()

    def feed(self, piece: bytes) -> list[Json]:
        if self._is_over and self._fault != "not_sse":
            return []
        self._unfolded_bytes += len(piece)
        if self._unfolded_bytes > _FOLD_BYTES:
            self._unfolded_bytes = 0
            self._spoken.fold()
        chunks: list[Json] = []
        for event in self._events.feed(piece):
            self._take(event, chunks)
            if self._is_over:
                return chunks
        if self._events.fault is not None:
            self._fault, self.error_body = self._events.fault, self._events.stray
        return chunks

    def finish(self) -> ChatEnd:
        chunks: list[Json] = []
        last = None if self._is_over else self._events.finish()
        if last is not None:
            self._take(last, chunks)
        if not self._is_over and not self._stop_reason:
            self._fault = "truncated"
        if self._fault is not None:
            return ChatEnd(chunks=[], complete=False, fault=self._fault)
        self._close_blocks(chunks)
        return ChatEnd(chunks=chunks + self._last_chunks(), complete=True, fault=None)

    # --- events

    @property
    def _is_over(self) -> bool:
        return self.done or self._fault is not None

    def _take(self, event: SseEvent, chunks: list[Json]) -> None:
        data = event.data
        if data is None or not data.strip() or event.name == b"ping" or data.startswith(b"[DONE]"):
            return
        members = parsed(data)
        kind = text_of(members, "type") or event.name.decode()
        if event.name == b"error" or kind == "error" or (members is not None and members.get("error")):
            self._fault, self.error_body = "error_event", data[:_ERROR_BYTES_MAX]
        elif members is None:
            self._fault = "garbage"
        else:
            self._take_kind(kind, members, chunks)

    def _take_kind(self, kind: str, members: Json, chunks: list[Json]) -> None:
        match kind:
            case "message_start":
                self._start(members.get("message"))
            case "content_block_start":
                self._open_block(members, chunks)
            case "content_block_delta":
                block = self._blocks.get(_index(members))
                if block is not None:
                    self._generated(block.take(members.get("delta"), self._spoken), chunks)
            case "content_block_stop":
                block = self._blocks.pop(_index(members), None)
                if block is not None:
                    self._say(block.end(), chunks)
            case "message_delta":
                self._end(members)
            case "message_stop":
                self.done = True

    def _start(self, message: Any) -> None:
        """Take the start of a message. The same start may come twice, and another message may replace one that had only begun.

        One that replaces a message of which something was generated cannot be told any more: the first was cut.
        """
        started = text_of(message, "id")
        if self._started and self.chunks:
            if started != self._id:
                self._fault = "truncated"
            return
        self._started = True
        self._id = started
        if type(message) is dict:
            self._usage.start(message.get("usage"))

    def _open_block(self, members: Json, chunks: list[Json]) -> None:
        block = opened(members.get("content_block"), call=self._calls, thought=self._thoughts)
        self._calls += block.is_call
        self._thoughts += block.is_thought
        if len(self._blocks) >= _OPEN_BLOCKS_MAX:
            self._fault = "garbage"
            return
        self._blocks[_index(members)] = block
        self._generated(block.begin(self._spoken), chunks)

    def _end(self, members: Json) -> None:
        self.chunks += 1
        self._usage.end(members.get("usage"))
        delta = members.get("delta")
        self._stop_reason = text_of(delta, "stop_reason") or self._stop_reason
        if type(delta) is dict and delta.get("stop_details") is not None:
            self._stop_details = delta["stop_details"]

    def _close_blocks(self, chunks: list[Json]) -> None:
        for block in self._blocks.values():
            self._say(block.end(), chunks)
        self._blocks = {}

    # --- chunks

    def _generated(self, delta: Json | None, chunks: list[Json]) -> None:
        self.chunks += 1
        self._say(delta, chunks)

    def _say(self, delta: Json | None, chunks: list[Json]) -> None:
        if delta is None:
            return
        if not self._role_told:
            self._role_told = True
            chunks.append(self._chunk({"role": "assistant", "content": ""}))
        chunks.append(self._chunk(delta))

    def _last_chunks(self) -> list[Json]:
        chunks: list[Json] = []
        if self._stop_reason == "refusal":
            refusal = refusal_text(self._stop_details)
            self._say({"refusal": refusal} if refusal else None, chunks)
        delta: Json = {} if self._role_told else {"role": "assistant", "content": ""}
        chunks.append(self._chunk(delta, finish_reason(self._stop_reason, calls=self._calls > 0)))
        usage = told_usage(self._usage.members)
        if usage is not None:
            chunks.append(self._around([]) | {"usage": usage})
        return chunks

    def _chunk(self, delta: Json, finish: str | None = None) -> Json:
        return self._around([{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}])

    def _around(self, choices: list[Json]) -> Json:
        return {
            "id": self._id or f"chatcmpl-{self._created_s}",
            "object": "chat.completion.chunk",
            "created": self._created_s,
            "model": self._alias,
            "choices": choices,
        }


def _index(members: Json) -> int:
    index = members.get("index")
    return index if type(index) is int else 0
