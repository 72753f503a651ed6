"""Messages as contents: roles, order, calls and their answers, signatures."""

import json
from typing import Any

import pytest

from application.dialects.gemini.messages import PLACEHOLDER_SIGNATURE
from tests.application.dialects.gemini.gemini_world import USER, Json, body_of, refused


def call(call_id: str, name: str = "f", arguments: Any = "{}", signature: str | None = None) -> Json:
    made: Json = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    if signature is not None:
        made["extra_content"] = {"google": {"thought_signature": signature}}
    return made


def assistant(*calls: Json, content: Any = None, **members: Any) -> Json:
    return {"role": "assistant", "content": content, "tool_calls": list(calls), **members}


def tool(call_id: str, content: Any = "{}") -> Json:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def contents(*messages: Json, traits: tuple[str, ...] = ()) -> list[Json]:
    made: list[Json] = body_of({"messages": list(messages)}, *traits)["contents"]
    return made


def test_system_messages_are_joined_wherever_they_stand() -> None:
    """There is one `systemInstruction`."""
    body = body_of(
        {
            "messages": [
                {"role": "system", "content": "a"},
                USER,
                {"role": "developer", "content": [{"type": "text", "text": "b"}]},
            ]
        }
    )
    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "hi"}]}]


def test_a_system_message_alone_is_what_the_user_says() -> None:
    """Contents must not be empty."""
    body = body_of({"messages": [{"role": "system", "content": "a"}]})
    assert body["contents"] == [{"role": "user", "parts": [{"text": "a"}]}]
    assert "systemInstruction" not in body


def test_models_without_instructions_get_them_from_the_user() -> None:
    """Before all that the user says, also where the model speaks first."""
    system = {"role": "system", "content": "a"}
    body = body_of({"messages": [system, USER]}, "no_system")
    assert body["contents"] == [{"role": "user", "parts": [{"text": "a"}, {"text": "hi"}]}]
    body = body_of({"messages": [system, assistant(content="m"), USER]}, "no_system")
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
    assert "systemInstruction" not in body


def test_neighbours_of_one_role_are_one_content() -> None:
    """Empty text is left out: Gemini refuses it."""
    made = contents(
        USER,
        {"role": "user", "content": ""},
        {"role": "user", "content": [{"type": "text", "text": ""}]},
        USER,
        assistant(content="a"),
        assistant(content=[{"type": "refusal", "refusal": "no"}], refusal="r"),
    )
    assert made == [
        {"role": "user", "parts": [{"text": "hi"}, {"text": "hi"}]},
        {"role": "model", "parts": [{"text": "a"}, {"text": "no"}, {"text": "r"}]},
    ]


def test_the_user_speaks_first() -> None:
    """A conversation that the model opens gets a blank turn before it."""
    made = contents(assistant(content="a"), USER)
    assert made[0] == {"role": "user", "parts": [{"text": " "}]}
    assert made[1]["role"] == "model"


def test_nothing_to_say_is_refused() -> None:
    """Messages without any content make no request."""
    assert refused({"messages": [{"role": "user", "content": ""}]}) == ("invalid_value", "messages")


def test_calls_and_answers_meet_by_id() -> None:
    """An answer has the name of its call, and all answers of a turn stand in one content, before the user's words."""
    made = contents(
        USER,
        assistant(call("1", "f", '{"a":1}'), call("2", "g", ""), content="so"),
        {"role": "user", "content": "and?"},
        tool("2", '{"ok": true}'),
        tool("1", "[1]"),
    )
    assert made[1]["parts"] == [
        {"text": "so"},
        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "1"}},
        {"functionCall": {"name": "g", "args": {}, "id": "2"}},
    ]
    assert made[2]["parts"] == [
        {"functionResponse": {"name": "g", "response": {"ok": True}, "id": "2"}},
        {"functionResponse": {"name": "f", "response": {"result": "[1]"}, "id": "1"}},
        {"text": "and?"},
    ]


@pytest.mark.parametrize(
    "content", ["plain", "{not json", '"text"', "3", "", [{"type": "text", "text": "x"}]]
)
def test_an_answer_that_is_no_object_goes_under_result(content: Any) -> None:
    """As text, whatever it is."""
    made = contents(USER, assistant(call("1")), tool("1", content))
    said = content if isinstance(content, str) else "x"
    assert made[2]["parts"][0]["functionResponse"]["response"] == {"result": said}


def test_ids_stay_at_home_where_they_are_refused() -> None:
    """By trait; names still meet by id."""
    made = contents(USER, assistant(call("1")), tool("1"), traits=("no_call_ids",))
    assert made[1]["parts"] == [{"functionCall": {"name": "f", "args": {}}}]
    assert made[2]["parts"] == [{"functionResponse": {"name": "f", "response": {}}}]


def test_signatures_go_back() -> None:
    """Of calls and of text, to every model: they were given for that."""
    extra = {"google": {"thought_signature": "TEXT"}}
    made = contents(USER, assistant(call("1", signature="CALL"), content="a", extra_content=extra))
    assert made[1]["parts"][0] == {"text": "a", "thoughtSignature": "TEXT"}
    assert made[1]["parts"][1]["thoughtSignature"] == "CALL"
    made = contents(USER, {"role": "assistant", "content": None, "extra_content": extra})
    assert made[1]["parts"] == [{"text": "", "thoughtSignature": "TEXT"}]


def test_a_lost_signature_has_a_stand_in() -> None:
    """Only where models want one, only for the first call of a message, and never in place of a real one."""
    history = (
        USER,
        assistant(call("1"), call("2")),
        tool("1"),
        tool("2"),
        assistant(call("3", signature="REAL"), call("4")),
        tool("3"),
        tool("4"),
    )
    made = contents(*history, traits=("thought_signatures",))
    signed = [
        part.get("thoughtSignature")
        for content in made
        for part in content["parts"]
        if "functionCall" in part
    ]
    assert signed == [PLACEHOLDER_SIGNATURE, None, "REAL", None]
    assert PLACEHOLDER_SIGNATURE not in json.dumps(contents(*history))


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "function", "name": "f", "content": "x"}, "messages[1].role"),
        ({"role": "user", "content": None}, "messages[1].content"),
        ({"role": "user", "content": 3}, "messages[1].content"),
        ({"role": "user", "content": [3]}, "messages[1].content[0]"),
        ({"role": "user", "content": [{"type": "text"}]}, "messages[1].content[0].text"),
        ({"role": "user", "content": [{"type": "video"}]}, "messages[1].content[0].type"),
        (tool("unknown"), "messages[1].tool_call_id"),
        ({"role": "tool", "content": "x"}, "messages[1].tool_call_id"),
        ({"role": "assistant", "tool_calls": {}}, "messages[1].tool_calls"),
        (assistant({"id": "1"}), "messages[1].tool_calls[0].function"),
        (assistant(call("")), "messages[1].tool_calls[0].id"),
        (assistant(call("1", "")), "messages[1].tool_calls[0].function.name"),
        (assistant(call("1", "f", "[]")), "messages[1].tool_calls[0].function.arguments"),
        (assistant(call("1", "f", "{")), "messages[1].tool_calls[0].function.arguments"),
        (assistant(call("1", "f", {})), "messages[1].tool_calls[0].function.arguments"),
        (assistant({**call("1"), "type": "custom"}), "messages[1].tool_calls[0].type"),
        (assistant({**call("1"), "extra_content": 1}), "messages[1].tool_calls[0].extra_content"),
        (assistant(function_call={}), "messages[1].function_call"),
        (assistant(audio={"id": "a"}), "messages[1].audio"),
        (
            {
                "role": "system",
                "content": [{"type": "image_url", "image_url": "data:image/png;base64,AA"}],
            },
            "messages[1].content",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(message: Json, param: str) -> None:
    """The path of the member, whatever it holds."""
    assert refused({"messages": [USER, message]})[1] == param


def test_other_extras_mean_nothing_here() -> None:
    """Those of another vendor, or without a signature."""
    for extra in ({"other": 1}, {"google": None}, {"google": {"thought": True}}):
        made = contents(USER, assistant({**call("1"), "extra_content": extra}))
        assert "thoughtSignature" not in made[1]["parts"][0]
