"""Mends what providers write that the OpenAI dialect does not allow and that strict clients refuse to parse.

These, with bytes that are no UTF-8 (`chunk.as_utf8`), are all the rewrites of an answer's content:

* `finish_reason` `eos` (Together) becomes `stop`; an empty one, which clients take for an end, becomes `null`.
* `object` `""` in the first chunk of a stream (Azure's prompt filter) becomes `chat.completion.chunk`.
* `service_tier` `on_demand` (Groq) becomes `default`.
* A tool call (Mistral's) without `type` gets it, and in a stream without `index` the next one.

A mended document is written anew: the same JSON values, no blanks.
"""

from typing import Any, Final

import msgspec

from application.wire.chunk import NOT_JSON, Answer, ToolCall

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_FOREIGN_STOPS: Final = ("eos", "")
_FOREIGN_TIERS: Final = {"on_demand": "default"}


def is_complete(calls: list[ToolCall]) -> bool:
    """Whether every tool call in a chunk says what the dialect asks for."""
    return all(call.index is not None and (call.type is not None or call.id is None) for call in calls)


def needs_mending(finish_reason: str | None) -> bool:
    return finish_reason in _FOREIGN_STOPS


def answer_needs_mending(answer: Answer) -> bool:
    if answer.service_tier in _FOREIGN_TIERS:
        return True
    for choice in answer.choices or ():
        if choice.finish_reason in _FOREIGN_STOPS:
            return True
        calls = choice.message.tool_calls if choice.message is not None else None
        if calls and any(call.type is None and call.is_function for call in calls):
            return True
    return False


class ChunkMender:
    """Mends the chunks of one stream; it numbers the tool calls that come without an index."""

    def __init__(self) -> None:
        self._calls = 0

    def mend(self, payload: bytes) -> bytes:
        """The mended payload; as it came if it cannot be read as a whole."""
        try:
            document: dict[str, Any] = _decode(payload)
        except NOT_JSON:
            return payload
        if document.get("object") == "":
            document["object"] = "chat.completion.chunk"
        for choice in document.get("choices") or ():
            _mend_finish(choice)
            for call in (choice.get("delta") or {}).get("tool_calls") or ():
                self._mend_call(call)
        return _encode(document)

    def _mend_call(self, call: dict[str, Any]) -> None:
        if call.get("id") is not None:
            self._calls += 1
            if call.get("type") is None:
                call["type"] = "function"
        if call.get("index") is None:
            call["index"] = max(self._calls - 1, 0)


def mend_answer(body: bytes) -> bytes:
    """The mended body; as it came if it cannot be read as a whole."""
    try:
        document: dict[str, Any] = _decode(body)
    except NOT_JSON:
        return body
    tier = document.get("service_tier")
    if tier in _FOREIGN_TIERS:
        document["service_tier"] = _FOREIGN_TIERS[tier]
    for choice in document.get("choices") or ():
        _mend_finish(choice)
        for call in (choice.get("message") or {}).get("tool_calls") or ():
            if call.get("type") is None and call.get("function") is not None:
                call["type"] = "function"
    return _encode(document)


def _mend_finish(choice: dict[str, Any]) -> None:
    reason = choice.get("finish_reason")
    if reason in _FOREIGN_STOPS:
        choice["finish_reason"] = "stop" if reason else None
