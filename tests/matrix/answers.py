"""What a sound provider of each dialect answers: one text, one usage, as a document and as the events of a stream."""

import json
from typing import Any, Final, Literal

import msgspec

Kind = Literal["chat", "responses", "messages", "gemini"]
"""What an upstream speaks: two of them in OpenAI's dialect."""
Json = dict[str, Any]

WORDS: Final = ("The ", "answer ", "is ", "forty", "-two.")
TEXT: Final = "".join(WORDS)
INPUT: Final = 11
OUTPUT: Final = 7
MODEL: Final = "matrix-model"
_ID: Final = "answer-1"

USAGE: Final[dict[Kind, Json]] = {
    "chat": {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT},
    "responses": {"input_tokens": INPUT, "output_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT},
    "messages": {"input_tokens": INPUT, "output_tokens": OUTPUT},
    "gemini": {
        "promptTokenCount": INPUT,
        "candidatesTokenCount": OUTPUT,
        "totalTokenCount": INPUT + OUTPUT,
    },
}


class Good(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. The events of the stream up to `begun` say something; those from `ending` on, that it is over."""

    document: Json
    events: tuple[bytes, ...]
    begun: int
    ending: int

    @property
    def body(self) -> bytes:
        return encoded(self.document)


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def event(value: Any, name: str = "") -> bytes:
    """One server-sent event."""
    line = f"event: {name}\n".encode() if name else b""
    return line + b"data: " + (value if isinstance(value, bytes) else encoded(value)) + b"\n\n"


def good(kind: Kind, *, usage: Any = None) -> Good:
    """The answer of an upstream that speaks `kind`; `usage` in place of its own, in every place where it stands."""
    said = USAGE[kind] if usage is None else usage
    return {"chat": _chat, "responses": _responses, "messages": _messages, "gemini": _gemini}[kind](said)


def _chat(usage: Any) -> Good:
    base: Json = {"id": _ID, "created": 1_700_000_000, "model": MODEL}

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event({**base, "object": "chat.completion.chunk", "choices": [choice]})

    told = event({**base, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return Good(
        document={**base, "object": "chat.completion", "choices": [choice], "usage": usage},
        events=(
            chunk({"role": "assistant", "content": ""}),
            *(chunk({"content": word}) for word in WORDS),
            chunk({}, "stop"),
            told,
            event(b"[DONE]"),
        ),
        begun=3,
        ending=6,
    )


def _messages(usage: Any) -> Good:
    start: Json = {"id": _ID, "type": "message", "role": "assistant", "model": MODEL}
    open_ = {**start, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}

    def named(name: str, **members: Any) -> bytes:
        return event({"type": name, **members}, name)

    return Good(
        document={**start, **stop, "content": [{"type": "text", "text": TEXT}], "usage": usage},
        events=(
            named("message_start", message=open_),
            named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
            *(
                named("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
                for word in WORDS
            ),
            named("content_block_stop", index=0),
            named("message_delta", delta=stop, usage=usage),
            named("message_stop"),
        ),
        begun=4,
        ending=7,
    )


def _gemini(usage: Any) -> Good:
    def part(text: str, **members: Any) -> Json:
        candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **members}
        return {"candidates": [candidate], "modelVersion": MODEL, "responseId": _ID}

    last = {**part(WORDS[-1], finishReason="STOP"), "usageMetadata": usage}
    return Good(
        document={**part(TEXT, finishReason="STOP"), "usageMetadata": usage},
        events=(*(event(part(word)) for word in WORDS[:-1]), event(last)),
        begun=2,
        ending=4,
    )


def _responses(usage: Any) -> Good:
    item: Json = {"type": "message", "id": "msg-1", "role": "assistant"}
    part: Json = {"type": "output_text", "annotations": []}
    place: Json = {"item_id": "msg-1", "output_index": 0, "content_index": 0}
    full = {**item, "status": "completed", "content": [{**part, "text": TEXT}]}
    base: Json = {"id": _ID, "object": "response", "created_at": 1_700_000_000, "model": MODEL}
    base |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    open_ = {**base, "status": "in_progress", "output": []}
    done = {**base, "status": "completed", "output": [full], "usage": usage}
    steps: list[Json] = [
        {"type": "response.created", "response": open_},
        {"type": "response.in_progress", "response": open_},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": word} for word in WORDS),
        {"type": "response.output_text.done", **place, "text": TEXT},
        {"type": "response.content_part.done", **place, "part": {**part, "text": TEXT}},
        {"type": "response.output_item.done", "output_index": 0, "item": full},
        {"type": "response.completed", "response": done},
    ]
    return Good(
        document=done,
        events=tuple(event({**one, "sequence_number": n}, one["type"]) for n, one in enumerate(steps)),
        begun=6,
        ending=len(steps) - 1,
    )
