"""Tools, the choice among them, and the form of the answer."""

import json
from typing import Any

import pytest

from application.dialects.anthropic.upstream.tools import ANSWER_TOOL
from application.wire.errors import InvalidRequest

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}


def tool(name: str = "look", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name} | more}


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def refused(ask: Any, *traits: str, **chat: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refusal:
        ask(*traits, **chat)
    return refusal.value


def test_tools_are_translated(body: Any) -> None:
    """`parameters` may be missing and may lack their type; both are required there."""
    found = body(tools=[tool("a", description="A", parameters={"properties": {}}), tool("b")])
    assert found["tools"] == [
        {"name": "a", "description": "A", "input_schema": {"type": "object", "properties": {}}},
        {"name": "b", "input_schema": {"type": "object", "properties": {}}},
    ]
    assert "tool_choice" not in found


def test_strict_goes_to_models_that_hold_schemas(ask: Any, body: Any) -> None:
    """Elsewhere it is dropped and named."""
    assert body("json_schema", tools=[tool(strict=True)])["tools"][0]["strict"] is True
    asked = ask(tools=[tool(strict=True)])
    assert "strict" not in json.loads(asked.body)["tools"][0]
    assert asked.dropped == ("strict",)
    assert ask(tools=[tool(strict=False)]).dropped == ()


@pytest.mark.parametrize("name", ["", "a b", "a.b", "é", "x" * 65, "a\n", ANSWER_TOOL])
def test_a_name_that_no_tool_may_have_is_refused(ask: Any, name: str) -> None:
    """At most 64 letters, digits, `_` and `-`; one name is ours."""
    assert refused(ask, tools=[tool(name)]).param == "tools[0].function.name"


@pytest.mark.parametrize(
    ("choice", "translated"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (function("b"), {"type": "tool", "name": "b"}),
    ],
)
def test_the_choice_of_a_tool(body: Any, choice: object, translated: dict[str, Any]) -> None:
    """Four words."""
    assert body(tools=[tool("a"), tool("b")], tool_choice=choice)["tool_choice"] == translated


@pytest.mark.parametrize(
    ("choice", "translated"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        ("auto", {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        (function("a"), {"type": "tool", "name": "a", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ],
)
def test_one_call_at_a_time_is_a_part_of_the_choice(
    body: Any, choice: object, translated: dict[str, Any]
) -> None:
    """A choice is made for it where there is none; `none` does not take it."""
    found = body(tools=[tool("a")], tool_choice=choice, parallel_tool_calls=False)
    assert found["tool_choice"] == translated
    assert "tool_choice" not in body(parallel_tool_calls=False)


def test_allowed_tools_are_the_only_ones_sent(body: Any) -> None:
    """With `auto`, or `required` among them."""
    allowed = {"mode": "required", "tools": [function("b")]}
    found = body(
        tools=[tool("a"), tool("b")], tool_choice={"type": "allowed_tools", "allowed_tools": allowed}
    )
    assert [definition["name"] for definition in found["tools"]] == ["b"]
    assert found["tool_choice"] == {"type": "any"}


def test_a_model_that_is_never_forced_refuses_a_forced_tool(ask: Any, body: Any) -> None:
    """Another deployment may take it."""
    for choice in ("required", function("look")):
        assert refused(ask, "no_forced_tool", tools=[tool()], tool_choice=choice).param == "tool_choice"
    assert body("no_forced_tool", tools=[tool()], tool_choice="auto")["tool_choice"] == {"type": "auto"}


def test_a_forced_tool_needs_thinking_between_tools_on_some_models(body: Any) -> None:
    """Sonnet 5.5 refuses it with any other."""
    found = body(
        "thinking_adaptive", "thinking_between_tools", tools=[tool()], tool_choice="required",
        reasoning_effort="high",
    )  # fmt: skip
    assert found["thinking"] == {"type": "between_tools"}
    assert found["output_config"] == {"effort": "high"}
    plain = body("thinking_adaptive", "thinking_between_tools", tools=[tool()], tool_choice="required")
    assert plain["thinking"] == {"type": "between_tools"}


# --- the form of the answer


def test_a_schema_goes_to_models_that_hold_one(body: Any) -> None:
    """Beside the effort, if there is one."""
    found = body("json_schema", "thinking_adaptive", response_format=FORM, reasoning_effort="low")
    assert found["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}
    assert "tools" not in found


def test_other_models_are_forced_to_answer_by_a_tool(body: Any) -> None:
    """Whose name the answer is recognised by."""
    found = body(response_format=FORM)
    assert [(definition["name"], definition["input_schema"]) for definition in found["tools"]] == [
        (ANSWER_TOOL, SCHEMA)
    ]
    assert found["tool_choice"] == {"type": "tool", "name": ANSWER_TOOL, "disable_parallel_tool_use": True}


@pytest.mark.parametrize(
    ("choice", "names", "translated"),
    [
        ("auto", ["look", ANSWER_TOOL], {"type": "any"}),
        (
            "none",
            ["look", ANSWER_TOOL],
            {"type": "tool", "name": ANSWER_TOOL, "disable_parallel_tool_use": True},
        ),
        ("required", ["look"], {"type": "any"}),
        (function("look"), ["look"], {"type": "tool", "name": "look"}),
    ],
)
def test_an_answer_by_a_tool_leaves_the_clients_tools_their_right(
    body: Any, choice: object, names: list[str], translated: dict[str, Any]
) -> None:
    """The model calls one of them or answers; a call that is forced on it comes first."""
    found = body(response_format=FORM, tools=[tool()], tool_choice=choice)
    assert [definition["name"] for definition in found["tools"]] == names
    assert found["tool_choice"] == translated


def test_json_without_a_schema_is_dropped_and_named(ask: Any) -> None:
    """The prompt has to ask for JSON, as it must in the chat dialect."""
    for form in ({"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x"}}):
        asked = ask("json_schema", response_format=form)
        assert asked.dropped == ("response_format",)
        assert b"format" not in asked.body
    assert ask(response_format={"type": "text"}).dropped == ()


def test_a_tool_cannot_take_an_answer_that_is_no_object(ask: Any) -> None:
    """Inputs of tools are objects."""
    form = {"type": "json_schema", "json_schema": {"schema": {"type": "array"}}}
    assert refused(ask, response_format=form).param == "response_format.json_schema.schema"
