"""The text of a prompt, for a local count."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.wire.prompt import PromptText, prompt_text


def test_everything_that_a_model_is_shown_is_text() -> None:
    """Roles, names, contents, earlier thoughts and calls, tools and schemas; images are none."""
    body = {
        "messages": [
            {"role": "system", "content": "be kind", "name": "sys"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "u"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "hm",
                "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, 7],
            },
            {
                "role": "assistant",
                "refusal": "no",
                "function_call": {"name": "g", "arguments": 5},
                "tool_calls": "odd",
            },
            7,
        ],
        "tools": [{"type": "function"}],
        "response_format": {"type": "text"},
    }
    assert prompt_text(json.dumps(body).encode()) == PromptText(
        [
            *(
                "system",
                "sys",
                "be kind",
                "user",
                "look",
                "assistant",
                "hm",
                "f",
                "{}",
                "assistant",
                "no",
                "g",
            ),
            *('[{"type":"function"}]', '{"type":"text"}'),
        ],
        3 + 4 * 3 + 1,
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages":7}', b"\xff", b"[" * 5_000])
def test_any_other_body_has_no_prompt(body: bytes) -> None:
    """It never raises: what is counted was accepted before, or does not matter."""
    assert prompt_text(body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "name", "tool_calls", "function", "text", "thinking"]),
            inner,
            max_size=4,
        )
    ),
)


@settings(deadline=None)
@given(st.lists(JSON, max_size=4), JSON)
def test_no_messages_raise(messages: list[Any], tools: Any) -> None:
    """Whatever is in them."""
    prompt = prompt_text(json.dumps({"messages": messages, "tools": tools}).encode())
    assert prompt is not None
    assert all(isinstance(text, str) for text in prompt.texts)
