"""A whole message as a chat completion.

Text is joined; thinking is told as `reasoning_content` and, with its signatures, as `thinking_blocks`, which a client
sends back as they are. What the provider ran by itself (its own tools, and their results) is not told: a client could
not run it.
"""

from typing import Any

from application.dialects.anthropic.upstream.shape import (
    as_json,
    finish_reason,
    parsed,
    refusal_text,
    text_of,
)
from application.dialects.anthropic.upstream.tools import ANSWER_TOOL
from application.dialects.anthropic.usage import chat_usage, figures
from application.dialects.port import Json, Read
from application.wire.chunk import as_utf8, raw_usage
from application.wire.spoken import Spoken
from application.wire.usage import Reading


def read_message(body: bytes, *, alias: str, created_s: int) -> Read:
    """Read the whole body of a 200. Never raises."""
    body = as_utf8(body)
    message = parsed(body)
    spoken = Spoken()
    if message is None:
        return Read(completion=None, usage_raw=None, spoken=spoken.text(), fault="garbage")
    if message.get("type") == "error" or message.get("error"):
        return Read(completion=None, usage_raw=None, spoken=spoken.text(), fault="error_body")
    content = message.get("content")
    if type(content) is not list:
        return Read(completion=None, usage_raw=None, spoken=spoken.text(), fault="garbage")
    reader = _Reader(spoken)
    for block in content:
        if type(block) is dict:
            reader.take(block)
    usage = message.get("usage")
    completion: Json = {
        "id": text_of(message, "id") or f"chatcmpl-{created_s}",
        "object": "chat.completion",
        "created": created_s,
        "model": alias,
        "choices": [reader.choice(text_of(message, "stop_reason"), message.get("stop_details"))],
    }
    if type(usage) is not dict or not usage:
        return Read(completion=completion, usage_raw=None, spoken=spoken.text())
    told = told_usage(usage)
    if told is not None:
        completion["usage"] = told
    return Read(completion=completion, usage_raw=raw_usage(body), spoken=spoken.text())


def told_usage(usage: Json) -> Json | None:
    """The usage object of a completion; none if one of its sides is missing, since a zero would be taken for a figure."""
    reading = Reading(usage)
    found = figures(reading)
    return None if reading.incomplete else chat_usage(found)


class _Reader:
    """Takes the blocks of one message, in order."""

    def __init__(self, spoken: Spoken) -> None:
        self._spoken = spoken
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._blocks: list[Json] = []
        self._calls: list[Json] = []

    def take(self, block: Json) -> None:
        match block.get("type"):
            case "text":
                self._texts.append(text_of(block, "text"))
                self._spoken.add(self._texts[-1])
            case "thinking":
                self._take_thinking(block)
            case "redacted_thinking":
                self._blocks.append({"type": "redacted_thinking", "data": text_of(block, "data")})
            case "tool_use":
                self._take_call(block)
            case "server_tool_use" | "mcp_tool_use":
                self._spoken.add(text_of(block, "name") + as_json(block.get("input")))
            case "compaction":
                self._spoken.add(text_of(block, "content"))

    def choice(self, stop_reason: str, stop_details: Any) -> Json:
        text: str | None = "".join(self._texts)
        refusal = None
        if stop_reason == "refusal":
            refusal = text or refusal_text(stop_details)
            text = None
        elif self._calls and not text:
            text = None
        message: Json = {"role": "assistant", "content": text, "refusal": refusal}
        if any(self._thoughts):
            message["reasoning_content"] = "".join(self._thoughts)
        if self._blocks:
            message["thinking_blocks"] = self._blocks
        if self._calls:
            message["tool_calls"] = self._calls
        return {
            "index": 0,
            "message": message,
            "finish_reason": finish_reason(stop_reason, calls=bool(self._calls)),
            "logprobs": None,
        }

    def _take_thinking(self, block: Json) -> None:
        thought = text_of(block, "thinking")
        self._thoughts.append(thought)
        self._spoken.add(thought)
        self._blocks.append(
            {"type": "thinking", "thinking": thought, "signature": text_of(block, "signature")}
        )

    def _take_call(self, block: Json) -> None:
        name, arguments = text_of(block, "name"), as_json(block.get("input"))
        self._spoken.add(name + arguments)
        if name == ANSWER_TOOL:
            self._texts.append(arguments)
            return
        self._calls.append(
            {
                "id": text_of(block, "id") or f"call_{len(self._calls)}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
        )
