"""The head of a messages request: what prices, bounds and routes it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.dialects.anthropic.surface.head import parse_count, parse_messages
from application.wire.bounds import ModelLimits, bound_of
from application.wire.errors import InvalidRequest
from application.wire.head import ChatHead

LEAST: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
LIMITS = ModelLimits(context_tokens=200_000, output_tokens_max=8_000, image_tokens_max=1_600)


def head_of(**members: Any) -> ChatHead:
    return parse_messages(json.dumps(LEAST | members).encode())


def with_blocks(*blocks: Any) -> ChatHead:
    return head_of(messages=[{"role": "user", "content": list(blocks)}])


def refused(body: bytes) -> tuple[str, str | None]:
    with pytest.raises(InvalidRequest) as refusal:
        parse_messages(body)
    return refusal.value.code, refusal.value.param


def test_the_head_bounds_as_that_of_a_chat_request() -> None:
    """Its bytes bound the prompt, `max_tokens` the answer."""
    head = head_of(stream=True, metadata={"user_id": "u"})
    assert (head.model, head.stream, head.include_usage, head.n, head.user) == ("m", True, True, 1, "u")
    bound = bound_of(head, LIMITS)
    assert bound.answer_tokens == bound.output_tokens == 9
    assert bound.prompt_tokens == head.body_bytes + 16 + 1_024


def test_the_system_prompt_counts_as_a_message() -> None:
    """A template wraps it as well."""
    assert head_of(system="x").content.messages == 2


def test_max_tokens_is_required() -> None:
    """Zero, which fills a cache and answers nothing, is allowed; a count of tokens needs none."""
    body = json.dumps({"model": "m", "messages": LEAST["messages"]}).encode()
    assert refused(body) == ("missing_required_parameter", "max_tokens")
    assert parse_count(body).output_limit is None
    assert bound_of(head_of(max_tokens=0), LIMITS).output_tokens == 0


def test_images_are_counted_and_their_data_is_no_text() -> None:
    """In a turn, in a tool's result, and inside a document."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 400}}
    by_address = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    inside = {"type": "document", "source": {"type": "content", "content": [image]}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image, {"type": "text", "text": "x"}]}
    content = with_blocks(image, by_address, result, inside).content
    assert (content.images, content.inline_bytes, content.opaque) == (4, 1_200, 0)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": "x"},
        {"type": "thinking", "thinking": "x", "signature": "y"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        {"type": "tool_result", "tool_use_id": "t", "content": "x"},
        {"type": "tool_result", "tool_use_id": "t"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
        {
            "type": "search_result",
            "title": "t",
            "source": "s",
            "content": [],
            "citations": {"enabled": False},
        },
    ],
)
def test_text_is_bounded_by_its_bytes(block: dict[str, Any]) -> None:
    """Whatever kind of block spells it."""
    assert with_blocks(block).content.opaque == 0


@pytest.mark.parametrize(
    "block",
    [
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
        {"type": "document", "source": {"type": "text", "data": "x"}, "citations": {"enabled": True}},
        {"type": "document"},
        {"type": "container_upload", "file_id": "f"},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "kind_of_next_year"},
        {},
    ],
)
def test_what_bytes_do_not_bound_takes_the_whole_context(block: dict[str, Any]) -> None:
    """Files, what is stored encrypted, what citations cut up, and what we do not know."""
    head = with_blocks(block)
    assert head.content.opaque == 1
    assert bound_of(head, LIMITS).prompt_tokens == 200_000


@pytest.mark.parametrize(
    ("members", "count"),
    [
        ({}, 0),
        ({"tools": [{"name": "f"}, {"type": "custom", "name": "g"}]}, 0),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, 1),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}, {"type": 5}]}, 2),
        ({"mcp_servers": [{"type": "url"}]}, 1),
        ({"mcp_servers": []}, 0),
        ({"context_management": {"edits": [{"type": "compact_20260112"}]}}, 1),
        ({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}, 0),
        ({"context_management": {"edits": [{"type": 5}, {"type": "edit_of_next_year"}]}}, 2),
        ({"container": "c"}, 1),
    ],
)
def test_what_the_provider_does_by_itself_is_counted(members: dict[str, Any], count: int) -> None:
    """Searches, servers, containers, compaction, and tools whose schema is not in the body."""
    head = head_of(**members)
    assert head.provider_tools == count
    assert (bound_of(head, LIMITS).prompt_tokens == 200_000) is (count > 0)


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"model": ""}, "invalid_value", "model"),
        ({"model": None}, "missing_required_parameter", "model"),
        ({"model": "a\x07"}, "invalid_value", "model"),
        ({"model": "a" * 201}, "invalid_value", "model"),
        ({"max_tokens": True}, "invalid_type", "max_tokens"),
        ({"max_tokens": -1}, "invalid_value", "max_tokens"),
        ({"max_tokens": 2**31}, "invalid_value", "max_tokens"),
        ({"stream": "yes"}, "invalid_type", "stream"),
        ({"messages": None}, "missing_required_parameter", "messages"),
        ({"messages": "x"}, "invalid_type", "messages"),
        ({"messages": []}, "empty_array", "messages"),
        ({"messages": [5]}, "invalid_type", "messages[0]"),
        ({"messages": [{"content": "x"}]}, "missing_required_parameter", "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "invalid_value", "messages[0].role"),
        ({"messages": [{"role": [], "content": "x"}]}, "invalid_value", "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "missing_required_parameter", "messages[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "invalid_type", "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "invalid_type", "messages[0].content[0]"),
        ({"tools": {}}, "invalid_type", "tools"),
        ({"context_management": []}, "invalid_type", "context_management"),
        ({"context_management": {"edits": 5}}, "invalid_type", "context_management.edits"),
        ({"thread": {"type": "create"}}, "thread_unsupported_request", "thread"),
        (
            {"thread": {"type": "continue", "previous_message_id": "msg_1"}},
            "thread_unsupported_request",
            "thread",
        ),
        ({"metadata": []}, "invalid_type", "metadata"),
        ({"metadata": {"user_id": 5}}, "invalid_type", "metadata.user_id"),
        ({"metadata": {"user_id": "a\0"}}, "invalid_value", "metadata.user_id"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(members: dict[str, Any], code: str, param: str) -> None:
    """Before anything is held."""
    assert refused(json.dumps(LEAST | members).encode()) == (code, param)


def test_no_thread_is_no_reference_to_one() -> None:
    """SDKs that turn threads off may say so."""
    assert head_of(thread=None).model == "m"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":"a","model":"b"}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """As on every other endpoint."""
    refused(body)


def test_the_users_name_is_cut() -> None:
    """It is for the record."""
    user = head_of(metadata={"user_id": "u" * 600}).user
    assert user == "u" * 512


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "source", "data", "citations", "user_id"]), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["model", "max_tokens", "messages", "tools", "metadata", "stream"]), ANY)
)
def test_no_request_raises_anything_but_a_refusal(members: dict[str, Any]) -> None:
    """Every member may have any type."""
    for request in (members, LEAST | members, LEAST | {"messages": [{"role": "user", "content": [members]}]}):
        try:
            head = parse_messages(json.dumps(request).encode())
        except InvalidRequest:
            continue
        assert bound_of(head, LIMITS).prompt_tokens > 0
