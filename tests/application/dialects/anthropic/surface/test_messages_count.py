"""Local estimates for `/v1/messages/count_tokens`, and for answers whose provider tells no usage."""

import json
from typing import Any

from anthropic.types import MessageTokensCount
from hypothesis import given
from hypothesis import strategies as st

from application.dialects.anthropic.surface.counting import IMAGE_TOKENS, count_answer, estimate_tokens
from application.dialects.anthropic.surface.prompt import prompt_of
from application.wire.prompt import PromptText
from application.wire.tokens import TokenCounter


class WordCounter:
    """A counter whose vocabulary is whole words."""

    def count_text(self, text: str, *, model: str = "") -> int:
        return len(text.split())

    def count_prompt(self, prompt: PromptText, *, model: str = "") -> int:
        return sum(self.count_text(text) for text in prompt.texts)


COUNTER: TokenCounter = WordCounter()


def estimate(**members: Any) -> int:
    request = {"model": "m", "messages": [{"role": "user", "content": "four words of text"}]} | members
    return estimate_tokens(request, COUNTER, model="m")


def test_texts_of_all_turns_are_counted() -> None:
    """Roles are a word each; the system prompt, calls and results count, marks and thoughts do not."""
    assert estimate() == 5
    assert estimate(system="be brief") == 7
    assert (
        estimate(system=[{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]) == 7
    )
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "one two"}}
    result = {
        "type": "tool_result",
        "tool_use_id": "t",
        "content": [{"type": "text", "text": "three more words"}],
    }
    thought = {"type": "thinking", "thinking": "not counted at all", "signature": "x"}
    turns = [{"role": "assistant", "content": [thought, call]}, {"role": "user", "content": [result]}]
    assert estimate(messages=turns) == 1 + 1 + 2 + 1 + 3


def test_documents_that_are_text_are_counted() -> None:
    """With their title; the data of others is no text."""
    source = {"type": "text", "media_type": "text/plain", "data": "two words"}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    turns = [
        {
            "role": "user",
            "content": [
                {"type": "document", "title": "one", "source": source},
                {"type": "document", "source": pdf},
            ],
        }
    ]
    assert estimate(messages=turns) == 1 + 1 + 2


def test_tools_are_counted() -> None:
    """Their schemas are part of the prompt; a provider's own are no reason to refuse."""
    assert estimate(tools=[{"name": "f", "description": "two words"}]) == 5 + 2
    assert estimate(tools=[{"type": "web_search_20250305", "name": "web_search"}]) == 5 + 1


def test_an_image_has_a_figure() -> None:
    """Its bytes say nothing, and nothing is too little."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    turns = [{"role": "user", "content": [image, {"type": "text", "text": "what is it"}]}]
    assert estimate(messages=turns) == 1 + 3 + IMAGE_TOKENS


def test_the_template_is_counted_per_turn() -> None:
    """As for chat requests."""
    prompt = prompt_of(b'{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}')
    assert prompt == PromptText(["user", "a", "user", "b"], 3 + 3 + 3)


def test_the_answer_has_its_shape() -> None:
    """As the SDK's type has it."""
    assert json.loads(count_answer(7)) == {"input_tokens": 7}
    MessageTokensCount.model_validate_json(count_answer(7), strict=True)


def test_what_is_no_request_has_no_prompt() -> None:
    """Nothing is counted then."""
    assert prompt_of(b"x") is None
    assert prompt_of(b"[]") is None


def test_nesting_that_cannot_be_written_counts_as_nothing() -> None:
    """A call's input is counted as it is written."""
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert estimate(tools=[deep]) == 5
    while deep:
        deep = deep["a"]  # taken apart by hand: freeing it at once would nest as deep


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "source", "data", "input", "text"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["system", "messages", "tools"]), ODD))
def test_no_request_raises(request: dict[str, Any]) -> None:
    """Every member may have any type."""
    prompt = prompt_of(json.dumps(request).encode())
    assert prompt is not None
    assert all(isinstance(text, str) for text in prompt.texts)
