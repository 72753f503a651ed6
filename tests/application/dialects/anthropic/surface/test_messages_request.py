"""Messages requests as chat requests: every row of the table, and what cannot be said."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.dialects.anthropic.surface.surface import MessagesSurface
from application.wire.errors import InvalidRequest
from application.wire.head import parse_chat

PNG = {"type": "base64", "media_type": "image/png", "data": "aGk="}
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
SURFACE = MessagesSurface()


def chat_of(**members: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": "alias",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    } | members
    before = msgspec.json.encode(request)
    chat = SURFACE.chat_of(request)
    assert msgspec.json.encode(request) == before
    parse_chat(msgspec.json.encode(chat))
    return chat


def messages_of(*turns: tuple[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = chat_of(
        messages=[{"role": role, "content": content} for role, content in turns]
    )["messages"]
    return messages


def refused(**members: Any) -> tuple[str, str | None]:
    with pytest.raises(InvalidRequest) as refusal:
        chat_of(**members)
    assert refusal.value.param is None or refusal.value.param in refusal.value.message
    return refusal.value.code, refusal.value.param


def refused_block(block: Any, role: str = "user") -> str | None:
    return refused(messages=[{"role": role, "content": [block]}])[1]


def use(call_id: str = "t1", made_with: Any = None) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "f", "input": {} if made_with is None else made_with}


def result(content: Any, call_id: str = "t1", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content} | more


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": said} | more


# --- messages


def test_the_least_request() -> None:
    """Model, bound and words go over; nothing is added."""
    assert chat_of() == {
        "model": "alias",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    }


def test_stream_is_kept_and_its_options_are_left_to_the_gateway() -> None:
    """Not every provider takes `stream_options`."""
    assert chat_of(stream=True)["stream"] is True
    assert "stream_options" not in chat_of(stream=True)
    assert "stream" not in chat_of(stream=False)


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("Be brief.", "Be brief."),
        ([text("Be brief.", cache_control={"type": "ephemeral"})], "Be brief."),
        ([text("A"), text(""), text("B")], "A\n\nB"),
    ],
)
def test_the_system_prompt_is_the_first_message(system: Any, said: str) -> None:
    """A string, since not every provider takes parts there, without the marks of a cache."""
    assert chat_of(system=system)["messages"][0] == {"role": "system", "content": said}


@pytest.mark.parametrize("system", ["", [], [text("")], None])
def test_an_empty_system_prompt_is_none(system: Any) -> None:
    """Providers refuse empty messages."""
    assert [message["role"] for message in chat_of(system=system)["messages"]] == ["user"]


def test_a_late_system_turn_stays_in_its_place() -> None:
    """Newer requests have them inside the conversation; what changes tools there is left out."""
    later = [{"type": "tool_addition", "tool": {"type": "tool_reference", "name": "f"}}, text("Hurry.")]
    assert messages_of(("user", "a"), ("system", later), ("user", "b"))[1] == {
        "role": "system",
        "content": "Hurry.",
    }


def test_blocks_become_parts_without_marks_and_empty_texts() -> None:
    """`cache_control` is refused by some providers, an empty text by most."""
    block = text("a", cache_control={"type": "ephemeral"})
    assert messages_of(("user", [block, text(""), {"type": "image", "source": PNG}])) == [
        {"role": "user", "content": [text("a"), PNG_PART]}
    ]


def test_an_image_by_address_keeps_it() -> None:
    """It is fetched by the provider; whether it may be is checked elsewhere."""
    block = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert messages_of(("user", [block]))[0]["content"] == [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    ]


def test_results_of_tools_come_before_the_rest_of_their_turn() -> None:
    """Each is a message of its own, right behind the calls, and the words follow."""
    turns = messages_of(
        ("user", "go"),
        ("assistant", [text("Calling."), use("t1", {"a": 1}), use("t2")]),
        ("user", [text("Now?"), result("one"), result([text("two"), text("lines")], "t2", is_error=True)]),
    )
    assert turns[1:] == [
        {
            "role": "assistant",
            "content": "Calling.",
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                {"id": "t2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "one"},
        {"role": "tool", "tool_call_id": "t2", "content": "two\nlines"},
        {"role": "user", "content": "Now?"},
    ]


def test_images_in_results_follow_in_a_users_message() -> None:
    """A tool's message is text only; one that would be empty says where its result is."""
    turns = messages_of(
        ("user", "go"),
        ("assistant", [use("t1"), use("t2")]),
        ("user", [result([{"type": "image", "source": PNG}]), result("ok", "t2"), text("See?")]),
    )
    assert turns[2:] == [
        {"role": "tool", "tool_call_id": "t1", "content": "The result is shown in the next message."},
        {"role": "tool", "tool_call_id": "t2", "content": "ok"},
        {"role": "user", "content": [PNG_PART, text("See?")]},
    ]


def test_a_result_may_be_empty_or_name_tools() -> None:
    """No content is an empty text; a tool that a search has found is told by its name."""
    found = [{"type": "tool_reference", "tool_name": "get_rate"}]
    absent = {"type": "tool_result", "tool_use_id": "t1"}
    assert messages_of(("assistant", [use(), use("t2")]), ("user", [absent, result(found, "t2")]))[1:] == [
        {"role": "tool", "tool_call_id": "t1", "content": ""},
        {"role": "tool", "tool_call_id": "t2", "content": "get_rate"},
    ]


def test_a_call_alone_has_no_content() -> None:
    """`null`, as the dialect has it, and no empty text."""
    assert messages_of(("assistant", [use()]), ("user", [result("x")]))[0]["content"] is None


def test_earlier_thoughts_are_dropped() -> None:
    """Other providers refuse them; those that want them back get them by choice."""
    turns = [
        {"role": "user", "content": "a"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "redacted_thinking", "data": "x"},
                text("b"),
                use(),
            ],
        },
    ]
    assert "reasoning_content" not in chat_of(messages=turns)["messages"][1]
    kept = MessagesSurface(reasoning=True).chat_of({"model": "m", "messages": turns})["messages"][1]
    assert kept["reasoning_content"] == "hm"
    assert (kept["content"], len(kept["tool_calls"])) == ("b", 1)


def test_a_turn_of_which_nothing_is_left_goes() -> None:
    """A turn of thoughts only is no message."""
    thought = {"type": "thinking", "thinking": "hm", "signature": "x"}
    assert len(messages_of(("user", "a"), ("assistant", [thought]), ("user", "b"))) == 2
    assert refused(messages=[{"role": "assistant", "content": [thought]}]) == ("empty_array", "messages")


def test_what_a_provider_did_by_itself_is_not_shown_to_another() -> None:
    """Its searches and their encrypted results go, its words stay; a summary of what was compacted stays too."""
    blocks = [
        {"type": "compaction", "content": "Before: x. "},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        text("Found."),
    ]
    assert messages_of(("assistant", blocks)) == [{"role": "assistant", "content": "Before: x. Found."}]


def test_documents_become_files_or_text() -> None:
    """A PDF is a file, a text is text with its title, and blocks inside are themselves."""
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    plain = {"type": "text", "media_type": "text/plain", "data": "words"}
    inner = {"type": "content", "content": [text("inside"), {"type": "image", "source": PNG}]}
    blocks = [
        {"type": "document", "source": pdf, "title": "a.pdf"},
        {"type": "document", "source": pdf},
        {"type": "document", "source": plain, "title": "Notes", "context": "From me."},
        {"type": "document", "source": inner},
    ]
    file_data = "data:application/pdf;base64,JVBE"
    assert messages_of(("user", blocks))[0]["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": file_data}},
        {"type": "file", "file": {"filename": "document.pdf", "file_data": file_data}},
        text("Notes\nFrom me."),
        text("words"),
        text("inside"),
        PNG_PART,
    ]


def test_a_search_result_is_text() -> None:
    """With its title and source in front, so that the model can name them."""
    block = {
        "type": "search_result",
        "title": "T",
        "source": "https://example.com",
        "content": [text("words")],
    }
    assert messages_of(("user", [block]))[0]["content"] == [text("T\nhttps://example.com"), text("words")]


# --- tools


def test_tools_are_functions() -> None:
    """Schema, description and strictness go over; marks and hints of this dialect do not."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    tools = [
        {"name": "f", "description": "d", "input_schema": schema, "strict": True, "defer_loading": True},
        {"type": "custom", "name": "g", "cache_control": {"type": "ephemeral"}},
    ]
    assert chat_of(tools=tools)["tools"] == [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": schema, "strict": True},
        },
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
    ]


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "any"}, "required"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_every_choice_of_tools_has_an_equal(choice: dict[str, Any], chosen: Any) -> None:
    """And forbidding parallel calls goes along, but where no call is allowed at all."""
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    chat = chat_of(tools=tools, tool_choice=choice)
    assert (chat["tool_choice"], "parallel_tool_calls" in chat) == (chosen, False)
    chat = chat_of(tools=tools, tool_choice=choice | {"disable_parallel_tool_use": True})
    assert chat.get("parallel_tool_calls", True) is (choice["type"] == "none")


def test_a_choice_without_tools_goes() -> None:
    """Providers refuse it."""
    assert "tool_choice" not in chat_of(tool_choice={"type": "auto"})
    assert "tools" not in chat_of(tools=[])


@pytest.mark.parametrize("kind", ["web_search_20250305", "code_execution_20260120", "bash_20250124", 5])
def test_tools_of_the_provider_are_refused_by_name(kind: Any) -> None:
    """Another provider cannot run them, and to leave them out in silence would change the answer."""
    assert refused(tools=[{"name": "a"}, {"type": kind, "name": "x"}]) == (
        "unsupported_parameter",
        "tools[1].type",
    )


def test_a_search_among_tools_goes_and_all_tools_are_shown() -> None:
    """Deferred ones too: the model sees what it would have found."""
    tools = [
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
        {"name": "f", "input_schema": {"type": "object"}, "defer_loading": True},
    ]
    assert [tool["function"]["name"] for tool in chat_of(tools=tools)["tools"]] == ["f"]
    assert "tools" not in chat_of(tools=tools[:1])


# --- options


def test_sampling_and_stops_go_over() -> None:
    """`top_k` has no equal and goes; what only marks or meters does as well."""
    chat = chat_of(
        temperature=0.5,
        top_p=1,
        top_k=4,
        stop_sequences=["a", "b"],
        cache_control={"type": "ephemeral"},
        speed="fast",
        context_management={"edits": []},
    )
    assert {name: chat[name] for name in chat.keys() - {"model", "messages", "max_tokens"}} == {
        "temperature": 0.5,
        "top_p": 1,
        "stop": ["a", "b"],
    }
    assert "stop" not in chat_of(stop_sequences=[])


@pytest.mark.parametrize(
    ("budget", "effort"),
    [(1_024, "low"), (1_999, "low"), (2_000, "medium"), (7_999, "medium"), (8_000, "high")],
)
def test_a_budget_of_thinking_is_an_effort(budget: int, effort: str) -> None:
    """There is no exact equal; the steps are ours."""
    assert chat_of(thinking={"type": "enabled", "budget_tokens": budget})["reasoning_effort"] == effort


def test_an_effort_goes_over_and_wins() -> None:
    """The named effort is exact, a budget is not."""
    thinking = {"type": "enabled", "budget_tokens": 1_024}
    assert chat_of(thinking=thinking, output_config={"effort": "max"})["reasoning_effort"] == "max"


@pytest.mark.parametrize("kind", ["disabled", "adaptive", "between_tools"])
def test_other_thinking_is_left_to_the_model(kind: str) -> None:
    """How a provider is told to think or not differs from model to model."""
    assert "reasoning_effort" not in chat_of(thinking={"type": kind})


@pytest.mark.parametrize(
    "open_object", [{"type": "object"}, {"type": "object", "additionalProperties": False}]
)
def test_an_open_schema_is_not_asked_for_strictly(open_object: dict[str, Any]) -> None:
    """Strict mode would refuse it, and with it the request."""
    schema = {"$defs": {"x": open_object}, "anyOf": [5, {"type": "string"}]}
    form = {"type": "json_schema", "schema": schema}
    assert "strict" not in chat_of(output_format=form)["response_format"]["json_schema"]


@pytest.mark.parametrize("member", ["output_config", "output_format"])
@pytest.mark.parametrize("strict", [True, False])
def test_a_schema_of_the_answer_goes_over(member: str, strict: bool) -> None:
    """Under both names that it has had; strictly where strict mode would take the schema."""
    inner = {"type": "object", "properties": {"b": {}}, "required": ["b"] if strict else []}
    schema = {
        "type": "object",
        "properties": {"a": {"anyOf": [inner | {"additionalProperties": False}]}},
        "required": ["a"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "schema": schema}
    chat = chat_of(**{member: {"format": form} if member == "output_config" else form})
    expected: dict[str, Any] = {"name": "output", "schema": schema} | ({"strict": True} if strict else {})
    assert chat["response_format"] == {"type": "json_schema", "json_schema": expected}


def test_the_user_and_the_tier_go_over() -> None:
    """Under the names that they have there."""
    chat = chat_of(metadata={"user_id": "u"}, service_tier="standard_only", inference_geo="global")
    assert (chat["user"], chat["service_tier"]) == ("u", "default")
    assert "service_tier" not in chat_of(service_tier="auto")


# --- refusals


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{"name": "x"}]}, "mcp_servers"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": [{"name": "f"}], "tool_choice": {"type": "later"}}, "tool_choice.type"),
        ({"output_format": {"type": "xml"}}, "output_format.type"),
    ],
)
def test_what_only_this_dialect_has_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    """Where leaving it out would change what the client gets."""
    assert refused(**members) == ("unsupported_parameter", param)


@pytest.mark.parametrize(
    ("block", "role", "member"),
    [
        ({"type": "container_upload", "file_id": "f"}, "user", "type"),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "user", "source.type"),
        ({"type": "document", "source": {"type": "url", "url": "u"}}, "user", "source.type"),
        ({"type": "document", "source": {"type": "file", "file_id": "f"}}, "user", "source.type"),
        ({"type": "image", "source": PNG}, "assistant", "type"),
        ({"type": "image", "source": PNG}, "system", "type"),
        ({"type": "tool_use", "id": "a", "name": "b", "input": {}}, "user", "type"),
        (
            {"type": "document", "source": {"type": "content", "content": [{"type": "document"}]}},
            "user",
            "source.content[0].type",
        ),
        ({}, "user", "type"),
        ({"type": []}, "assistant", "type"),
    ],
)
def test_blocks_without_an_equal_are_refused_by_name(block: dict[str, Any], role: str, member: str) -> None:
    """Files live in one account at one provider; the rest has no part."""
    assert refused_block(block, role) == f"messages[0].content[0].{member}"


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"messages": None}, "empty_array", "messages"),
        ({"messages": {}}, "invalid_type", "messages"),
        ({"messages": [5]}, "invalid_type", "messages[0]"),
        ({"messages": [{}]}, "missing_required_parameter", "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "missing_required_parameter", "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "unsupported_parameter", "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "invalid_type", "messages[0].content"),
        ({"messages": [{"role": "user", "content": [5]}]}, "invalid_type", "messages[0].content[0]"),
        ({"model": 5}, "invalid_type", "model"),
        ({"stream": 1}, "invalid_type", "stream"),
        ({"temperature": True}, "invalid_type", "temperature"),
        ({"max_tokens": 1.0}, "invalid_type", "max_tokens"),
        ({"max_tokens": -1}, "invalid_value", "max_tokens"),
        ({"stop_sequences": "a"}, "invalid_type", "stop_sequences"),
        ({"tools": {}}, "invalid_type", "tools"),
        ({"tools": [{}]}, "missing_required_parameter", "tools[0].name"),
        ({"tools": [{"name": "f", "input_schema": []}]}, "invalid_type", "tools[0].input_schema"),
        ({"tools": [{"name": "f"}], "tool_choice": "auto"}, "invalid_type", "tool_choice"),
        ({"thinking": "yes"}, "invalid_type", "thinking"),
        ({"thinking": {"type": "enabled"}}, "missing_required_parameter", "thinking.budget_tokens"),
        ({"output_config": {"effort": "huge"}}, "invalid_value", "output_config.effort"),
        ({"output_format": "markdown"}, "invalid_type", "output_format"),
        ({"metadata": {"user_id": 5}}, "invalid_type", "metadata.user_id"),
        ({"service_tier": "fast"}, "invalid_value", "service_tier"),
        ({"system": 5}, "invalid_type", "system"),
    ],
)
def test_what_is_malformed_is_refused_by_name(members: dict[str, Any], code: str, param: str) -> None:
    """With the place, and never with what stands there."""
    assert refused(**members) == (code, param)


def test_a_call_needs_its_members() -> None:
    """Each is named."""
    assert (
        refused_block({"type": "tool_use", "name": "f", "input": {}}, "assistant")
        == "messages[0].content[0].id"
    )
    assert refused_block(use(made_with="x"), "assistant") == "messages[0].content[0].input"
    assert refused_block({"type": "tool_result"}) == "messages[0].content[0].tool_use_id"
    assert refused_block({"type": "image"}) == "messages[0].content[0].source"


def test_nesting_that_cannot_be_followed_is_refused() -> None:
    """A call's input is written anew, and no stack is deep enough for every input."""
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(InvalidRequest) as refusal:
        SURFACE.chat_of({"model": "m", "messages": [{"role": "assistant", "content": [use(made_with=deep)]}]})
    assert refusal.value.code == "nesting_too_deep"
    while deep:
        deep = deep["a"]  # taken apart by hand: freeing it at once would nest as deep


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**40) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
SOURCE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["base64", "url", "text", "content", "file"]) | ANY,
        "media_type": st.just("a/b") | ANY,
        "data": st.just("aGk=") | ANY,
        "url": ANY,
        "content": ANY,
    },
)
KINDS: list[Any] = [
    "text", "image", "document", "search_result", "tool_reference", "tool_use", "tool_result", "thinking",
    "redacted_thinking", "server_tool_use", "web_search_tool_result", "compaction", "tool_addition",
]  # fmt: skip
BLOCK: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: st.fixed_dictionaries(
        {"type": st.sampled_from(KINDS) | ANY},
        optional={
            "text": st.text(max_size=5) | ANY,
            "thinking": st.text(max_size=5) | ANY,
            "source": SOURCE | ANY,
            "title": ANY,
            "tool_name": st.text(max_size=5) | ANY,
            "id": st.just("t") | ANY,
            "name": st.just("f") | ANY,
            "input": st.dictionaries(st.text(max_size=3), ANY, max_size=2) | ANY,
            "tool_use_id": st.just("t") | ANY,
            "content": st.text(max_size=5) | st.lists(BLOCK, max_size=2) | ANY,
            "cache_control": ANY,
        },
    )
)
TURN = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", "system"]) | ANY,
        "content": st.text(max_size=5) | st.lists(BLOCK, max_size=4) | ANY,
    },
)
REQUEST = st.fixed_dictionaries(
    {},
    optional={
        "model": st.just("m") | ANY,
        "max_tokens": st.integers(1, 99) | ANY,
        "messages": st.lists(TURN, max_size=4) | ANY,
        "system": st.text(max_size=5) | st.lists(BLOCK, max_size=2) | ANY,
        "tools": st.lists(
            st.fixed_dictionaries(
                {}, optional={"name": st.just("f") | ANY, "type": ANY, "input_schema": ANY}
            ),
            max_size=2,
        )
        | ANY,
        "tool_choice": st.fixed_dictionaries(
            {}, optional={"type": st.sampled_from(["auto", "any", "tool", "none"]) | ANY, "name": ANY}
        )
        | ANY,
        "thinking": st.fixed_dictionaries(
            {}, optional={"type": st.just("enabled") | ANY, "budget_tokens": ANY}
        )
        | ANY,
        "output_config": st.fixed_dictionaries(
            {},
            optional={
                "effort": ANY,
                "format": st.fixed_dictionaries({}, optional={"type": ANY, "schema": ANY}),
            },
        )
        | ANY,
        "metadata": st.dictionaries(st.just("user_id"), ANY) | ANY,
        "stop_sequences": ANY,
        "service_tier": ANY,
        "temperature": ANY,
        "stream": ANY,
    },
)


@settings(max_examples=250, deadline=None)
@given(REQUEST)
def test_every_request_is_translated_or_refused(request: dict[str, Any]) -> None:
    """Nothing but `InvalidRequest` comes out, and a translation passes the gateway's own check of chat requests."""
    try:
        chat = SURFACE.chat_of(request)
    except InvalidRequest:
        return
    if 1 <= len(chat["model"]) <= 200 and chat["model"].isprintable() and "\0" not in chat.get("user", ""):
        parse_chat(msgspec.json.encode(chat))
