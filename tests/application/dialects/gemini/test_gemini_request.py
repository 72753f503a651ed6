"""What of a chat request goes where in Gemini's, and what is refused or dropped."""

import json
from typing import Any

import pytest

from application.dialects.gemini.traits import TRAITS
from application.dialects.gemini.upstream import GeminiUpstream
from application.wire.errors import InvalidRequest
from tests.application.dialects.gemini.gemini_world import USER, Json, asked, body_of, refused, target

TOOL: Json = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def config(chat: Json, *traits: str) -> Json:
    made: Json = body_of(chat, *traits)["generationConfig"]
    return made


def test_the_path_names_model_and_method() -> None:
    """Streams are asked for as events, since without `alt=sse` they come as one array."""
    assert asked({}).path == b"/models/gemini-3.8-flash:generateContent"
    assert asked({}, stream=True).path == b"/models/gemini-3.8-flash:streamGenerateContent?alt=sse"


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-2.5-pro", b"/models/gemini-2.5-pro:generateContent"),
        ("tunedModels/mine-1", b"/tunedModels/mine-1:generateContent"),
        ("gemini-2.0-flash@001", b"/models/gemini-2.0-flash@001:generateContent"),
    ],
)
def test_a_model_may_be_named_with_its_collection(model: str, path: bytes) -> None:
    """As Google's own list of models names them."""
    chat = {"messages": [USER]}
    assert GeminiUpstream().ask(chat, target(model=model), stream=False).path == path


@pytest.mark.parametrize(
    "model",
    ["", "..", "a/../b", "a..b", "a/b", "files/x", "m:x", "m?key=1", "m#", "m%2F..", "m n", "m\n", "ü", "/m"],
)
def test_a_name_never_becomes_another_path(model: str) -> None:
    """What is no plain name is refused, not escaped."""
    with pytest.raises(InvalidRequest) as caught:
        GeminiUpstream().ask({"messages": [USER]}, target(model=model), stream=False)
    assert caught.value.param == "model"


def test_the_bound_is_always_sent() -> None:
    """It is what was held for; the client's own limits are no wider."""
    assert config({"max_tokens": 7_000, "max_completion_tokens": 9_000})["maxOutputTokens"] == 100


def test_sampling_goes_over() -> None:
    """Under Google's names; a seed is folded into 32 bits, empty stops are left out."""
    made = config(
        {
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 40,
            "seed": 2**40 + 5,
            "stop": ["a", ""],
            "n": 2,
            "stream": True,
        }
    )
    assert made == {
        "maxOutputTokens": 100,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "seed": 5,
        "stopSequences": ["a"],
        "candidateCount": 2,
    }
    assert config({"stop": "x"})["stopSequences"] == ["x"]
    assert "stopSequences" not in config({"stop": []})


def test_more_answers_than_a_model_gives_are_refused() -> None:
    """One answer is one answer: nothing is left out silently."""
    assert refused({"n": 9}) == ("unsupported_parameter", "n")
    assert refused({"n": 2}, "one_candidate") == ("unsupported_parameter", "n")
    assert "candidateCount" not in config({"n": 1}, "one_candidate")


def test_penalties_go_only_to_models_that_take_them() -> None:
    """Others answer 400 to anything but 0."""
    chat = {"presence_penalty": 0.5, "frequency_penalty": 0}
    assert config(chat, "penalties") | {} == {
        "maxOutputTokens": 100,
        "presencePenalty": 0.5,
        "frequencyPenalty": 0,
    }
    assert asked(chat).dropped == ("presence_penalty",)
    assert config(chat) == {"maxOutputTokens": 100}


def test_logprobs_go_only_to_models_that_give_them() -> None:
    """Dropped with their name elsewhere."""
    chat = {"logprobs": True, "top_logprobs": 3}
    assert config(chat, "logprobs")["responseLogprobs"] is True
    assert config(chat, "logprobs")["logprobs"] == 3
    assert "logprobs" not in config({"logprobs": True}, "logprobs")
    assert asked(chat).dropped == ("logprobs",)
    assert refused({"logprobs": True, "top_logprobs": 99}, "logprobs") == ("invalid_value", "top_logprobs")


def test_what_has_no_equal_is_named() -> None:
    """Members that are null ask for nothing; names that are no plain names are not repeated."""
    chat = {
        "user": "u",
        "logit_bias": {"1": 2},
        "metadata": None,
        "parallel_tool_calls": False,
        "store": False,
        "x\r\ny": 1,
    }
    assert asked(chat).dropped == ("user", "logit_bias", "parallel_tool_calls")
    assert asked({"parallel_tool_calls": True}).dropped == ()


@pytest.mark.parametrize("name", ["functions", "function_call", "audio", "web_search_options"])
def test_what_would_change_the_answer_is_refused(name: str) -> None:
    """Leaving these out would give another answer than was asked for."""
    assert refused({name: {}}) == ("unsupported_parameter", name)


@pytest.mark.parametrize(
    ("effort", "traits", "want"),
    [
        ("none", ["thinking_level"], {"thinkingLevel": "LOW"}),
        ("none", ["thinking_level", "level_minimal"], {"thinkingLevel": "MINIMAL"}),
        ("minimal", ["thinking_level"], {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("medium", ["thinking_level"], {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        ("medium", ["thinking_level", "no_level_medium"], {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("max", ["thinking_level"], {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("xhigh", ["thinking_level", "level_xhigh"], {"thinkingLevel": "XHIGH", "includeThoughts": True}),
        ("none", ["thinking_budget"], {"thinkingBudget": 0}),
        ("none", ["thinking_budget", "always_thinks"], {"thinkingBudget": 128}),
        ("high", ["thinking_budget"], {"thinkingBudget": 99, "includeThoughts": True}),
        ("low", ["thinking_level", "thinking_budget"], {"thinkingLevel": "LOW", "includeThoughts": True}),
    ],
)
def test_effort_is_a_level_or_a_budget(effort: str, traits: list[str], want: Json) -> None:
    """Never both, which is refused; a budget stays below the bound, of which thoughts are a part."""
    assert config({"reasoning_effort": effort}, *traits)["thinkingConfig"] == want


def test_effort_is_dropped_where_nothing_thinks() -> None:
    """And `none` asks for what happens anyway."""
    assert asked({"reasoning_effort": "high"}).dropped == ("reasoning_effort",)
    assert asked({"reasoning_effort": "none"}).dropped == ()
    assert refused({"reasoning_effort": "enormous"}) == ("invalid_value", "reasoning_effort")


def test_a_format_for_the_answer() -> None:
    """The schema goes as JSON Schema, or as the subset by trait."""
    schema = {"$schema": "x", "type": "object", "properties": {"a": {"type": ["integer", "null"]}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}}
    made = config({"response_format": wanted})
    assert made["responseMimeType"] == "application/json"
    assert made["responseJsonSchema"] == {"type": "object", "properties": schema["properties"]}
    subset = config({"response_format": wanted}, "schema_subset")["responseSchema"]
    assert subset == {"type": "OBJECT", "properties": {"a": {"type": "INTEGER", "nullable": True}}}
    assert config({"response_format": {"type": "json_object"}}) == {
        "maxOutputTokens": 100,
        "responseMimeType": "application/json",
    }
    assert "responseMimeType" not in config({"response_format": {"type": "text"}})


def test_a_format_with_tools_needs_a_newer_model() -> None:
    """Older ones refuse the pair."""
    chat = {"response_format": {"type": "json_object"}, "tools": [TOOL]}
    assert refused(chat) == ("unsupported_parameter", "response_format")
    assert body_of(chat, "json_with_tools")["tools"]


def test_tools_are_declarations_of_one_tool() -> None:
    """Full JSON Schema by default; functions without parameters have none."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    tools = [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": schema, "strict": True},
        },
        {"type": "function", "function": {"name": "g"}},
    ]
    (tool,) = body_of({"tools": tools})["tools"]
    assert tool["functionDeclarations"] == [
        {"name": "f", "description": "d", "parametersJsonSchema": schema},
        {"name": "g"},
    ]
    (tool,) = body_of({"tools": [*tools, TOOL]}, "schema_subset")["tools"]
    assert tool["functionDeclarations"][0]["parameters"] == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING"}},
    }
    assert tool["functionDeclarations"][2] == {"name": "look"}  # an empty object is refused there
    assert "tools" not in body_of({"tools": []})
    assert body_of({"tools": [{"function": {"name": "f"}}]})["tools"]  # as Mistral's clients write it


@pytest.mark.parametrize(
    ("choice", "want"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "look"}},
            {"mode": "ANY", "allowedFunctionNames": ["look"]},
        ),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [{"type": "function", "function": {"name": "look"}}],
                },
            },
            {"mode": "VALIDATED", "allowedFunctionNames": ["look"]},
        ),
    ],
)
def test_the_choice_among_tools(choice: Any, want: Json) -> None:
    """Names go only with modes that take them."""
    body = body_of({"tools": [TOOL], "tool_choice": choice})
    assert body["toolConfig"] == {"functionCallingConfig": want}


def test_a_choice_of_what_is_not_offered_is_refused() -> None:
    """And one without tools means nothing, unless it wants a call."""
    other = {"type": "function", "function": {"name": "other"}}
    assert refused({"tools": [TOOL], "tool_choice": other}) == ("invalid_value", "tool_choice")
    assert refused({"tool_choice": "required"}) == ("invalid_value", "tool_choice")
    assert "toolConfig" not in body_of({"tool_choice": "auto"})


def test_a_providers_own_tools_are_refused() -> None:
    """They have no equal here, and would cost what was not held for."""
    assert refused({"tools": [{"type": "web_search"}]}) == ("unsupported_parameter", "tools[0].type")
    assert refused({"tools": [TOOL, {"type": "custom"}]}) == ("unsupported_parameter", "tools[1].type")


def test_tiers_go_only_to_models_that_have_them() -> None:
    """`auto` leaves it to the provider."""
    assert body_of({"service_tier": "flex"}, "service_tier")["serviceTier"] == "flex"
    assert body_of({"service_tier": "default"}, "service_tier")["serviceTier"] == "standard"
    assert asked({"service_tier": "priority"}).dropped == ("service_tier",)
    assert asked({"service_tier": "auto"}).dropped == ()
    assert refused({"service_tier": "gold"}) == ("invalid_value", "service_tier")


def test_pictures_come_from_models_that_make_them() -> None:
    """Others refuse; text alone is what all do."""
    assert config({"modalities": ["text", "image"]}, "image_output")["responseModalities"] == [
        "TEXT",
        "IMAGE",
    ]
    assert "responseModalities" not in config({"modalities": ["text"]})
    assert refused({"modalities": ["text", "image"]}) == ("unsupported_parameter", "modalities[1]")
    assert refused({"modalities": ["audio"]}, "image_output") == ("unsupported_parameter", "modalities[0]")


@pytest.mark.parametrize(
    ("chat", "param"),
    [
        ({"temperature": "1"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"seed": 1.5}, "seed"),
        ({"stop": [1]}, "stop[0]"),
        ({"stop": {}}, "stop"),
        ({"logprobs": 1}, "logprobs"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": 1}}, "response_format.type"),
        ({"tools": {}}, "tools"),
        ({"tools": [1]}, "tools[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
            "tools[0].function.parameters",
        ),
        ({"tool_choice": 1}, "tool_choice"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": {"type": "custom"}}, "tool_choice.type"),
        ({"reasoning_effort": 1}, "reasoning_effort"),
        ({"service_tier": 1}, "service_tier"),
        ({"modalities": "text"}, "modalities"),
        ({"messages": []}, "messages"),
        ({"messages": [1]}, "messages[0]"),
    ],
)
def test_the_member_that_is_wrong_is_named(chat: Json, param: str) -> None:
    """By its path, never with what it says."""
    assert refused(chat)[1] == param


def test_the_request_is_not_changed() -> None:
    """Another deployment may be asked with it next."""
    chat = {
        "model": "alias",
        "messages": [
            {"role": "system", "content": "s"},
            USER,
            USER,
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "{}"},
        ],
        "tools": [TOOL],
    }
    before = json.dumps(chat)
    for traits in (["schema_subset", "no_system"], ["thought_signatures"]):
        GeminiUpstream().ask(chat, target(*traits), stream=True)
    assert json.dumps(chat) == before


def test_every_trait_has_a_meaning_and_a_source() -> None:
    """One table, without gaps."""
    assert all(trait.meaning and trait.source for trait in TRAITS.values())
    assert len(TRAITS) == 18


def nested(levels: int) -> Json:
    made: Json = {}
    for _ in range(levels):
        made = {"properties": {"a": made}}
    return made


@pytest.mark.parametrize("traits", [[], ["schema_subset"]])
def test_what_is_nested_beyond_reason_is_refused(traits: list[str]) -> None:
    """A schema, or arguments, that our own encoder would not survive."""
    tools = [{"type": "function", "function": {"name": "f", "parameters": nested(3_000)}}]
    assert refused({"tools": tools}, *traits)[0] == "nesting_too_deep"


def test_a_format_without_schema_is_json() -> None:
    """OpenAI's schema is optional."""
    wanted = {"type": "json_schema", "json_schema": {"name": "n"}}
    assert config({"response_format": wanted})["responseMimeType"] == "application/json"
    assert "responseJsonSchema" not in config({"response_format": wanted})


def test_allowed_tools_must_name_some() -> None:
    """And have a mode."""
    for allowed in (
        {"mode": "auto", "tools": []},
        {"mode": "any", "tools": [{"function": {"name": "look"}}]},
    ):
        choice = {"type": "allowed_tools", "allowed_tools": allowed}
        assert refused({"tools": [TOOL], "tool_choice": choice})[1] == "tool_choice.allowed_tools"
