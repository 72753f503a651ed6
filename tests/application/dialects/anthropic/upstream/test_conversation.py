"""Messages of a chat as system blocks and turns: the order that Messages ask for, and what is refused."""

import json
from typing import Any

import pytest

from application.wire.errors import InvalidRequest

USER = {"role": "user", "content": "Hi"}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def call(call_id: str, arguments: object = "{}", name: str = "look") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(call_id: str, content: object = "found") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def turns(body: Any, *messages: dict[str, Any], traits: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body(*traits, messages=list(messages))["messages"]
    return found


def refused(ask: Any, *messages: dict[str, Any], traits: tuple[str, ...] = ()) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refusal:
        ask(*traits, messages=list(messages))
    return refusal.value


# --- system messages


def test_system_messages_at_the_start_are_joined_in_order(body: Any) -> None:
    """`system` and `developer`, text and parts, as blocks of the top-level member."""
    found = body(
        messages=[
            {"role": "system", "content": "One"},
            {"role": "developer", "content": [text("Two"), text("Three")]},
            USER,
        ]
    )
    assert found["system"] == [text("One"), text("Two"), text("Three")]
    assert found["messages"] == [{"role": "user", "content": [text("Hi")]}]


def test_a_late_system_message_is_folded_into_the_user_turn(body: Any) -> None:
    """At its place, where the model knows no such turn."""
    found = turns(body, USER, {"role": "system", "content": "Be brief"}, {"role": "user", "content": "Go"})
    assert found == [{"role": "user", "content": [text("Hi"), text("Be brief"), text("Go")]}]


def test_a_late_system_message_keeps_its_role_where_the_model_takes_it(body: Any) -> None:
    """It stands right after a user turn, the only place it may have."""
    found = turns(
        body, USER, {"role": "system", "content": "Be brief"}, {"role": "user", "content": "Go"},
        traits=("system_turns",),
    )  # fmt: skip
    assert found == [
        {"role": "user", "content": [text("Hi"), text("Go")]},
        {"role": "system", "content": [text("Be brief")]},
    ]


def test_a_system_message_between_two_answers_becomes_a_user_turn(body: Any) -> None:
    """It may not follow an assistant, whatever the model takes."""
    said = {"role": "assistant", "content": "Yes"}
    found = turns(body, USER, said, {"role": "system", "content": "More"}, traits=("system_turns",))
    assert [turn["role"] for turn in found] == ["user", "assistant", "user"]


def test_a_chat_of_system_messages_only_is_asked_as_a_user(body: Any) -> None:
    """Messages need at least one turn."""
    found = body(messages=[{"role": "system", "content": "Tell a joke"}])
    assert "system" not in found
    assert found["messages"] == [{"role": "user", "content": [text("Tell a joke")]}]


# --- turns


def test_turns_of_one_role_are_merged(body: Any) -> None:
    """Turns alternate."""
    found = turns(
        body,
        USER,
        {"role": "user", "content": "There"},
        {"role": "assistant", "content": "A"},
        {"role": "assistant", "content": "B"},
        USER,
    )
    assert [turn["role"] for turn in found] == ["user", "assistant", "user"]
    assert found[0]["content"] == [text("Hi"), text("There")]
    assert found[1]["content"] == [text("A"), text("B")]


@pytest.mark.parametrize("empty", ["", " \n", None, [], [{"type": "text", "text": ""}]])
def test_text_without_a_visible_character_is_left_out(body: Any, empty: object) -> None:
    """Such blocks are refused upstream; a message that has nothing else goes with them."""
    found = turns(body, USER, {"role": "assistant", "content": empty}, {"role": "user", "content": "There"})
    assert found == [{"role": "user", "content": [text("Hi"), text("There")]}]


def test_messages_that_say_nothing_are_refused(ask: Any) -> None:
    """There is no turn to send."""
    assert refused(ask, {"role": "user", "content": " "}).param == "messages"


def test_a_greeting_of_the_assistant_is_led_in(body: Any) -> None:
    """A user begins every conversation there."""
    found = turns(body, {"role": "assistant", "content": "Welcome"}, USER)
    assert [turn["role"] for turn in found] == ["user", "assistant", "user"]


def test_an_answer_that_was_begun_is_gone_on_with(body: Any) -> None:
    """Where the model takes it, and without a blank at its end, which is refused."""
    begun = {"role": "assistant", "content": "The best is ( "}
    found = turns(body, USER, begun, traits=("prefill",))
    assert found[-1] == {"role": "assistant", "content": [text("The best is (")]}
    thought = {"type": "thinking", "thinking": "Hm ", "signature": "s"}
    only_thought = {"role": "assistant", "thinking_blocks": [thought]}
    assert turns(body, USER, only_thought, traits=("prefill",))[-1]["content"] == [thought]


def test_other_models_are_asked_to_go_on(body: Any) -> None:
    """The last turn has to be a user's; chat completions have always taken an assistant's."""
    found = turns(body, USER, {"role": "assistant", "content": "The best is ("})
    assert [turn["role"] for turn in found] == ["user", "assistant", "user"]


def test_a_users_name_is_dropped_and_named(ask: Any) -> None:
    """No member of a turn can hold it."""
    assert ask(messages=[USER | {"name": "ann"}]).dropped == ("name",)


# --- tool calls


def test_a_call_follows_the_text_and_its_arguments_become_an_object(body: Any) -> None:
    """The id is kept, so that the result finds it."""
    said = {"role": "assistant", "content": "Looking", "tool_calls": [call("toolu_1", '{"q": [1, 2.50]}')]}
    found = turns(body, USER, said, result("toolu_1"))
    assert found[1]["content"] == [
        text("Looking"),
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"q": [1, 2.5]}},
    ]
    assert found[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("found")]}
    ]


def test_arguments_keep_their_spelling(ask: Any) -> None:
    """Numbers that no double can hold stay what they are."""
    said = {"role": "assistant", "tool_calls": [call("a", '{"id": 12345678901234567890123, "f": 1.10}')]}
    asked = ask(messages=[USER, said, result("a")])
    assert b'"input":{"id": 12345678901234567890123, "f": 1.10}' in asked.body


@pytest.mark.parametrize("empty", ["", None])
def test_a_call_without_arguments_has_an_empty_object(body: Any, empty: object) -> None:
    """Providers send `""` for tools without parameters."""
    said = {"role": "assistant", "tool_calls": [call("a", empty)]}
    assert turns(body, USER, said, result("a"))[1]["content"][0]["input"] == {}


@pytest.mark.parametrize("odd", ["{", "[7]", "null", '"a"', '{"a":NaN}', "{} {}"])
def test_arguments_that_are_no_object_are_refused(ask: Any, odd: str) -> None:
    """By us, naming the call; what they say is not repeated."""
    refusal = refused(ask, USER, {"role": "assistant", "tool_calls": [call("a", odd)]}, result("a"))
    assert refusal.param == "messages[1].tool_calls[0].function.arguments"
    assert odd not in refusal.message


def test_results_of_a_turn_are_merged_before_any_text(body: Any) -> None:
    """However they and the user's words were mixed."""
    said = {"role": "assistant", "tool_calls": [call("a"), call("b"), call("c")]}
    found = turns(
        body, USER, said, result("a"), {"role": "user", "content": "And"}, result("b"),
        {"role": "system", "content": "Now"}, result("c", ""),
    )  # fmt: skip
    assert len(found) == 3
    kinds = [block["type"] for block in found[2]["content"]]
    assert kinds == ["tool_result", "tool_result", "tool_result", "text", "text"]
    assert "content" not in found[2]["content"][2]


def test_an_orphaned_result_is_refused(ask: Any) -> None:
    """No call of the assistant message before has its id."""
    refusal = refused(ask, USER, result("a"))
    assert refusal.param == "messages[1].tool_call_id"


def test_a_result_of_an_earlier_turn_is_refused(ask: Any) -> None:
    """Its turn was answered and is over."""
    said = {"role": "assistant", "tool_calls": [call("a")]}
    again = refused(ask, USER, said, result("a"), {"role": "assistant", "content": "So"}, result("a"))
    assert again.param == "messages[4].tool_call_id"
    assert refused(ask, USER, said, result("a"), result("a")).param == "messages[3].tool_call_id"


@pytest.mark.parametrize("after", [(), (USER,), ({"role": "assistant", "content": "So"},)])
def test_a_call_without_a_result_is_refused(ask: Any, after: tuple[dict[str, Any], ...]) -> None:
    """As chat completions refuse it, and Messages."""
    refusal = refused(
        ask, USER, {"role": "assistant", "tool_calls": [call("a"), call("b")]}, result("a"), *after
    )
    assert refusal.param == "messages[1].tool_calls"


def test_ids_of_other_providers_are_spelled_as_messages_take_them(body: Any) -> None:
    """Call and result stay a pair, and two ids that look alike stay two."""
    said = {"role": "assistant", "tool_calls": [call("functions.look:0"), call("functions_look_0")]}
    found = turns(body, USER, said, result("functions_look_0", "second"), result("functions.look:0", "first"))
    calls = [block["id"] for block in found[1]["content"]]
    assert calls == ["functions_look_0", "functions_look_0_1"]
    assert [block["tool_use_id"] for block in found[2]["content"]] == calls[::-1]
    assert found[2]["content"][0]["content"] == [text("second")]


def test_an_id_that_is_used_again_in_a_later_turn_is_told_apart(body: Any) -> None:
    """Some providers count from zero in every answer; ids there are unique in a conversation."""
    said = {"role": "assistant", "tool_calls": [call("call_0")]}
    found = turns(body, USER, said, result("call_0"), said, result("call_0"))
    assert found[3]["content"][0]["id"] == found[4]["content"][0]["tool_use_id"] != "call_0"


def test_two_calls_of_a_message_with_one_id_are_refused(ask: Any) -> None:
    """Nobody can say whose the result is."""
    refusal = refused(ask, USER, {"role": "assistant", "tool_calls": [call("a"), call("a")]})
    assert refusal.param == "messages[1].tool_calls[1].id"


def test_a_failed_result_says_so(body: Any) -> None:
    """An extension that clients of both dialects use."""
    said = {"role": "assistant", "tool_calls": [call("a")]}
    assert turns(body, USER, said, result("a") | {"is_error": True})[2]["content"][0]["is_error"] is True
    assert "is_error" not in turns(body, USER, said, result("a") | {"is_error": False})[2]["content"][0]


def test_whether_a_result_failed_is_yes_or_no(ask: Any) -> None:
    """Nothing else is."""
    said = {"role": "assistant", "tool_calls": [call("a")]}
    assert refused(ask, USER, said, result("a") | {"is_error": "yes"}).param == "messages[2].is_error"


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}, "messages[1].function_call"),
        ({"role": "assistant", "audio": {"id": "a"}}, "messages[1].audio"),
        ({"role": "function", "name": "f", "content": "x"}, "messages[1].role"),
        ({"role": "assistant", "tool_calls": [{"id": "a", "type": "custom", "custom": {}}]}, "messages[1].tool_calls[0].type"),
        ({"role": "assistant", "tool_calls": [call("a", "{}", "no spaces please")]}, "messages[1].tool_calls[0].function.name"),
        ({"role": "assistant", "tool_calls": {}}, "messages[1].tool_calls"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "messages[1].content[0].type"),
        ({"role": "user", "content": [{"type": "hologram"}]}, "messages[1].content[0].type"),
        ({"role": "user", "content": [{}]}, "messages[1].content[0].type"),
        ({"role": "user", "content": [7]}, "messages[1].content[0]"),
        ({"role": "user", "content": 7}, "messages[1].content"),
        ({"role": "user", "content": [{"type": "text", "text": 7}]}, "messages[1].content[0].text"),
        ({"role": "tool", "content": "x"}, "messages[1].tool_call_id"),
        ({"role": "assistant", "thinking_blocks": "x"}, "messages[1].thinking_blocks"),
        ({"role": "assistant", "thinking_blocks": [{"type": "thinking", "signature": 7}]}, "messages[1].thinking_blocks[0].signature"),
        ({"role": "assistant", "thinking_blocks": [{"type": "thinking", "signature": "s", "thinking": 7}]}, "messages[1].thinking_blocks[0].thinking"),
        ({"role": "assistant", "tool_calls": [call("a", {})]}, "messages[1].tool_calls[0].function.arguments"),
    ],
)  # fmt: skip
def test_what_blocks_cannot_say_is_refused_by_name(ask: Any, message: dict[str, Any], param: str) -> None:
    """With the path of the member."""
    assert refused(ask, USER, message).param == param


# --- thinking


def test_thinking_is_sent_back_unchanged_and_first(body: Any) -> None:
    """As it was told, signatures and hidden blocks too; members that the stream added are left out."""
    thought = {"type": "thinking", "thinking": "Hm", "signature": "sig"}
    hidden = {"type": "redacted_thinking", "data": "xyz"}
    said = {
        "role": "assistant",
        "content": "Looking",
        "reasoning_content": "Hm",
        "thinking_blocks": [{"index": 0} | thought, {"index": 1} | hidden],
        "tool_calls": [call("a")],
    }
    found = turns(body, USER, said, result("a"))[1]["content"]
    assert found[:2] == [thought, hidden]
    assert [block["type"] for block in found[2:]] == ["text", "tool_use"]


def test_thinking_without_text_keeps_its_signature(body: Any) -> None:
    """A model that shows no thoughts signs them all the same."""
    said = {"role": "assistant", "content": "A", "thinking_blocks": [{"type": "thinking", "signature": "s"}]}
    assert turns(body, USER, said, USER)[1]["content"][0] == {
        "type": "thinking",
        "thinking": "",
        "signature": "s",
    }


def test_thinking_without_a_signature_is_left_out(ask: Any) -> None:
    """It is another provider's, or ours for clients of the other dialect; it is refused there. The client is told."""
    blocks = [{"type": "thinking", "thinking": "Hm", "signature": ""}]
    asked = ask(messages=[USER, {"role": "assistant", "content": "A", "thinking_blocks": blocks}, USER])
    assert json.loads(asked.body)["messages"][1]["content"] == [text("A")]
    assert asked.dropped == ("thinking_blocks",)


def test_thoughts_of_other_providers_are_left_out(ask: Any) -> None:
    """As plain text they cannot be taken."""
    said = {"role": "assistant", "content": [{"type": "thinking", "thinking": []}, text("A")]}
    asked = ask(messages=[USER, said | {"reasoning_content": "Hm"}, USER])
    assert json.loads(asked.body)["messages"][1]["content"] == [text("A")]
    assert asked.dropped == ("reasoning_content", "thinking")


def test_a_refusal_of_the_assistant_is_its_text(body: Any) -> None:
    """As a member or as a part."""
    member = {"role": "assistant", "content": None, "refusal": "No"}
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "Never"}]}
    assert turns(body, USER, member, part, USER)[1]["content"] == [text("No"), text("Never")]
