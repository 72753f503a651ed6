"""JSON Schema in the subset that `parameters` takes."""

from typing import Any

import pytest
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from application.dialects.gemini.schema import NODES_MAX, Room, openapi_subset
from application.wire.errors import InvalidRequest
from tests.application.dialects.gemini.gemini_world import Json


def subset(schema: Json) -> Json:
    return openapi_subset(schema, "p", Room(schema))


@pytest.mark.parametrize(
    ("schema", "want"),
    [
        ({"type": "string", "default": "x", "examples": []}, {"type": "STRING"}),
        ({"type": ["string", "null"]}, {"type": "STRING", "nullable": True}),
        (
            {"type": ["string", "integer"]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "T"},
            {"title": "T", "type": "STRING", "nullable": True},
        ),
        ({"oneOf": [{"type": "string"}, {"type": "number"}]}, {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}),
        ({"allOf": [{"type": "object"}, {"properties": {"a": True}}]}, {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}),
        (
            {"allOf": [3, {"required": ["a"]}, {"allOf": [{"properties": {"a": True, "b": True}}]}], "required": ["b"]},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}}, "required": ["b", "a"]},
        ),
        ({"enum": ["a", "b"]}, {"type": "STRING", "enum": ["a", "b"], "format": "enum"}),
        ({"const": "a"}, {"type": "STRING", "enum": ["a"], "format": "enum"}),
        ({"enum": ["a", None]}, {"type": "STRING", "enum": ["a"], "format": "enum", "nullable": True}),
        ({"enum": [1, 2]}, {"type": "INTEGER"}),
        ({"type": "string", "format": "uri"}, {"type": "STRING"}),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}),
        ({"type": "array"}, {"type": "ARRAY", "items": {"type": "STRING"}}),
        ({"prefixItems": [{"type": "string"}, {"type": "number"}]}, {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}}),
        ({"type": "integer", "minimum": 1, "exclusiveMaximum": 4}, {"minimum": 1, "type": "INTEGER"}),
        ({}, {"type": "STRING"}),
    ],
)  # fmt: skip
def test_each_keyword(schema: Json, want: Json) -> None:
    """What the subset lacks is said otherwise, or left out: one unknown keyword fails a whole request."""
    assert subset(schema) == want


def test_references_are_written_out() -> None:
    """Wherever they point inside the schema; what stands beside one wins."""
    made = subset(
        {
            "$schema": "x",
            "type": "object",
            "$defs": {"a/b": {"type": "string", "description": "old"}},
            "properties": {"p": {"$ref": "#/$defs/a~1b", "description": "new"}, "q": {"type": "boolean"}},
            "required": ["p", "gone", 3],
            "additionalProperties": False,
            "strict": True,
        }
    )
    assert made == {
        "type": "OBJECT",
        "properties": {"p": {"description": "new", "type": "STRING"}, "q": {"type": "BOOLEAN"}},
        "required": ["p"],
    }


def test_a_schema_within_itself_ends() -> None:
    """As any object, where it begins again."""
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "name": {"type": "string"}}}
    again = {"type": "OBJECT", "properties": {"left": {"type": "OBJECT"}, "name": {"type": "STRING"}}}
    assert subset(tree)["properties"]["left"] == again


def test_references_cannot_multiply_without_end() -> None:
    """Ten lines of references to references would be billions of nodes."""
    definitions: Json = {"d0": {"type": "string"}}
    for level in range(1, 12):
        below = {"$ref": f"#/$defs/d{level - 1}"}
        definitions[f"d{level}"] = {"type": "object", "properties": {f"p{i}": below for i in range(10)}}
    with pytest.raises(InvalidRequest) as caught:
        subset({"$defs": definitions, "$ref": "#/$defs/d11"})
    assert caught.value.code == "nesting_too_deep"
    assert NODES_MAX < 10_000


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/none"},
        {"$ref": "https://example.com/schema"},
        {"type": "object", "properties": {"a": 3}},
        {"type": "array", "items": "x"},
    ],
)
def test_what_is_no_schema_is_refused(schema: Json) -> None:
    """With the name of the member that holds it."""
    with pytest.raises(InvalidRequest) as caught:
        subset(schema)
    assert caught.value.param == "p"


NAMES = st.sampled_from(
    [
        "type",
        "anyOf",
        "oneOf",
        "allOf",
        "items",
        "properties",
        "enum",
        "const",
        "required",
        "$ref",
        "format",
        "a",
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["string", "object", "array", "null", "#", "#/a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_schema_is_written_or_refused(schema: Json) -> None:
    """What is written, Google's SDK takes for a schema, whatever types its members had."""
    try:
        made = subset(schema)
    except InvalidRequest:
        return
    types.Schema.model_validate(made)
