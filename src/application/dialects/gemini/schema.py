"""Turns JSON Schema into the subset of OpenAPI that Gemini's `parameters` and `responseSchema` take.

References are written out, `null` becomes `nullable`, `oneOf` and `allOf` become what the subset has, and keywords that it
lacks are left out: the service refuses a whole request for one of them. The result is bounded in depth and size, since
references may multiply.
"""

from typing import Any, Final

import msgspec

from application.dialects.gemini.checks import wrong_type
from application.dialects.port import Json
from application.wire.errors import InvalidRequest

DEPTH_MAX: Final = 32
NODES_MAX: Final = 5_000
GROWTH_MAX: Final = 4
"""All that the references of a request stand for, written out, may have so many times the bytes of its schemas."""
GROWTH_BYTES: Final = 2_048
"""And so many more, so that small schemas may refer as they like."""
_TEXTS: Final = ("title", "description", "pattern")
_COUNTS: Final = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_LIMITS: Final = ("minimum", "maximum")
_KEPT: Final[dict[str, tuple[type, ...]]] = {
    **dict.fromkeys(_TEXTS, (str,)),
    **dict.fromkeys(_COUNTS, (int,)),
    **dict.fromkeys(_LIMITS, (int, float)),
}
_FORMATS: Final = {
    "STRING": ("date-time",),
    "NUMBER": ("float", "double"),
    "INTEGER": ("int32", "int64"),
}
_TYPES: Final = {name: name.upper() for name in ("string", "number", "integer", "boolean", "array", "object")}
_LOCAL: Final = "#/"
_encode: Final = msgspec.json.Encoder().encode


class Room:
    """How many bytes the references of one request may still stand for: its hold was made by the bytes that came."""

    def __init__(self, schemas: object) -> None:
        self._schemas = schemas
        self._left_bytes: int | None = None  # counted when the first reference is met

    def take(self, referred: Json, param: str) -> None:
        """Raises: InvalidRequest: there is none left."""
        try:
            if self._left_bytes is None:
                self._left_bytes = GROWTH_MAX * len(_encode(self._schemas)) + GROWTH_BYTES
            self._left_bytes -= len(_encode(referred))
        except RecursionError:
            raise _too_large(param) from None
        if self._left_bytes < 0:
            raise _too_large(param)


def openapi_subset(schema: Json, param: str, room: Room) -> Json:
    """`schema` in the subset; `schema` is not changed.

    Raises:
        InvalidRequest: it is no schema, or too deep or too large when its references are written out.
    """
    return _Writer(schema, param, room).write(schema, 0)


def _too_large(param: str) -> InvalidRequest:
    return InvalidRequest(
        "nesting_too_deep", param, f"'{param}' is too deep or too large with its references."
    )


class _Writer:
    """Writes one schema out."""

    def __init__(self, root: Json, param: str, room: Room) -> None:
        self._root = root
        self._param = param
        self._room = room
        self._nodes = 0
        self._open: list[str] = []  # references that are being written out

    def write(self, node: Any, depth: int) -> Json:
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise _too_large(self._param)
        if node is True:
            return {"type": "STRING"}
        if type(node) is not dict:
            raise wrong_type(self._param, "a JSON Schema")
        if type(node.get("$ref")) is str:
            return self._referred(node, depth)
        if type(node.get("allOf")) is list:
            return self._merged(node, depth)
        return self._written(node, depth)

    def _written(self, node: Json, depth: int) -> Json:
        types, nullable = _kinds(node)
        options = [option for option in self._options(node) if not _is_null(option)]
        nullable |= len(options) < len(self._options(node))
        written = {name: node[name] for name, kinds in _KEPT.items() if type(node.get(name)) in kinds}
        if options:
            written |= self._chosen(options, depth)
        elif len(types) > 1:
            written["anyOf"] = [self._typed(node, kind, depth) for kind in types]
        else:
            written |= self._typed(node, types[0], depth)
        if nullable or None in _values(node):
            written["nullable"] = True
        return written

    def _options(self, node: Json) -> list[Any]:
        for name in ("anyOf", "oneOf"):
            if type(node.get(name)) is list:
                options: list[Any] = node[name]
                return options
        return []

    def _chosen(self, options: list[Any], depth: int) -> Json:
        if len(options) == 1:
            return self.write(options[0], depth + 1)
        return {"anyOf": [self.write(option, depth + 1) for option in options]}

    def _typed(self, node: Json, kind: str, depth: int) -> Json:
        typed: Json = {"type": kind}
        if node.get("format") in _FORMATS.get(kind, ()):
            typed["format"] = node["format"]
        if kind == "STRING":
            values = [value for value in _values(node) if type(value) is str]
            if values:
                typed |= {"enum": values, "format": "enum"}
        elif kind == "ARRAY":
            typed["items"] = self._items(node, depth)
        elif kind == "OBJECT":
            typed |= self._properties(node, depth)
        return typed

    def _items(self, node: Json, depth: int) -> Json:
        items = node.get("prefixItems", node.get("items"))
        if type(items) is list:
            return self._chosen(items, depth) if items else {"type": "STRING"}
        return {"type": "STRING"} if items is None or items is False else self.write(items, depth + 1)

    def _properties(self, node: Json, depth: int) -> Json:
        properties = node.get("properties")
        if type(properties) is not dict or not properties:
            return {}
        written: Json = {
            "properties": {
                name: self.write(value, depth + 1) for name, value in properties.items() if value is not False
            }
        }
        required = node.get("required")
        if type(required) is list:
            names = [name for name in required if type(name) is str and name in written["properties"]]
            if names:
                written["required"] = names
        return written

    def _referred(self, node: Json, depth: int) -> Json:
        """What a reference names, with what stands beside it; where it comes back to itself, any object."""
        target: Any = self._root
        reference = node["$ref"]
        if reference in self._open:
            return {"type": "OBJECT"}
        for step in reference.removeprefix(_LOCAL).split("/") if reference != "#" else ():
            target = target.get(step.replace("~1", "/").replace("~0", "~")) if type(target) is dict else None
        if type(target) is not dict or not reference.startswith("#"):
            raise InvalidRequest(
                "invalid_value", self._param, f"'{self._param}' has a reference that cannot be found."
            )
        self._room.take(target, self._param)
        beside = {name: value for name, value in node.items() if name != "$ref"}
        self._open.append(reference)
        written = self.write({**target, **beside}, depth + 1)
        self._open.pop()
        return written

    def _merged(self, node: Json, depth: int) -> Json:
        """`allOf` as one object: later members win, properties and required names add up."""
        merged = {name: _own(value) for name, value in node.items() if name != "allOf"}
        for part in node["allOf"]:
            if type(part) is not dict:
                continue
            for name, value in part.items():
                held = merged.get(name)
                if name == "properties" and type(held) is dict and type(value) is dict:
                    held.update(value)
                elif name in ("required", "allOf") and type(held) is list and type(value) is list:
                    held += value
                else:
                    merged[name] = _own(value)
        return self.write(merged, depth + 1)


def _own(value: Any) -> Any:
    """What may be added to; what came is not changed, and not copied for each part that adds to it."""
    return value.copy() if type(value) in (dict, list) else value


def _values(node: Json) -> list[Any]:
    if "const" in node:
        return [node["const"]]
    values = node.get("enum")
    return values if type(values) is list else []


def _is_null(option: Any) -> bool:
    return type(option) is dict and option.get("type") == "null"


def _kinds(node: Json) -> tuple[list[str], bool]:
    """The types of a node in Gemini's words, at least one, and whether null is among them."""
    said = node.get("type")
    names = said if type(said) is list else [said]
    kinds = list(
        dict.fromkeys(_TYPES[name.lower()] for name in names if type(name) is str and name.lower() in _TYPES)
    )
    return kinds or [_guessed(node)], "null" in names or node.get("nullable") is True


def _guessed(node: Json) -> str:
    if "properties" in node or "additionalProperties" in node:
        return "OBJECT"
    if "items" in node or "prefixItems" in node:
        return "ARRAY"
    kinds = {type(value) for value in _values(node)} - {type(None)}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "INTEGER"
    return "NUMBER" if kinds and kinds <= {int, float} else "STRING"
