"""What an answer says, in whatever dialect: text, thoughts, calls and why it ended.

One form for both sides of a translation, read from what was recorded and from what a client got; written from the
dialects' rules and not from the code that translates. Of several choices the first counts.
"""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from tests.conformance.recordings import Json, Kind

STOPS = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "max_output_tokens": "length",
    "MAX_TOKENS": "length",
    "2": "length",
    "refusal": "content_filter",
    "SAFETY": "content_filter",
    "length": "length",
    "content_filter": "content_filter",
}
"""Every other reason is an end of its own accord: `tool_calls` where something is called, otherwise `stop`."""


class Said(msgspec.Struct, kw_only=True):
    text: str = ""
    thoughts: str = ""
    calls: list[tuple[str, Any]] = []
    finish: str = "stop"
    refused: bool = False  #: in a member of its own; its text counts as text


def said(kind: Kind, documents: Sequence[Json], *, stream: bool) -> Said:
    """Read an answer, or the events of a stream."""
    match kind:
        case "chat":
            return _chat(_chat_joined(documents) if stream else documents[0])
        case "messages":
            return _message(_message_joined(documents) if stream else documents[0])
        case "responses":
            return _response(documents[-1]["response"] if stream else documents[0])
        case "completions":
            return Said(text="".join(choice["text"] for one in documents for choice in one["choices"]))
        case "gemini":
            return _gemini(documents)


def _ended(found: Said, reason: Any) -> Said:
    found.finish = STOPS.get(str(reason), "tool_calls" if found.calls else "stop")
    return found


def value_of(arguments: Any) -> Any:
    """A call's arguments as a value; text that is no JSON stays text."""
    if not isinstance(arguments, str):
        return arguments["INVALID_JSON"] if arguments.keys() == {"INVALID_JSON"} else arguments
    try:
        return json.loads(arguments) if arguments.strip() else {}
    except ValueError:
        return arguments


# --- chat completions


def first_choice(completion: Json) -> Json:
    """Empty where there is none."""
    choices: list[Json] = completion["choices"]
    return choices[0] if choices else {}


def _chat(completion: Json) -> Said:
    choice = first_choice(completion)
    message = choice.get("message") or {}
    found = Said(thoughts=message.get("reasoning_content") or message.get("reasoning") or "", calls=[])
    content = message.get("content") or ""
    parts: list[Json] = content if isinstance(content, list) else [{"type": "text", "text": content}]
    for part in parts:
        if part["type"] == "thinking":
            found.thoughts += "".join(inner["text"] for inner in part["thinking"])
        else:
            found.text += part["text"]
    found.refused = bool(message.get("refusal"))
    found.text += message.get("refusal") or ""
    functions = [call.get("function") or call.get("custom") for call in message.get("tool_calls") or []]
    functions += [message["function_call"]] if message.get("function_call") else []
    found.calls = [(one["name"], value_of(one.get("arguments", one.get("input", "")))) for one in functions]
    return _ended(found, choice.get("finish_reason"))


def _chat_joined(chunks: Iterable[Json]) -> Json:
    message: Json = {"content": [], "reasoning": "", "refusal": ""}
    calls: dict[Any, Json] = {}
    last = finish = None
    for choice in (one for chunk in chunks for one in chunk["choices"] if one.get("index", 0) == 0):
        delta = choice.get("delta") or {}
        finish = choice.get("finish_reason") or finish
        content = delta.get("content") or ""
        message["content"] += content if isinstance(content, list) else [{"type": "text", "text": content}]
        message["reasoning"] += delta.get("reasoning_content") or delta.get("reasoning") or ""
        message["refusal"] += delta.get("refusal") or ""
        for call in delta.get("tool_calls") or []:
            # Some send no index: then an id begins a call.
            last = call.get("index", call.get("id") or last)
            known = calls.setdefault(last, {"name": "", "arguments": ""})
            function = call.get("function") or {}
            known["name"] = known["name"] or function.get("name")
            known["arguments"] += function.get("arguments") or ""
    message["tool_calls"] = [{"function": function} for function in calls.values()]
    return {"choices": [{"message": message, "finish_reason": finish}]}


# --- Anthropic's messages


def _message(message: Json) -> Said:
    content = message["content"]
    found = Said(
        text="".join(block["text"] for block in content if block["type"] == "text"),
        thoughts="".join(block["thinking"] for block in content if block["type"] == "thinking"),
        calls=[(block["name"], value_of(block["input"])) for block in content if block["type"] == "tool_use"],
    )
    return _ended(found, message["stop_reason"])


def _message_joined(events: Iterable[Json]) -> Json:
    blocks: dict[int, Json] = {}
    stop = None
    for event in events:
        match event["type"]:
            case "content_block_start":
                blocks[event["index"]] = {"partial_json": ""} | event["content_block"]
            case "content_block_delta":
                block = blocks[event["index"]]
                for name in {"text", "thinking", "partial_json"} & event["delta"].keys():
                    block[name] = (block.get(name) or "") + event["delta"][name]
            case "message_delta":
                stop = event["delta"]["stop_reason"]
    for block in blocks.values():
        if block["partial_json"]:
            block["input"] = json.loads(block["partial_json"])
    return {"content": list(blocks.values()), "stop_reason": stop}


# --- responses


def _response(response: Json) -> Said:
    found = Said(calls=[])
    for item in response["output"]:
        match item["type"]:
            case "message":
                found.text += "".join(
                    part.get("text") or part.get("refusal") or "" for part in item["content"]
                )
            case "reasoning":
                parts = item.get("content") or item["summary"]
                found.thoughts += "\n\n".join(part["text"] for part in parts)
            case "function_call" | "custom_tool_call":
                found.calls.append((item["name"], value_of(item.get("arguments", item.get("input", "")))))
    cut = "max_output_tokens" if response.get("status") == "incomplete" else None
    return _ended(found, (response.get("incomplete_details") or {}).get("reason") or cut)


# --- Gemini


def _gemini(responses: Sequence[Json]) -> Said:
    found = Said(calls=[])
    reason: Any = None
    for response in responses:
        if "blockReason" in response.get("promptFeedback", {}):
            reason = "SAFETY"
        for candidate in response.get("candidates", [])[:1]:
            reason = candidate.get("finishReason", reason)
            for part in candidate.get("content", {}).get("parts", []):
                _add_part(found, part)
    return _ended(found, reason)


def _add_part(found: Said, part: Json) -> None:
    call = part.get("functionCall")
    if call is not None:
        if "name" in call:
            found.calls.append((call["name"], call.get("args", {})))
        for piece in call.get("partialArgs", []):
            _add_argument(found.calls[-1][1], piece)
    elif part.get("thought"):
        found.thoughts += part["text"]
    else:
        found.text += part.get("text", "")


def _add_argument(arguments: Json, piece: Json) -> None:
    """One piece of a call's arguments, such as `{"jsonPath": "$.a[0]", "stringValue": "x"}`."""
    path = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", piece["jsonPath"][1:])]
    holder: Any = arguments
    for step, following in pairwise(path):
        made: Any = [] if isinstance(following, int) else {}
        if isinstance(holder, list) and step == len(holder):
            holder.append(made)
        holder = holder[step] if isinstance(holder, list) else holder.setdefault(step, made)
    last = path[-1]
    if isinstance(holder, list):
        holder.extend([""] * (last == len(holder)))
        holder[last] += piece["stringValue"]
    elif "numberValue" in piece:
        holder[last] = piece["numberValue"]
    else:
        holder[last] = holder.get(last, "") + piece["stringValue"]
