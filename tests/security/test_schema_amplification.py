"""A schema whose references are written out stays near the size that was held for, and costs no memory beyond it."""

import msgspec
import pytest

from application.dialects.gemini.request import chat_request
from application.dialects.gemini.traits import SCHEMA_SUBSET
from application.dialects.port import Json, Target
from application.wire.errors import InvalidRequest

TARGET = Target(model="gemini-test", output_tokens=100, traits=frozenset((SCHEMA_SUBSET,)))
MANY = 500


def _referring(shared: Json) -> Json:
    properties = {f"p{number}": {"$ref": "#/$defs/a"} for number in range(MANY)}
    return {"$defs": {"a": shared}, "type": "object", "properties": properties}


def _doubling(levels: int) -> Json:
    kinds: Json = {"a0": {"type": "string"}}
    for level in range(1, levels + 1):
        below = {"$ref": f"#/$defs/a{level - 1}"}
        kinds[f"a{level}"] = {"type": "object", "properties": {"l": below, "r": below}}
    return {"$defs": kinds, "type": "object", "properties": {"top": {"$ref": f"#/$defs/a{levels}"}}}


SCHEMAS: dict[str, Json] = {
    "a long text, referred to often": _referring({"description": "x" * 20_000}),
    "a long list of values, referred to often": _referring({"enum": ["x"] * 5_000}),
    "many required names, referred to often": _referring(
        {"properties": {"x": {}}, "required": ["x"] * 5_000}
    ),
    "references that double": _doubling(10),
    "one type named often": {
        "type": "object",
        "properties": {"p": {"type": ["string"] * MANY, "enum": ["x"] * 5_000}},
    },
}


def _in_tools(schema: Json) -> Json:
    return {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}


def _in_format(schema: Json) -> Json:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": schema}}}


@pytest.mark.parametrize("holder", [_in_tools, _in_format], ids=["tools", "format"])
@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_what_is_sent_is_no_multiple_of_what_was_held_for(schema: Json, holder: object) -> None:
    """The hold counts the bytes of the body: a schema that grows tenfold is a prompt that nobody pays for."""
    assert callable(holder)
    chat: Json = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]} | holder(schema)
    try:
        sent = chat_request(chat, TARGET, stream=False).body
    except InvalidRequest:
        sent = b""
    assert isinstance(sent, bytes)
    assert len(sent) <= 6 * len(msgspec.json.encode(chat)) + 4_096


def test_many_small_schemas_are_bounded_together() -> None:
    """Each tool by itself is small; a thousand of them are one prompt."""
    tools = [
        {"type": "function", "function": {"name": f"f{number}", "parameters": _doubling(6)}}
        for number in range(100)
    ]
    chat: Json = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "tools": tools}
    with pytest.raises(InvalidRequest, match="nesting_too_deep"):
        chat_request(chat, TARGET, stream=False)


def test_parts_without_number_are_refused_before_they_are_merged() -> None:
    """Each part of an `allOf` copied all before it: half a megabyte of them took seconds on the loop of all requests."""
    parts: list[Json] = [{"properties": {f"p{number}": {}}} for number in range(6_000)]
    chat: Json = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]} | _in_tools(
        {"allOf": parts}
    )
    with pytest.raises(InvalidRequest, match="nesting_too_deep"):
        chat_request(chat, TARGET, stream=False)


def test_a_part_that_is_used_a_few_times_is_written_out() -> None:
    """What honest schemas do."""
    address = {
        "type": "object",
        "description": "Where somebody lives, as it is written on a letter.",
        "properties": {
            name: {"type": "string", "description": f"The {name}."} for name in ("street", "city", "country")
        },
        "required": ["street", "city"],
    }
    schema = {
        "$defs": {"address": address},
        "type": "object",
        "properties": {name: {"$ref": "#/$defs/address"} for name in ("home", "work", "billing", "shipping")},
    }
    chat: Json = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]} | _in_tools(schema)
    assert b"shipping" in bytes(chat_request(chat, TARGET, stream=False).body)  # type: ignore[arg-type]  # bytes here
