"""The head of a responses request, and what is refused."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given

from application.dialects.openai.responses.head import parse_responses, patch_responses, responses_prompt
from application.dialects.openai.responses.surface import ResponsesSurface
from application.wire.bounds import ModelLimits, bound_of
from application.wire.errors import InvalidRequest
from tests.application.dialects.openai.odd_json import mutated, values

Json = dict[str, Any]
PLAIN: Json = {"model": "alias", "input": "hi"}
LIMITS = ModelLimits(context_tokens=100_000, output_tokens_max=4_000, image_tokens_max=2_000)


def head_of(**members: Any) -> Any:
    return parse_responses(json.dumps({**PLAIN, **members}).encode())


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        (
            {"prompt_cache_options": {"comparison_response_id": "r"}},
            "prompt_cache_options.comparison_response_id",
        ),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"id": "msg_1"}]}, "input[0]"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
            "input[0].content",
        ),
        (
            {
                "input": [
                    {
                        "type": "computer_call_output",
                        "output": {"type": "computer_screenshot", "file_id": "f"},
                    }
                ]
            },
            "input[0].output",
        ),
        ({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}, "tools[0].vector_store_ids"),
        ({"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, "tools[0].container"),
        (
            {"tools": [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"]}}]},
            "tools[0].container",
        ),
        (
            {
                "tools": [
                    {"type": "shell", "environment": {"type": "container_reference", "container_id": "c"}}
                ]
            },
            "tools[0].environment",
        ),
    ],
)
def test_state_at_a_provider_is_refused_by_name(members: Json, param: str) -> None:
    """Another deployment, or another customer of the same account, must not be reached through it."""
    for read in (lambda request: parse_responses(json.dumps(request).encode()), ResponsesSurface().chat_of):
        with pytest.raises(InvalidRequest) as refusal:
            read({**PLAIN, **members})
        assert (refusal.value.code, refusal.value.param) == ("stateful_not_supported", param)


def test_absent_state_is_not_refused() -> None:
    """SDKs send null and false for what is not wanted."""
    head = head_of(previous_response_id=None, conversation=None, background=False, prompt=None, store=True)
    assert head.model == "alias"


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"model": None}, "missing_required_parameter", "model"),
        ({"model": 1}, "invalid_type", "model"),
        ({"input": None}, "missing_required_parameter", "input"),
        ({"input": 1}, "invalid_type", "input"),
        ({"input": []}, "empty_array", "input"),
        ({"input": ["x"]}, "invalid_type", "input[0]"),
        ({"stream": "yes"}, "invalid_type", "stream"),
        ({"max_output_tokens": 0}, "invalid_value", "max_output_tokens"),
        ({"tools": {}}, "invalid_type", "tools"),
        ({"metadata": []}, "invalid_type", "metadata"),
    ],
)
def test_malformed_members_are_named(members: Json, code: str, param: str) -> None:
    """With the codes of a chat request."""
    with pytest.raises(InvalidRequest) as refusal:
        head_of(**members)
    assert (refusal.value.code, refusal.value.param) == (code, param)


def test_hosted_tools_are_counted_and_those_of_the_client_are_not() -> None:
    """A hosted tool brings tokens that no byte shows; one that nobody knows may."""
    kinds = ("function", "custom", "local_shell", "web_search", "mcp", "image_generation", "invented", None)
    assert head_of(tools=[{"type": kind} for kind in kinds]).provider_tools == 5
    assert (
        head_of(input=[{"type": "additional_tools", "tools": [{"type": "web_search"}]}]).provider_tools == 1
    )


def test_pictures_are_bounded_by_the_piece_and_not_by_their_bytes() -> None:
    """The data URL is most of the body."""
    url = "data:image/png;base64," + "A" * 100_000
    head = head_of(input=[{"role": "user", "content": [{"type": "input_image", "image_url": url}]}])
    assert head.content.images == 1
    assert head.content.inline_bytes == len(url)
    assert bound_of(head, LIMITS).prompt_tokens < 5_000


@pytest.mark.parametrize(
    "item",
    [
        {"role": "user", "content": [{"type": "input_file", "file_url": "https://example.com/a.pdf"}]},
        {"type": "compaction", "encrypted_content": "x"},
        {"type": "invented"},
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_file", "file_data": "x"}],
        },
    ],
)
def test_what_bytes_do_not_bound_takes_the_whole_context(item: Json) -> None:
    """Files, compacted conversations and kinds that nobody knows."""
    assert bound_of(head_of(input=[item]), LIMITS).prompt_tokens == LIMITS.context_tokens


def test_the_bound_of_the_answer_is_the_clients_up_to_the_models() -> None:
    """As for chat."""
    assert bound_of(head_of(max_output_tokens=50), LIMITS).answer_tokens == 50
    assert bound_of(head_of(input="x" * 9_000), LIMITS).prompt_tokens > 9_000
    assert bound_of(head_of(), LIMITS).answer_tokens == 4_000


def test_the_patch_changes_model_bound_and_store_only() -> None:
    """Nothing is kept at the provider, whatever the client asked."""
    body = b'{"input":"hi", "x":1.50,"store":true,"model":"alias"}'
    sent = patch_responses(body, model="theirs", max_output_tokens=9)
    assert sent == b'{"input":"hi","x":1.50,"store":false,"model":"theirs","max_output_tokens":9}'
    assert b"store" not in patch_responses(body, model="theirs", max_output_tokens=9, takes_store=False)


def test_the_text_of_a_prompt_is_found_for_a_local_count() -> None:
    """Instructions, texts of items, arguments and outputs; no inline data."""
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "one"}]},
        {"type": "input_image", "image_url": "data:xx"},
        {"type": "function_call", "name": "two", "arguments": "three", "call_id": "c"},
        {"type": "function_call_output", "output": "four", "call_id": "c"},
    ]
    prompt = responses_prompt(json.dumps({**PLAIN, "instructions": "zero", "input": items}).encode())
    assert prompt is not None
    assert sorted(prompt.texts) == ["four", "one", "three", "two", "zero"]


RICH: Json = {
    "model": "m",
    "instructions": "i",
    "input": [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "u"}],
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "y"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "r"}]},
    ],
    "tools": [
        {"type": "function", "name": "f", "parameters": {}},
        {"type": "custom", "name": "g", "format": {}},
    ],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
    "reasoning": {"effort": "low"},
    "max_output_tokens": 5,
    "top_logprobs": 2,
    "metadata": {"a": "b"},
    "stream": True,
}


@given(mutated(RICH) | values)
def test_requests_are_read_or_refused(document: Any) -> None:
    """Nothing but `InvalidRequest` escapes, from either path."""
    body = json.dumps(document).encode()
    with contextlib.suppress(InvalidRequest):
        parse_responses(body)
        responses_prompt(body)
        patch_responses(body, model="m", max_output_tokens=1)
    if isinstance(document, dict):
        with contextlib.suppress(InvalidRequest):
            ResponsesSurface().chat_of(document)


def test_the_parts_of_a_prompt_are_counted_by_kind() -> None:
    """Sounds, made pictures, odd parts."""
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    flat = {"type": "input_audio", "data": "AA"}
    content = head_of(
        input=[
            {"role": "user", "content": [sound, flat, 5, {"text": "plain"}]},
            {"type": "image_generation_call", "result": "AAAAAAAA"},
        ]
    ).content
    assert (content.audios, content.images, content.opaque, content.inline_bytes) == (2, 1, 0, 4 + 2 + 8)


def test_metadata_and_user_are_kept_for_the_record_within_limits() -> None:
    """As for chat: the rest is the upstream's to judge, a NUL would poison the record."""
    metadata = {f"k{index}": "v" for index in range(20)}
    assert len(head_of(metadata=metadata).metadata) == 16
    assert head_of(metadata={"a": 1, "b": "x" * 600, "c": "ok"}).metadata == {"c": "ok"}
    assert head_of(user="u" * 600).user == "u" * 512
    for members in ({"user": "\0"}, {"metadata": {"a": "\0"}}):
        with pytest.raises(InvalidRequest):
            head_of(**members)


def test_a_patch_may_leave_the_clients_bound() -> None:
    """Where none was held for."""
    body = b'{"model":"a","input":"x","max_output_tokens":5}'
    assert b'"max_output_tokens":5' in patch_responses(body, model="b", max_output_tokens=None)
    assert responses_prompt(b"[]") is None


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({"service_tier": "priority"}, ("service_tier",)),
        ({"service_tier": "auto"}, ()),
        ({"tools": [{"type": "web_search"}]}, ("tools",)),
        ({"tools": [{"type": "function", "name": "f"}]}, ()),
        ({"reasoning": {"mode": "pro"}}, ("reasoning.mode",)),
        ({"reasoning": {"mode": "standard"}}, ()),
        ({"moderation": {"model": "m"}, "context_management": []}, ("moderation",)),
        ({"context_management": [{"type": "compaction"}]}, ("context_management",)),
    ],
)
def test_members_that_spend_beyond_tokens_are_told(members: Json, names: tuple[str, ...]) -> None:
    """As for chat, and those of this endpoint."""
    assert head_of(**members).unpriced == names
