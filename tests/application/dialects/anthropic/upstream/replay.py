"""Streams for these tests: written from events, read in pieces, put together again as a client would."""

import json
import random
from typing import Any

from openai.lib.streaming._deltas import accumulate_delta
from openai.types.chat import ChatCompletionChunk

from application.dialects.anthropic.upstream.stream import AnthropicStream
from application.dialects.port import ChatEnd, Json

START = {
    "type": "message_start",
    "message": {"id": "msg_1", "role": "assistant", "usage": {"input_tokens": 9, "output_tokens": 1}},
}
STOP = {"type": "message_stop"}


def report(line: str) -> None:
    """Say what a test found; it is seen with `-s`, and when the test fails."""
    print(line)  # noqa: T201  counts over the corpus are a result of their own


def end(stop_reason: str = "end_turn", **more: Any) -> Json:
    delta = {"stop_reason": stop_reason, "stop_sequence": None} | more
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 15}}


def begin(index: int, kind: str, **more: Any) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind} | more}


def piece(index: int, kind: str, **more: Any) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind} | more}


def stop(index: int) -> Json:
    return {"type": "content_block_stop", "index": index}


def text(index: int, *said: str) -> list[Json]:
    return [
        begin(index, "text", text=""),
        *(piece(index, "text_delta", text=part) for part in said),
        stop(index),
    ]


def call(index: int, name: str, *fragments: str, call_id: str = "toolu_1") -> list[Json]:
    return [
        begin(index, "tool_use", id=call_id, name=name, input={}),
        *(piece(index, "input_json_delta", partial_json=fragment) for fragment in fragments),
        stop(index),
    ]


def wire(*events: Json, newline: str = "\n") -> bytes:
    """The bytes of these events."""
    lines = (
        f"event: {event['type']}{newline}data: {json.dumps(event)}{newline}{newline}" for event in events
    )
    return "".join(lines).encode()


def stream_of(case: dict[str, Any]) -> bytes:
    """The bytes of a recorded stream."""
    newline = case["sse_newline"]
    events = []
    for item in case["stream_chunks"]:
        lines = [":" + item["comment"]] if "comment" in item else []
        lines += [f"event: {item['event']}"] if "event" in item else []
        lines += [f"data: {item['data']}"] if "data" in item else []
        events.append(newline.join(lines) + newline * 2)
    return "".join(events).encode()


def cut(stream: bytes, dice: random.Random) -> list[bytes]:
    """Pieces of 1 to 900 bytes, most of them small."""
    pieces, start = [], 0
    while start < len(stream):
        size = dice.choice((1, 2, 3, dice.randint(1, 60), dice.randint(1, 900)))
        pieces.append(stream[start : start + size])
        start += size
    return pieces


class Replayed:
    """What a stream said: the chunks that went on at once, its end, and all of it as a client puts it together."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.stream = AnthropicStream(alias="alias", created_s=1_700_000_000)
        self.early = [chunk for part in pieces for chunk in self.stream.feed(part)]
        self.end: ChatEnd = self.stream.finish()
        self.chunks = self.early + self.end.chunks
        for chunk in self.chunks:
            ChatCompletionChunk.model_validate(chunk, strict=True)

    @property
    def deltas(self) -> list[Json]:
        return [chunk["choices"][0]["delta"] for chunk in self.chunks if chunk["choices"]]

    @property
    def message(self) -> dict[Any, Any]:
        """As the openai SDK accumulates it."""
        together: dict[Any, Any] = {}
        for delta in self.deltas:
            together = accumulate_delta(together, json.loads(json.dumps(delta)))
        return together

    @property
    def finish(self) -> str | None:
        reasons = [chunk["choices"][0]["finish_reason"] for chunk in self.chunks if chunk["choices"]]
        assert all(reason is None for reason in reasons[:-1])
        return reasons[-1] if reasons else None

    @property
    def usage(self) -> Json | None:
        if not self.chunks or self.chunks[-1]["choices"]:
            return None
        usage: Json | None = self.chunks[-1]["usage"]
        return usage


def replay(*events: Json) -> Replayed:
    return Replayed([wire(*events)])
