"""The members of a chat request beside its messages: translated, dropped and named, or refused."""

import copy
import json
from typing import Any

import pytest

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


# --- the frame


def test_the_request_goes_to_messages_in_the_older_version(ask: Any) -> None:
    """The newer one takes sampling parameters of no model."""
    asked = ask()
    assert asked.path == b"/v1/messages"
    assert asked.headers == ((b"anthropic-version", b"2023-06-01"),)
    assert asked.dropped == ()


def test_a_plain_request(body: Any) -> None:
    """The target's model and bound, which is required there; the client's own names for both stay with the gateway."""
    assert body(output_tokens=77, max_tokens=5000, max_completion_tokens=900, n=1, stream_options={}) == {
        "model": "claude-x",
        "max_tokens": 77,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }


def test_a_stream_is_asked_for(body: Any) -> None:
    """By the gateway's word, not by the member."""
    assert body(stream=True)["stream"] is True


def test_the_request_is_not_changed(ask: Any) -> None:
    """Another deployment may be asked with it next."""
    part = {"type": "text", "text": "x ", "cache_control": {"type": "ephemeral"}}
    calls = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    chat = {
        "messages": [
            {"role": "assistant", "content": [part]},
            {"role": "assistant", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "a", "content": [part]},
            {"role": "assistant", "content": "Go "},
        ],
        "tools": [tool(parameters=SCHEMA)],
        "response_format": FORM,
        "parallel_tool_calls": False,
    }
    before = copy.deepcopy(chat)
    ask("prefill", **chat)
    assert chat == before


# --- refusals


@pytest.mark.parametrize(
    ("chat", "param"),
    [
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [tool()], "tool_choice": "perhaps"}, "tool_choice"),
        ({"tools": [tool()], "tool_choice": 7}, "tool_choice"),
        ({"tools": [tool()], "tool_choice": function("other")}, "tool_choice.function.name"),
        ({"tools": [tool()], "tool_choice": {"type": "custom"}}, "tool_choice.type"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [7]}, "tools[0]"),
        (
            {
                "tools": [tool()],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "all", "tools": []}},
            },
            "tool_choice.allowed_tools.mode",
        ),
        ({"tools": {}}, "tools"),
        ({"tools": [tool(parameters=[])]}, "tools[0].function.parameters"),
        ({"tools": [tool(description=7)]}, "tools[0].function.description"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {}}, "response_format.type"),
        ({"response_format": {"type": "grammar"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"n": 2}, "n"),
        ({"functions": []}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"audio": {}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"stop": 7}, "stop"),
        ({"stop": ["a", 7]}, "stop"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": []}, "top_p"),
        ({"top_k": 1.5}, "top_k"),
        ({"reasoning_effort": 7}, "reasoning_effort"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"user": 7}, "user"),
        ({"messages": {}}, "messages"),
        ({"messages": [7]}, "messages[0]"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(ask: Any, chat: dict[str, Any], param: str) -> None:
    """Malformed, or something that a client cannot do without."""
    assert refused(ask, **chat).param == param


# --- sampling and stops


def test_temperatures_are_cut_to_the_narrower_range(body: Any) -> None:
    """Two there is one here."""
    assert body("sampling", temperature=1.7)["temperature"] == 1
    assert body("sampling", temperature=0.3, top_p=0.9, top_k=5) | {"messages": 0} == {
        "model": "claude-x", "max_tokens": 4096, "messages": 0, "temperature": 0.3, "top_p": 0.9, "top_k": 5,
    }  # fmt: skip


def test_models_of_the_fourth_line_take_one_of_two(ask: Any, body: Any) -> None:
    """The temperature, if both are there."""
    asked = ask("sampling_one", temperature=0.3, top_p=0.9)
    assert json.loads(asked.body)["temperature"] == 0.3
    assert asked.dropped == ("top_p",)
    assert body("sampling_one", top_p=0.9)["top_p"] == 0.9


def test_newer_models_take_none(ask: Any) -> None:
    """They refuse them, so they are dropped and named."""
    asked = ask(temperature=1, top_p=1, top_k=3)
    assert asked.dropped == ("temperature", "top_p", "top_k")
    assert set(json.loads(asked.body)) == {"model", "max_tokens", "messages"}


def test_a_model_that_thinks_is_not_sampled(ask: Any) -> None:
    """Both together are refused."""
    asked = ask("sampling", "thinking_budget", temperature=0.2, reasoning_effort="low")
    assert asked.dropped == ("temperature",)


def test_stops(ask: Any, body: Any) -> None:
    """One or several; blank ones are refused there, so the client is told that they do not hold."""
    assert body(stop="END")["stop_sequences"] == ["END"]
    assert body(stop=["a", "b"])["stop_sequences"] == ["a", "b"]
    asked = ask(stop=["\n", "a", ""])
    assert json.loads(asked.body)["stop_sequences"] == ["a"]
    assert asked.dropped == ("stop",)
    assert "stop_sequences" not in body(stop="\n\n")


# --- the rest


def test_the_user_is_told_as_a_hash(body: Any) -> None:
    """Personal data is asked not to be sent; the same user is the same hash."""
    user = body(user="ann@example.org")["metadata"]["user_id"]
    assert user == body(user="ann@example.org")["metadata"]["user_id"]
    assert user != body(user="bob@example.org")["metadata"]["user_id"]
    assert "ann" not in user
    assert body(user="ann@example.org", safety_identifier="s") == body(safety_identifier="s")
    assert "metadata" not in body(user="")


@pytest.mark.parametrize(
    ("tier", "translated"), [("auto", "auto"), ("default", "standard_only"), ("priority", "auto")]
)
def test_service_tiers(body: Any, tier: str, translated: str) -> None:
    """Two there."""
    assert body(service_tier=tier)["service_tier"] == translated


@pytest.mark.parametrize("tier", ["flex", 7, []])
def test_other_service_tiers_are_dropped_and_named(ask: Any, tier: object) -> None:
    """The answer comes all the same."""
    asked = ask(service_tier=tier)
    assert asked.dropped == ("service_tier",)


def test_members_without_an_equal_are_dropped_and_named(ask: Any) -> None:
    """Known ones and unknown ones, in their order; those that ask for nothing are not worth a word."""
    asked = ask(
        seed=7, logprobs=True, logit_bias={"1": 2}, presence_penalty=0.5, verbosity="low", thinking={}, speed="fast"
    )  # fmt: skip
    assert asked.dropped == (
        "seed", "logprobs", "logit_bias", "presence_penalty", "verbosity", "thinking", "speed",
    )  # fmt: skip
    hostile = ask(
        **{"x\r\nset-cookie: a": 1, "y" * 65: 1, "": 1}, **{f"m{number}": 1 for number in range(100)}
    )
    assert hostile.dropped[:3] == ("unknown", "m0", "m1")
    assert len(hostile.dropped) == 32
    quiet = ask(
        seed=None, logprobs=False, top_logprobs=0, logit_bias={}, presence_penalty=0, frequency_penalty=0.0,
        modalities=["text"], metadata={"a": "b"}, store=True, stream_options={"include_usage": True},
        prompt_cache_key="k",
    )  # fmt: skip
    assert quiet.dropped == ()
