"""The worst case of a request: never below what a tokenizer counts, never below what a provider reported."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.tokenizer.counter import TiktokenCounter
from application.wire.bounds import Bound, ModelLimits, bound_of, prompt_bound, widest_limits
from application.wire.head import parse_chat
from application.wire.prompt import prompt_text

LIMITS = ModelLimits(context_tokens=1_000_000, output_tokens_max=4_096)


def body(content: Any = "hi", **members: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}]} | members).encode()


@pytest.fixture(scope="module")
def counter() -> TiktokenCounter:
    return TiktokenCounter()


@pytest.mark.parametrize(
    ("members", "answer", "output"),
    [
        ({}, 4_096, 4_096),
        ({"max_tokens": 10}, 10, 10),
        ({"max_completion_tokens": 10, "max_tokens": 20}, 10, 10),
        ({"max_tokens": 1_000_000}, 4_096, 4_096),
        ({"max_tokens": 10, "n": 128}, 10, 1_280),
        ({"n": 3}, 4_096, 12_288),
    ],
)
def test_the_answer_is_bounded_for_every_choice(members: dict[str, int], answer: int, output: int) -> None:
    """An absent or huge bound is the model's; `n` choices cost `n` times."""
    bound = bound_of(parse_chat(body(**members)), LIMITS)
    assert (bound.answer_tokens, bound.output_tokens) == (answer, output)


def test_a_prediction_adds_its_bytes_to_the_output() -> None:
    """Predicted tokens that the model rejects are billed as output, beyond `max_tokens`."""
    data = body(max_tokens=5, prediction={"type": "content", "content": "x" * 1_000})
    assert bound_of(parse_chat(data), LIMITS).output_tokens == 5 + len(data)


def test_the_prompt_is_bounded_by_its_bytes_and_what_a_template_adds() -> None:
    """Bytes of the body, 16 a message, 1,024 a request."""
    data = body()
    assert bound_of(parse_chat(data), LIMITS) == Bound(
        prompt_tokens=len(data) + 16 + 1_024, answer_tokens=4_096, output_tokens=4_096
    )


def test_no_prompt_is_larger_than_the_context() -> None:
    """A model cannot read more than it can read; the provider refuses what is longer."""
    small = ModelLimits(context_tokens=100, output_tokens_max=10)
    assert prompt_bound(parse_chat(body("x" * 10_000)), small) == 100


def test_images_and_clips_count_by_piece_and_not_by_byte() -> None:
    """Their base64 leaves the count, their figure comes in."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 50_000}}
    clip = {"type": "input_audio", "input_audio": {"data": "A" * 50_000}}
    limits = ModelLimits(
        context_tokens=10**6, output_tokens_max=10, image_tokens_max=1_000, audio_tokens_max=2_000
    )
    tokens = prompt_bound(parse_chat(body([image, image, clip])), limits)
    assert 2 * 1_000 + 2_000 < tokens < 2 * 1_000 + 2_000 + 2_000


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "A"}},
        {"type": "file", "file": {"file_id": "f"}},
        {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
        {"type": "made_up_tomorrow"},
    ],
)
def test_a_piece_without_a_figure_takes_the_whole_context(part: dict[str, Any]) -> None:
    """What nothing bounds is bounded by what the model can read at all."""
    assert prompt_bound(parse_chat(body([part])), LIMITS) == LIMITS.context_tokens


TEXT = st.text(max_size=400) | st.text(alphabet="\u0e33\ufdfa😀\u200d\u0301 \n\t<|>", max_size=200)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXT})
TOOL = st.fixed_dictionaries(
    {
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": st.text(max_size=30), "description": TEXT}),
    }
)


@settings(deadline=None)
@given(st.lists(MESSAGE, min_size=1, max_size=6), st.lists(TOOL, max_size=3), st.booleans())
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4"])
def test_no_tokenizer_counts_more_than_the_bound(
    counter: TiktokenCounter,
    model: str,
    messages: list[dict[str, str]],
    tools: list[dict[str, Any]],
    ascii_only: bool,
) -> None:
    """A byte-level token covers at least one byte; tested with both vocabularies and text that tokenizes badly."""
    data = json.dumps({"model": "m", "messages": messages, "tools": tools}, ensure_ascii=ascii_only).encode()
    prompt = prompt_text(data)
    assert prompt is not None
    assert counter.count_prompt(prompt, model=model) <= prompt_bound(parse_chat(data), LIMITS)


@pytest.mark.parametrize(
    "members",
    [
        {"tools": [{"type": "openrouter:web_search"}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}, "odd"]},
        {"web_search_options": {}},
        {"search_parameters": {"mode": "on"}},
        {"search_settings": {"exclude_domains": []}},
        {"plugins": [{"id": "web"}]},
    ],
)
def test_a_prompt_that_the_provider_extends_takes_the_whole_context(members: dict[str, Any]) -> None:
    """Search results and other models' answers are billed as prompt; eight thousand tokens were recorded for 274 bytes."""
    assert prompt_bound(parse_chat(body(**members)), LIMITS) == LIMITS.context_tokens


def test_a_function_without_a_type_is_the_clients_own_tool() -> None:
    """As Mistral's clients write it; nothing but the bytes of it is added to the prompt."""
    head = parse_chat(body(tools=[{"function": {"name": "f"}}]))
    assert (head.provider_tools, head.unpriced) == (0, ())


SEARCHES_UNASKED = {"compound-beta", "groq/compound"}


def test_no_provider_reported_more_prompt_tokens_than_the_bound(requests: list[dict[str, Any]]) -> None:
    """Over all recorded requests with text only, but for a model that searches the web unasked."""
    checked = 0
    for case in requests:
        usage = case["usage"]
        if not usage or not usage.get("prompt_tokens") or "elided" in case["tags"]:
            continue
        head = parse_chat(
            json.dumps(case["request_body"], separators=(",", ":"), ensure_ascii=False).encode()
        )
        if (
            head.content.images
            or head.content.audios
            or head.content.opaque
            or head.model in SEARCHES_UNASKED
        ):
            continue
        checked += 1
        assert usage["prompt_tokens"] <= prompt_bound(head, LIMITS), case["id"]
    assert checked > 1_200


def test_the_widest_limits_are_those_of_no_single_model() -> None:
    """Each figure is the largest, and where one model has none for a piece, its whole context may be taken."""
    one = ModelLimits(context_tokens=10, output_tokens_max=4, image_tokens_max=3, audio_tokens_max=1)
    two = ModelLimits(context_tokens=20, output_tokens_max=2, image_tokens_max=2, request_tokens=2_000)
    assert widest_limits([one, two]) == ModelLimits(
        context_tokens=20,
        output_tokens_max=4,
        image_tokens_max=3,
        audio_tokens_max=None,
        request_tokens=2_000,
    )
    assert widest_limits([one]) is one
