"""Tools of a chat request, and the choice among them, as responses name them: one level flatter."""

from typing import Any, Final

from application.dialects.openai import fields
from application.dialects.openai.document import Json, object_in

_MEMBERS: Final = {"function": ("description", "parameters", "strict"), "custom": ("description", "format")}


def tools_of(chat: Json) -> list[Json]:
    """Raises: InvalidRequest: a tool is malformed, or of a kind that responses do not have."""
    return [_tool(tool, f"tools[{index}]") for index, tool in enumerate(fields.objects(chat, "tools"))]


def choice_of(choice: Any) -> Any:
    """Raises: InvalidRequest: it is malformed, or of a kind that responses do not have."""
    if isinstance(choice, str):
        return choice
    if not isinstance(choice, dict):
        raise fields.wrong_type("tool_choice", "a string or an object", choice)
    kind = choice.get("type")
    if kind in _MEMBERS:
        return {"type": kind, "name": _name(choice, kind, "tool_choice")}
    if kind == "allowed_tools":
        allowed = fields.optional_object(choice, kind)
        tools = [choice_of(tool) for tool in fields.objects(allowed, "tools")]
        return {"type": kind, "mode": allowed.get("mode", "auto"), "tools": tools}
    raise fields.unsupported("tool_choice.type", "is a choice that this model's provider does not know")


def _tool(tool: Json, param: str) -> Json:
    kind = tool.get("type", "function")
    if kind not in _MEMBERS:
        raise fields.unsupported(f"{param}.type", "is a tool that this model's provider does not know")
    inner = object_in(tool, kind)
    flat: Json = {"type": kind, "name": _name(tool, kind, param)}
    flat |= {name: inner[name] for name in _MEMBERS[kind] if inner.get(name) is not None}
    if kind == "function":
        return {"parameters": {"type": "object", "properties": {}}, "strict": False, **flat}
    if isinstance(flat.get("format"), dict):
        flat["format"] = _format(flat["format"])
    return flat


def _format(wanted: Json) -> Json:
    if wanted.get("type") != "grammar":
        return wanted
    return {"type": "grammar", **object_in(wanted, "grammar")}


def _name(holder: Json, kind: str, param: str) -> str:
    name = object_in(holder, kind).get("name")
    if type(name) is not str:
        raise fields.missing(f"{param}.{kind}.name")
    return name
