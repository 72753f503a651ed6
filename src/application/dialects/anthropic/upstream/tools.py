"""Tools, the choice among them, and the form of the answer.

A model without structured output is given a tool that takes the answer, and made to call it; whoever reads the answer
knows the tool by its name (`ANSWER_TOOL`) and makes its input the content again.
"""

from typing import Any, Final

import msgspec

from application.dialects.anthropic.upstream.calls import check_name
from application.dialects.anthropic.upstream.notes import (
    Notes,
    list_of,
    object_of,
    text_at,
    unsupported,
    wrong_type,
)
from application.dialects.anthropic.upstream.traits import (
    JSON_SCHEMA,
    NO_FORCED_TOOL,
)
from application.dialects.port import Json
from application.wire.errors import InvalidRequest

ANSWER_TOOL: Final = "gateway_answer_in_json"


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """`tools` and `tool_choice` of the request, and the schema of the answer where the model takes one."""

    definitions: list[Json]
    choice: Json | None
    schema: Json | None

    @property
    def forced(self) -> bool:
        return self.choice is not None and self.choice["type"] in ("any", "tool")


def tools_of(chat: Json, traits: frozenset[str], notes: Notes) -> Tools:
    """Read `tools`, `tool_choice`, `parallel_tool_calls` and `response_format`.

    Raises:
        InvalidRequest: one is malformed, or has no equal with this model.
    """
    tools = chat.get("tools")
    definitions = [
        _definition(tool, f"tools[{index}]", traits, notes)
        for index, tool in enumerate(list_of(tools, "tools") if tools is not None else ())
    ]
    choice, definitions = _choice(chat.get("tool_choice"), definitions)
    schema = _schema(chat.get("response_format"), notes)
    if schema is not None and JSON_SCHEMA not in traits:
        choice = _with_answer_tool(schema, choice, definitions)
        schema = None
    choice = _one_at_a_time(chat.get("parallel_tool_calls"), choice, definitions)
    found = Tools(definitions=definitions, choice=choice, schema=schema)
    if found.forced and NO_FORCED_TOOL in traits:
        raise unsupported("tool_choice", "it calls no tool that is forced on it")
    return found


# --- tools


def _definition(value: Any, param: str, traits: frozenset[str], notes: Notes) -> Json:
    tool = object_of(value, param)
    if tool.get("type") not in ("function", None):
        raise unsupported(f"{param}.type", "only functions are taken")
    function, param = object_of(tool.get("function"), f"{param}.function"), f"{param}.function"
    name = text_at(function, "name", param)
    check_name(name, f"{param}.name")
    if name == ANSWER_TOOL:
        raise InvalidRequest("invalid_value", f"{param}.name", f"'{param}.name' is reserved.")
    definition: Json = {
        "name": name,
        "input_schema": _input_schema(function.get("parameters"), f"{param}.parameters"),
    }
    if function.get("description") is not None:
        definition["description"] = text_at(function, "description", param)
    if function.get("strict") is True:
        if JSON_SCHEMA in traits:
            definition["strict"] = True
        else:
            notes.drop("strict")
    notes.mark(definition, function, param)
    notes.mark(definition, tool, param.removesuffix(".function"))
    return definition


def _input_schema(parameters: Any, param: str) -> Json:
    if parameters is None:
        return {"type": "object", "properties": {}}
    return {"type": "object"} | object_of(parameters, param)


# --- the choice


def _choice(value: Any, definitions: list[Json]) -> tuple[Json | None, list[Json]]:
    """The choice, and the tools that it leaves."""
    if value is None:
        return None, definitions
    if type(value) is dict and value.get("type") == "allowed_tools":
        value, definitions = _allowed(value, definitions)
    if not definitions:
        if value in ("auto", "none"):
            return None, definitions
        raise InvalidRequest("invalid_value", "tool_choice", "'tool_choice' needs 'tools'.")
    match value:
        case "auto" | "none":
            return {"type": value}, definitions
        case "required" | "any":  # any is Mistral's word
            return {"type": "any"}, definitions
        case dict():
            return {"type": "tool", "name": _chosen(value, "tool_choice", definitions)}, definitions
        case str():
            raise InvalidRequest("invalid_value", "tool_choice", "'tool_choice' is no choice that is known.")
    raise wrong_type("tool_choice", "a string or an object")


def _chosen(choice: Json, param: str, definitions: list[Json]) -> str:
    if choice.get("type") != "function":
        raise unsupported(f"{param}.type", "only a function can be chosen")
    function = object_of(choice.get("function"), f"{param}.function")
    name = text_at(function, "name", f"{param}.function")
    if all(definition["name"] != name for definition in definitions):
        raise InvalidRequest(
            "invalid_value", f"{param}.function.name", f"'{param}.function.name' is no tool in 'tools'."
        )
    return name


def _allowed(choice: Json, definitions: list[Json]) -> tuple[str, list[Json]]:
    """Some of the tools and `auto` or `required`: the others are not sent."""
    param = "tool_choice.allowed_tools"
    allowed = object_of(choice.get("allowed_tools"), param)
    mode = text_at(allowed, "mode", param)
    tools = list_of(allowed.get("tools"), f"{param}.tools")
    names = {
        _chosen(object_of(tool, f"{param}.tools[{index}]"), f"{param}.tools[{index}]", definitions)
        for index, tool in enumerate(tools)
    }
    if mode not in ("auto", "required"):
        raise InvalidRequest("invalid_value", f"{param}.mode", f"'{param}.mode' must be auto or required.")
    return mode, [definition for definition in definitions if definition["name"] in names]


def _one_at_a_time(parallel: Any, choice: Json | None, definitions: list[Json]) -> Json | None:
    if type(parallel) not in (bool, type(None)):
        raise wrong_type("parallel_tool_calls", "a boolean")
    if parallel is not False or not definitions or choice == {"type": "none"}:
        return choice
    return (choice or {"type": "auto"}) | {"disable_parallel_tool_use": True}


# --- the form of the answer


def _schema(value: Any, notes: Notes) -> Json | None:
    """The schema that the answer is to follow. JSON without one has no equal: the prompt has to ask for it, and does."""
    if value is None:
        return None
    form = object_of(value, "response_format")
    match form.get("type"):
        case "text":
            return None
        case "json_object":
            notes.drop("response_format")
            return None
        case "json_schema":
            param = "response_format.json_schema"
            schema = object_of(form.get("json_schema"), param).get("schema")
            if schema is None:
                notes.drop("response_format")
                return None
            return object_of(schema, f"{param}.schema")
        case str():
            raise unsupported("response_format.type", "it is a form that is not known")
    raise wrong_type("response_format.type", "a string")


def _with_answer_tool(schema: Json, choice: Json | None, definitions: list[Json]) -> Json | None:
    """Add the tool that takes the answer; the model may still call the client's tools, if the client lets it."""
    if choice is not None and choice["type"] in ("any", "tool"):
        return choice  # this turn is to be a call
    if schema.get("type") != "object":
        raise unsupported("response_format.json_schema.schema", "only an object can be answered")
    others = bool(definitions) and choice != {"type": "none"}
    definitions.append(
        {"name": ANSWER_TOOL, "description": "Takes the answer to the user.", "input_schema": schema}
    )
    if others:
        return {"type": "any"}
    return {"type": "tool", "name": ANSWER_TOOL, "disable_parallel_tool_use": True}
