"""How Anthropic's messages say it."""

import json
from collections.abc import Iterator
from typing import Any

from tests.clients.scene import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Answer, Asked, Image, Json

USAGE: Json = {
    "input_tokens": INPUT_TOKENS - CACHED_TOKENS,
    "cache_read_input_tokens": CACHED_TOKENS,
    "cache_creation_input_tokens": 0,
    "output_tokens": OUTPUT_TOKENS,
}


def read(body: Json) -> Asked:
    turns = [_blocks(turn["content"]) for turn in body["messages"] if turn["role"] == "user"]
    blocks = [block for turn in turns for block in turn]
    config = body.get("output_config") or {}
    results = [block for block in turns[-1] if block["type"] == "tool_result"]
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        text=next((block["text"] for block in reversed(blocks) if block["type"] == "text"), ""),
        images=tuple(
            Image(block["source"]["media_type"], block["source"]["data"])
            for block in blocks
            if block["type"] == "image"
        ),
        tools=tuple((tool["name"], tool["input_schema"]) for tool in body.get("tools", [])),
        results=tuple(_text(block.get("content", "")) for block in results),
        schema=(config.get("format") or {}).get("schema"),
    )


def _blocks(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(content: Any) -> str:
    return "".join(block["text"] for block in _blocks(content))


def message(asked: Asked, answer: Answer) -> Json:
    calls = [
        {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": given}
        for place, (name, given) in enumerate(answer.calls)
    ]
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": calls or [{"type": "text", "text": answer.text}],
        "stop_reason": "tool_use" if calls else "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
    }


def events(asked: Asked, answer: Answer) -> Iterator[Json]:
    whole = message(asked, answer)
    usage = USAGE | {"output_tokens": 1}
    yield {
        "type": "message_start",
        "message": whole | {"content": [], "stop_reason": None, "usage": usage},
    }
    yield {"type": "ping"}
    for place, block in enumerate(whole["content"]):
        at = {"index": place}
        empty: Json = {"text": ""} if block["type"] == "text" else {"input": {}}
        yield {"type": "content_block_start", "content_block": block | empty} | at
        for delta in _deltas(block, answer):
            yield {"type": "content_block_delta", "delta": delta} | at
        yield {"type": "content_block_stop"} | at
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": OUTPUT_TOKENS}}
    yield {"type": "message_stop"}


def _deltas(block: Json, answer: Answer) -> Iterator[Json]:
    if block["type"] == "text":
        for piece in answer.pieces:
            yield {"type": "text_delta", "text": piece}
    else:
        given = json.dumps(block["input"])
        for part in ("", given[:5], given[5:]):
            yield {"type": "input_json_delta", "partial_json": part}


def refusal(status: int) -> Json:
    kinds = {404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
    kind = kinds.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": f"Scripted {status}."}}
