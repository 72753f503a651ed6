"""How OpenAI's chat completions and responses say it."""

import json
from collections.abc import Iterator
from typing import Any

from tests.clients.scene import (
    CACHED_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Answer,
    Asked,
    Image,
    Json,
)

CHAT_USAGE: Json = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
}
RESPONSE_USAGE: Json = {
    "input_tokens": INPUT_TOKENS,
    "input_tokens_details": {"cached_tokens": CACHED_TOKENS},
    "output_tokens": OUTPUT_TOKENS,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


def read_chat(body: Json) -> Asked:
    messages = body["messages"]
    parts = [part for one in messages if one["role"] == "user" for part in _parts(one["content"])]
    after = _after_last_user(messages)
    wanted = body.get("response_format") or {}
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        text=next((part["text"] for part in reversed(parts) if part["type"] == "text"), ""),
        images=tuple(Image.of_url(part["image_url"]["url"]) for part in parts if part["type"] == "image_url"),
        tools=tuple(
            (tool["function"]["name"], tool["function"].get("parameters", {}))
            for tool in body.get("tools", [])
        ),
        results=tuple(_text(one["content"]) for one in after if one["role"] == "tool"),
        schema=wanted.get("json_schema", {}).get("schema"),
    )


def _after_last_user(messages: list[Json]) -> list[Json]:
    last = max((place for place, one in enumerate(messages) if one.get("role") == "user"), default=0)
    return messages[last + 1 :]


def _parts(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(content: Any) -> str:
    return "".join(part["text"] for part in _parts(content))


def chat(asked: Asked, answer: Answer) -> Json:
    message: Json = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.calls:
        message["tool_calls"] = _calls(answer)
    finish = "tool_calls" if answer.calls else "stop"
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return _chat_head(asked, "chat.completion") | {"choices": [choice], "usage": CHAT_USAGE}


def _chat_head(asked: Asked, kind: str) -> Json:
    return {"id": "chatcmpl-scripted", "object": kind, "created": 1_767_225_600, "model": asked.model}


def _calls(answer: Answer) -> list[Json]:
    return [
        {
            "id": f"call_{place}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(given)},
        }
        for place, (name, given) in enumerate(answer.calls)
    ]


def chat_events(asked: Asked, answer: Answer) -> Iterator[Json | str]:
    head = _chat_head(asked, "chat.completion.chunk")

    def chunk(delta: Json, finish: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return head | {"choices": [choice], "usage": None}

    yield chunk({"role": "assistant", "content": None if answer.calls else ""})
    for piece in answer.pieces:
        yield chunk({"content": piece})
    for place, call in enumerate(_calls(answer)):
        arguments = call["function"]["arguments"]
        opening = call | {"index": place, "function": call["function"] | {"arguments": ""}}
        yield chunk({"tool_calls": [opening]})
        for part in (arguments[:5], arguments[5:]):
            yield chunk({"tool_calls": [{"index": place, "function": {"arguments": part}}]})
    yield chunk({}, "tool_calls" if answer.calls else "stop")
    yield head | {"choices": [], "usage": CHAT_USAGE}
    yield "[DONE]"


def read_response(body: Json) -> Asked:
    items = body["input"]
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    parts = [part for one in items if one.get("role") == "user" for part in _input_parts(one["content"])]
    after = _after_last_user(items)
    wanted = (body.get("text") or {}).get("format") or {}
    return Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        text=next((part["text"] for part in reversed(parts) if part["type"] == "input_text"), ""),
        images=tuple(Image.of_url(part["image_url"]) for part in parts if part["type"] == "input_image"),
        tools=tuple((tool["name"], tool.get("parameters") or {}) for tool in body.get("tools", [])),
        results=tuple(str(one["output"]) for one in after if one.get("type") == "function_call_output"),
        schema=wanted.get("schema"),
    )


def _input_parts(content: Any) -> list[Json]:
    return [{"type": "input_text", "text": content}] if isinstance(content, str) else content


def response(asked: Asked, answer: Answer) -> Json:
    return _response(asked, _items(answer), status="completed")


def _response(asked: Asked, output: list[Json], *, status: str) -> Json:
    return {
        "id": "resp_scripted",
        "object": "response",
        "created_at": 1_767_225_600,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": asked.model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": RESPONSE_USAGE if status == "completed" else None,
    }


def _items(answer: Answer) -> list[Json]:
    if not answer.calls:
        part = {"type": "output_text", "text": answer.text, "annotations": []}
        return [
            {"id": "msg_0", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
        ]
    return [
        {
            "id": f"fc_{place}",
            "type": "function_call",
            "status": "completed",
            "call_id": f"call_{place}",
            "name": name,
            "arguments": json.dumps(given),
        }
        for place, (name, given) in enumerate(answer.calls)
    ]


def response_events(asked: Asked, answer: Answer) -> Iterator[Json]:
    """In the order that OpenAI sends them, numbered."""
    for number, event in enumerate(_response_events(asked, answer)):
        yield event | {"sequence_number": number}


def _response_events(asked: Asked, answer: Answer) -> Iterator[Json]:
    for kind in ("created", "in_progress"):
        yield {"type": f"response.{kind}", "response": _response(asked, [], status="in_progress")}
    for place, item in enumerate(_items(answer)):
        at: Json = {"item_id": item["id"], "output_index": place}
        if item["type"] == "message":
            yield from _message_events(item, at, answer)
        else:
            opened = item | {"arguments": "", "status": "in_progress"}
            yield {"type": "response.output_item.added", "output_index": place, "item": opened}
            for part in (item["arguments"][:5], item["arguments"][5:]):
                yield {"type": "response.function_call_arguments.delta", "delta": part} | at
            whole = {"name": item["name"], "arguments": item["arguments"]}
            yield {"type": "response.function_call_arguments.done"} | whole | at
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    yield {"type": "response.completed", "response": response(asked, answer)}


def _message_events(item: Json, at: Json, answer: Answer) -> Iterator[Json]:
    opened = item | {"content": [], "status": "in_progress"}
    yield {"type": "response.output_item.added", "output_index": at["output_index"], "item": opened}
    at = at | {"content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": []}
    yield {"type": "response.content_part.added", "part": empty} | at
    for piece in answer.pieces:
        yield {"type": "response.output_text.delta", "delta": piece, "logprobs": []} | at
    yield {"type": "response.output_text.done", "text": answer.text, "logprobs": []} | at
    yield {"type": "response.content_part.done", "part": item["content"][0]} | at


def refusal(status: int) -> Json:
    return {
        "error": {
            "message": f"Scripted {status}.",
            "type": "scripted",
            "param": None,
            "code": f"scripted_{status}",
        }
    }
