"""Tools and the choice among them: function declarations and `functionCallingConfig`."""

from typing import Any, Final

from application.dialects.gemini.checks import mapping, name, sequence, text, unsupported, wrong_value
from application.dialects.gemini.schema import Room, openapi_subset
from application.dialects.gemini.traits import SCHEMA_SUBSET
from application.dialects.port import Json, Target
from application.wire.errors import InvalidRequest

_MODES: Final = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


def declarations(chat: Json, target: Target) -> list[Json]:
    """The functions that the client offers.

    Raises:
        InvalidRequest: one is malformed, or no function: tools of providers have no equal here.
    """
    if chat.get("tools") is None:
        return []
    room = Room(chat["tools"])
    return [
        _declaration(tool, f"tools[{index}]", target, room)
        for index, tool in enumerate(sequence(chat["tools"], "tools"))
    ]


def _declaration(tool: Any, param: str, target: Target, room: Room) -> Json:
    if mapping(tool, param).get("type", "function") != "function":
        raise unsupported(f"{param}.type", "must be 'function' for this model")
    param = f"{param}.function"
    function = mapping(tool.get("function"), param)
    declared: Json = {"name": name(function.get("name"), f"{param}.name")}
    if function.get("description") is not None:
        declared["description"] = text(function["description"], f"{param}.description")
    if function.get("parameters") is not None:
        declared |= _parameters(
            mapping(function["parameters"], f"{param}.parameters"), f"{param}.parameters", target, room
        )
    return declared


def _parameters(schema: Json, param: str, target: Target, room: Room) -> Json:
    if SCHEMA_SUBSET not in target.traits:
        return {"parametersJsonSchema": plain_schema(schema)} if schema else {}
    written = openapi_subset(schema, param, room)
    # An object without properties is refused there; a function without parameters is not.
    return {"parameters": written} if written.get("properties") else {}


def plain_schema(schema: Json) -> Json:
    """JSON Schema as Gemini takes it: without the member that names its dialect, and OpenAI's `strict`."""
    return {key: value for key, value in schema.items() if key not in ("$schema", "strict")}


def calling_config(chat: Json, offered: list[Json]) -> Json | None:
    """`toolConfig` for the client's `tool_choice`; `None` to leave it to the model.

    Raises:
        InvalidRequest: it is malformed, or asks for a function that is not offered.
    """
    choice = chat.get("tool_choice")
    if choice is None:
        return None
    if type(choice) is str:
        mode = _MODES.get(choice)
        if mode is None:
            raise wrong_value("tool_choice", "must be 'none', 'auto', 'required' or an object")
        names: list[str] = []
    else:
        mode, names = _named(mapping(choice, "tool_choice"))
    if not offered and mode in ("AUTO", "NONE"):
        return None
    missing = set(names) - {function["name"] for function in offered}
    if missing or not offered:
        raise wrong_value("tool_choice", "asks for a function that is not among 'tools'")
    config: Json = {"mode": mode}
    if names:
        config["allowedFunctionNames"] = names
    return {"functionCallingConfig": config}


def _named(choice: Json) -> tuple[str, list[str]]:
    kind = choice.get("type", "function")
    if kind == "function":
        return "ANY", [_name_of(choice, "tool_choice")]
    if kind != "allowed_tools":
        raise InvalidRequest(
            "invalid_value", "tool_choice.type", "'tool_choice.type' must be 'function' or 'allowed_tools'."
        )
    param = "tool_choice.allowed_tools"
    allowed = mapping(choice.get("allowed_tools"), param)
    names = [
        _name_of(mapping(tool, f"{param}.tools[{index}]"), f"{param}.tools[{index}]")
        for index, tool in enumerate(sequence(allowed.get("tools"), f"{param}.tools"))
    ]
    mode = allowed.get("mode")
    if mode not in ("auto", "required") or not names:
        raise wrong_value(param, "must have a mode 'auto' or 'required' and at least one tool")
    # Only ANY and VALIDATED take names; VALIDATED leaves the model free to answer in words.
    return "ANY" if mode == "required" else "VALIDATED", names


def _name_of(holder: Json, param: str) -> str:
    return name(mapping(holder.get("function"), f"{param}.function").get("name"), f"{param}.function.name")
