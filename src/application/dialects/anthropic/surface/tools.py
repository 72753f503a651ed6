"""Tools and their choice as chat completions have them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from application.dialects.anthropic.surface.members import (
    flag,
    numbered,
    objects,
    optional_object,
    optional_text,
    text,
    unsupported,
)
from application.dialects.port import Json

_CHOICES: Final[Mapping[str, str]] = MappingProxyType({"auto": "auto", "none": "none", "any": "required"})
_NO_INPUT: Final = {"type": "object", "properties": {}}
_SEARCH: Final = "tool_search_tool_"
"""A search among the request's own tools. Here the model is shown all of them, and has nothing to search for."""


def tools_of(request: Json) -> Json:
    """The members `tools`, `tool_choice` and `parallel_tool_calls`, those that are needed.

    Raises:
        InvalidRequest: one is malformed, or is a tool that the provider would run or has the schema of.
    """
    listed = numbered(objects(request.get("tools"), "tools"), "tools")
    tools = [_tool(tool, param) for param, tool in listed if not _is_search(tool.get("type"))]
    choice = optional_object(request.get("tool_choice"), "tool_choice")
    if not tools:
        return {}  # a choice without tools is refused
    chosen: Json = {"tools": tools}
    if choice:
        chosen["tool_choice"] = _choice(choice)
        parallel = "tool_choice.disable_parallel_tool_use"
        if flag(choice.get("disable_parallel_tool_use"), parallel) and choice.get("type") != "none":
            chosen["parallel_tool_calls"] = False
    return chosen


def _is_search(kind: Any) -> bool:
    return type(kind) is str and kind.startswith(_SEARCH)


def _tool(tool: Json, param: str) -> Json:
    if tool.get("type") not in (None, "custom"):
        raise unsupported(f"{param}.type", "a tool of another provider")
    function: Json = {"name": text(tool.get("name"), f"{param}.name")}
    description = optional_text(tool.get("description"), f"{param}.description")
    if description:
        function["description"] = description
    schema = optional_object(tool.get("input_schema"), f"{param}.input_schema")
    function["parameters"] = schema or dict(_NO_INPUT)
    if tool.get("strict") is not None:
        function["strict"] = flag(tool["strict"], f"{param}.strict")
    return {"type": "function", "function": function}


def _choice(choice: Json) -> str | Json:
    kind = text(choice.get("type"), "tool_choice.type")
    if kind == "tool":
        return {"type": "function", "function": {"name": text(choice.get("name"), "tool_choice.name")}}
    if kind not in _CHOICES:
        raise unsupported("tool_choice.type", "this choice of tools")
    return _CHOICES[kind]
