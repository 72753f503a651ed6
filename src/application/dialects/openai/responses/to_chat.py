"""Translates a responses request into the chat request that asks for the same.

What has no equal in chat completions and changes the answer is refused; what only steers the endpoint itself goes:
`store`, `truncation`, `include`, `reasoning.summary`, `max_tool_calls`, `stream_options`.
"""

from typing import Any, Final

from application.dialects.openai import fields
from application.dialects.openai.document import Json
from application.dialects.openai.responses.refused import refuse_stateful
from application.dialects.openai.responses.to_messages import messages_of
from application.wire.errors import InvalidRequest
from application.wire.head import OUTPUT_TOKENS_MAX

SAME: Final = (
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "user",
    "metadata",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
)
_CHOICES: Final = ("auto", "none", "required")
LOGPROBS: Final = "message.output_text.logprobs"


def chat_of(request: Json) -> Json:
    """The chat request; see `Surface.chat_of` of the port."""
    refuse_stateful(request)
    chat: Json = {"model": fields.model(request), "messages": messages_of(request)}
    if fields.flag(request, "stream"):
        chat["stream"] = True
    most = fields.count(request, "max_output_tokens", most=OUTPUT_TOKENS_MAX)
    if most is not None:
        chat["max_completion_tokens"] = most
    for name in SAME:
        if request.get(name) is not None:
            chat[name] = request[name]
    fields.user(request)
    fields.tags(request)
    effort = fields.optional_object(request, "reasoning").get("effort")
    if effort is not None:
        chat["reasoning_effort"] = effort
    _format(fields.optional_object(request, "text"), chat)
    _tools(request, chat)
    _logprobs(request, chat)
    return chat


def _format(text: Json, chat: Json) -> None:
    if text.get("verbosity") is not None:
        chat["verbosity"] = text["verbosity"]
    wanted = fields.optional_object(text, "format")
    kind = wanted.get("type", "text")
    if kind == "json_object":
        chat["response_format"] = {"type": "json_object"}
    elif kind == "json_schema":
        chat["response_format"] = {
            "type": "json_schema",
            "json_schema": {
                name: wanted[name]
                for name in ("name", "description", "schema", "strict")
                if wanted.get(name) is not None
            },
        }
    elif kind != "text":
        raise fields.unsupported("text.format.type", "is not served for this model")


def _tools(request: Json, chat: Json) -> None:
    tools = [_tool(tool, f"tools[{index}]") for index, tool in enumerate(fields.objects(request, "tools"))]
    if tools:
        chat["tools"] = tools
    choice = request.get("tool_choice")
    if choice is not None:
        chat["tool_choice"] = _choice(choice)


def _tool(tool: Json, name: str) -> Json:
    kind = tool.get("type")
    if kind == "function":
        members: tuple[str, ...] = ("description", "parameters", "strict")
    elif kind == "custom":
        members = ("description", "format")
    else:
        raise fields.unsupported(f"{name}.type", "is a tool that this model's provider does not run")
    if type(tool.get("name")) is not str:
        raise fields.missing(f"{name}.name")
    inner = {"name": tool["name"], **{each: tool[each] for each in members if tool.get(each) is not None}}
    if kind == "custom" and isinstance(inner.get("format"), dict):
        inner["format"] = _grammar(inner["format"])
    return {"type": kind, kind: inner}


def _grammar(wanted: Json) -> Json:
    """A grammar is one level deeper in chat completions."""
    if wanted.get("type") != "grammar":
        return wanted
    return {
        "type": "grammar",
        "grammar": {name: wanted[name] for name in ("definition", "syntax") if name in wanted},
    }


def _choice(choice: Any) -> Any:
    if isinstance(choice, str):
        if choice not in _CHOICES:
            raise InvalidRequest("invalid_value", "tool_choice", "'tool_choice' is not a known choice.")
        return choice
    if not isinstance(choice, dict):
        raise fields.wrong_type("tool_choice", "a string or an object", choice)
    kind = choice.get("type")
    if kind in ("function", "custom"):
        if type(choice.get("name")) is not str:
            raise fields.missing("tool_choice.name")
        return {"type": kind, kind: {"name": choice["name"]}}
    if kind == "allowed_tools":
        allowed = [_choice(tool) for tool in fields.objects(choice, "tools")]
        return {"type": kind, kind: {"mode": choice.get("mode", "auto"), "tools": allowed}}
    raise fields.unsupported("tool_choice.type", "names a tool that this model's provider does not run")


def _logprobs(request: Json, chat: Json) -> None:
    include = request.get("include")
    wanted = isinstance(include, list) and LOGPROBS in include
    top = fields.count(request, "top_logprobs", least=0, most=20)
    if wanted or top:
        chat["logprobs"] = True
    if top:
        chat["top_logprobs"] = top
