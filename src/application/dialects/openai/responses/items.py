"""Output items of a response, from a chat message or built up piece by piece."""

from typing import Literal

from application.dialects.openai.document import Json, object_in, objects_in, text_in
from application.dialects.openai.responses.shape import item_id

Status = Literal["in_progress", "completed", "incomplete"]


def reasoning_item(name: str, text: str) -> Json:
    """Thoughts that may be shown, as providers of chat completions give them: a summary."""
    return {
        "id": name,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}] if text else [],
    }


def message_item(name: str, parts: list[Json], *, status: Status) -> Json:
    return {"id": name, "type": "message", "role": "assistant", "status": status, "content": parts}


def text_part(text: str, logprobs: list[Json] | None = None) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs or []}


def refusal_part(text: str) -> Json:
    return {"type": "refusal", "refusal": text}


def call_item(name: str, call: Json, arguments: str, *, status: Status) -> Json:
    """A call; `call` is that of a chat answer, which says its id, kind and name."""
    if call.get("type") == "custom":
        inner = object_in(call, "custom")
        item = {"type": "custom_tool_call", "input": arguments}
    else:
        inner = object_in(call, "function")
        item = {"type": "function_call", "arguments": arguments, "status": status}
    return {"id": name, **item, "call_id": text_in(call, "id") or name, "name": text_in(inner, "name")}


def call_arguments(call: Json) -> str:
    if call.get("type") == "custom" or ("custom" in call and "function" not in call):
        return text_in(object_in(call, "custom"), "input")
    return text_in(object_in(call, "function"), "arguments")


def call_prefix(call: Json) -> str:
    return "ctc" if call.get("type") == "custom" else "fc"


def output_of(message: Json, chat_id: object, *, status: Status, logprobs: list[Json]) -> list[Json]:
    """The items of a whole message: what was thought, said and called, in this order."""
    items: list[Json] = []
    thought = text_in(message, "reasoning_content")
    if thought:
        items.append(reasoning_item(item_id("rs", chat_id, 0), thought))
    text, refusal = text_in(message, "content"), text_in(message, "refusal")
    calls = objects_in(message, "tool_calls")
    parts = [text_part(text, logprobs)] if text else []
    parts += [refusal_part(refusal)] if refusal else []
    if parts or not calls:
        items.append(
            message_item(item_id("msg", chat_id, len(items)), parts or [text_part("")], status=status)
        )
    for call in calls:
        name = item_id(call_prefix(call), chat_id, len(items))
        items.append(call_item(name, call, call_arguments(call), status=status))
    return items


def logprobs_of(choice: Json) -> list[Json]:
    """Log probabilities of the text, in the shape of a response; what strict clients could not read is left out."""
    found: list[Json] = []
    for one in objects_in(object_in(choice, "logprobs"), "content"):
        top = [_logprob(other) for other in objects_in(one, "top_logprobs")]
        found.append({**_logprob(one), "top_logprobs": top})
    return found


def _logprob(one: Json) -> Json:
    token, value = text_in(one, "token"), one.get("logprob")
    spelled = one.get("bytes")
    return {
        "token": token,
        "logprob": value if type(value) in (int, float) else 0.0,
        "bytes": [byte for byte in spelled if type(byte) is int] if isinstance(spelled, list) else [],
    }
