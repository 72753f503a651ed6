"""The Response object around an answer: every member that strict clients require, told from the request."""

from typing import Any, Final

from application.dialects.openai.document import Json, objects_in

_KEYS: Final[dict[str, tuple[type, ...]]] = {
    "instructions": (str,),
    "max_output_tokens": (int,),
    "max_tool_calls": (int,),
    "prompt_cache_key": (str,),
    "safety_identifier": (str,),
    "temperature": (int, float),
    "top_logprobs": (int,),
    "top_p": (int, float),
    "user": (str,),
}
"""Nullable members that say again what was asked, if it was of the right type."""
_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SUMMARIES: Final = ("auto", "concise", "detailed")
_TRUNCATIONS: Final = ("auto", "disabled")
_VERBOSITIES: Final = ("low", "medium", "high")
_CHOICES: Final = ("none", "auto", "required")
_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response_id(chat_id: object) -> str:
    """Ids follow from the upstream's own, so that an answer can be made twice and be the same."""
    return f"resp_{_suffix(chat_id)}"


def item_id(prefix: str, chat_id: object, index: int) -> str:
    return f"{prefix}_{_suffix(chat_id)}_{index}"


def _suffix(chat_id: object) -> str:
    text = chat_id if isinstance(chat_id, str) else ""
    return "".join(character for character in text if character.isascii() and character.isalnum()) or "0"


def response_object(
    request: Json, chat: Json, *, status: str, output: list[Json], reason: str | None, usage: Json | None
) -> Json:
    """The object. `chat` is the completion or a chunk of it; `reason` its finish reason, once there is one."""
    response: Json = {
        "id": response_id(chat.get("id")),
        "object": "response",
        "created_at": chat.get("created") if type(chat.get("created")) is int else 0,
        "status": status,
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": {"reason": _INCOMPLETE[reason]} if reason in _INCOMPLETE else None,
        "model": chat.get("model") if isinstance(chat.get("model"), str) else "",
        "output": output,
        "previous_response_id": None,
        "store": False,
        "usage": usage,
    }
    if isinstance(chat.get("service_tier"), str):
        response["service_tier"] = chat["service_tier"]
    return response | _told_again(request)


def final_status(reason: str | None) -> str:
    return "incomplete" if reason in _INCOMPLETE else "completed"


def _told_again(request: Json) -> Json:
    told: Json = {name: _typed(request.get(name), types) for name, types in _KEYS.items()}
    parallel = request.get("parallel_tool_calls")
    truncation = request.get("truncation")
    metadata = request.get("metadata")
    told["parallel_tool_calls"] = parallel if isinstance(parallel, bool) else True
    told["truncation"] = truncation if truncation in _TRUNCATIONS else "disabled"
    told["metadata"] = (
        {key: value for key, value in metadata.items() if isinstance(value, str)}
        if isinstance(metadata, dict)
        else {}
    )
    told["tools"] = [
        _tool(tool) for tool in objects_in(request, "tools") if isinstance(tool.get("name"), str)
    ]
    told["tool_choice"] = _choice(request.get("tool_choice"))
    told["reasoning"] = _among(request.get("reasoning"), effort=_EFFORTS, summary=_SUMMARIES)
    told["text"] = _text(request.get("text"))
    return told


def _typed(value: Any, types: tuple[type, ...]) -> Any:
    return value if type(value) in types else None


def _among(value: Any, **known: tuple[str, ...]) -> Json:
    """Members of an object that have a known value, else null."""
    members = value if isinstance(value, dict) else {}
    return {
        name: members.get(name) if members.get(name) in values else None for name, values in known.items()
    }


def _tool(tool: Json) -> Json:
    kind = "custom" if tool.get("type") == "custom" else "function"
    told: Json = {"type": kind, "name": tool["name"]}
    if isinstance(tool.get("description"), str):
        told["description"] = tool["description"]
    if kind == "function":
        parameters, strict = tool.get("parameters"), tool.get("strict")
        told["parameters"] = parameters if isinstance(parameters, dict) else None
        told["strict"] = strict if isinstance(strict, bool) else None
    elif isinstance(tool.get("format"), dict):
        told["format"] = tool["format"]
    return told


def _choice(choice: Any) -> Any:
    if isinstance(choice, dict):
        kind = choice.get("type")
        if kind in ("function", "custom") and isinstance(choice.get("name"), str):
            return {"type": kind, "name": choice["name"]}
        if kind == "allowed_tools":
            mode = "required" if choice.get("mode") == "required" else "auto"
            return {"type": kind, "mode": mode, "tools": objects_in(choice, "tools")}
    return choice if choice in _CHOICES else "auto"


def _text(text: Any) -> Json:
    members = text if isinstance(text, dict) else {}
    wanted = members.get("format")
    told: Json = {"format": {"type": "text"}}
    if isinstance(wanted, dict) and wanted.get("type") == "json_object":
        told["format"] = {"type": "json_object"}
    elif isinstance(wanted, dict) and wanted.get("type") == "json_schema":
        told["format"] = {
            "type": "json_schema",
            "name": wanted["name"] if isinstance(wanted.get("name"), str) else "",
            "schema": wanted["schema"] if isinstance(wanted.get("schema"), dict) else {},
            "strict": wanted["strict"] if isinstance(wanted.get("strict"), bool) else None,
            "description": wanted["description"] if isinstance(wanted.get("description"), str) else None,
        }
    if members.get("verbosity") in _VERBOSITIES:
        told["verbosity"] = members["verbosity"]
    return told
