"""JSON schemas of what routes take in the query and of what they answer, from the types in the code."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args, get_type_hints

import msgspec
from litestar.params import QueryParameter

from application.command import Done
from domain.secret import Secret

_ANY_OBJECT: Final = {"type": "object"}
_DONE: Final = {
    "version": {"type": "integer", "description": "How many events the thing has now."},
    "position": {
        "anyOf": [{"type": "integer"}, {"type": "null"}],
        "description": "Of the last event in the log; null if everything was as commanded already.",
    },
}
_SHOWN_ONCE: Final = {"type": "string", "description": "Shown this one time."}


def simple_nulls(schema: Any) -> Any:
    """The same schema with "this or null" as viewers show it well: as a second type, not as an alternative."""
    if isinstance(schema, list):
        return [simple_nulls(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: simple_nulls(value) for name, value in schema.items()}
    match plain.get("anyOf"):
        case [{"type": str(kind)} as one, {"type": "null"}]:
            del plain["anyOf"]
            return one | plain | {"type": [kind, "null"]}
    return plain


def command_answer(handle: Callable[..., Any], *, ref: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a command's answer, as `answer_of` makes it, and the components that it points to."""
    kind = get_type_hints(handle)["return"]
    if kind is type(None):
        return dict(_ANY_OBJECT), {}
    if kind is Done:
        return {**_ANY_OBJECT, "properties": _DONE}, {}
    properties: dict[str, Any] = {}
    components: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.type is Done:
            properties |= _DONE
        elif field.type is Secret:
            properties[field.name] = _SHOWN_ONCE
        elif field.type == tuple[Secret, ...]:
            properties[field.name] = {"type": "array", "items": _SHOWN_ONCE}
        else:
            (properties[field.name],), more = msgspec.json.schema_components([field.type], ref_template=ref)
            components |= more
    return {**_ANY_OBJECT, "properties": properties}, components


def reading_answer(read: Callable[..., Any], *, ref: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of what a GET route answers, and the components that it points to."""
    kind = get_type_hints(read)["return"]
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return dict(_ANY_OBJECT), {}
    (schema,), components = msgspec.json.schema_components([kind], ref_template=ref)
    return schema, components


def query_parameters(
    read: Callable[..., Any], *, but: list[str], descriptions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The query parameters of a GET route; `but` names those that are in its path."""
    hints = get_type_hints(read, include_extras=True)
    found: list[dict[str, Any]] = []
    for name, one in inspect.signature(read).parameters.items():
        if name in but:
            continue
        kind, *notes = get_args(hints[name])
        rule = next((note for note in notes if isinstance(note, QueryParameter)), None)
        if rule is None:  # the request itself
            continue
        schema = msgspec.json.schema(kind)
        choices = [choice for choice in schema.pop("anyOf", [schema]) if choice != {"type": "null"}]
        schema = dict(choices[0])
        is_required = one.default is inspect.Parameter.empty
        default = None if is_required else one.default
        bounds = {"minimum": rule.ge, "maximum": rule.le, "default": default}
        schema |= {key: value for key, value in bounds.items() if value is not None}
        parameter = {"name": rule.name or name, "in": "query", "required": is_required, "schema": schema}
        if words := descriptions.get(str(parameter["name"])):
            parameter["description"] = words
        found.append(parameter)
    return found
