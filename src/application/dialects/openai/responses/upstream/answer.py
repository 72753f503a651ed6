"""A whole response as a chat completion."""

from application.dialects.openai.chat import canonical
from application.dialects.openai.document import Json, objects_in, parsed, text_in
from application.dialects.openai.responses.answer import read_response
from application.dialects.openai.responses.upstream import items
from application.dialects.openai.usage import chat_usage, figures, reading_of
from application.dialects.port import Read
from application.wire.spoken import SpokenText


def read_completion(body: bytes, *, alias: str, created_s: int, spoken: SpokenText) -> Read:
    """Read the whole body of a 200. Never raises."""
    answer = read_response(body)
    response = None if answer.fault else parsed(answer.body)
    if response is None:
        return Read(
            completion=None, usage_raw=answer.usage_raw, spoken=spoken, fault=answer.fault or "garbage"
        )
    completion = around(response, alias=alias, created_s=created_s) | {
        "object": "chat.completion",
        "choices": [_choice(response)],
    }
    usage = told_usage(answer.usage_raw)
    if usage is not None:
        completion["usage"] = usage
    return Read(completion=completion, usage_raw=answer.usage_raw, spoken=spoken)


def around(response: Json, *, alias: str, created_s: int) -> Json:
    """What a completion and its chunks say around their choices."""
    said_s = response.get("created_at")
    if isinstance(said_s, int | float) and 0 < said_s < 2**53:
        created_s = int(said_s)
    name = text_in(response, "id") or f"chatcmpl-{created_s}"
    return {"id": name, "created": created_s, "model": alias, **canonical.extras(response)}


def told_usage(raw: bytes | None) -> Json | None:
    """The usage object of a completion; none if one of its sides is missing, since a zero would be taken for a figure."""
    reading = reading_of(raw)
    if reading is None:
        return None
    found = figures(reading)
    return None if reading.incomplete else chat_usage(found)


def _choice(response: Json) -> Json:
    output = objects_in(response, "output")
    messages = [item for item in output if item.get("type") == "message"]
    calls = [
        items.call_of(item, text=items.call_text(item))
        for item in output
        if text_in(item, "type") in items.CALLS
    ]
    text = "".join(items.said_in(item, "text") for item in messages)
    refusal = "".join(items.said_in(item, "refusal") for item in messages)
    parts = [part for item in messages for part in objects_in(item, "content")]
    message: Json = {"role": "assistant", "content": text, "refusal": refusal or None}
    if not text and (calls or refusal):
        message["content"] = None
    thought = "".join(items.thought_in(item) for item in output if item.get("type") == "reasoning")
    if thought:
        message["reasoning_content"] = thought
    citations = [citation for part in parts for citation in items.citations_in(part)]
    if citations:
        message["annotations"] = citations
    if calls:
        message["tool_calls"] = calls
    listed = [one for part in parts for one in objects_in(part, "logprobs")]
    return {
        "index": 0,
        "message": message,
        "finish_reason": items.reason_of(response, calls=bool(calls)),
        "logprobs": items.logprobs_of(listed),
    }
