"""What was used: one arithmetic for the charge and for the client."""

from typing import Any

import pytest

from application.dialects.gemini.usage import chat_usage, embedding_figures, figures
from application.wire.usage import Reading
from tests.application.dialects.gemini.gemini_world import Json


def told(**members: Any) -> Json:
    names = {
        "prompt": "promptTokenCount",
        "cached": "cachedContentTokenCount",
        "tools": "toolUsePromptTokenCount",
        "spoken": "candidatesTokenCount",
        "thoughts": "thoughtsTokenCount",
        "total": "totalTokenCount",
    }
    return {names[name]: value for name, value in members.items()}


@pytest.mark.parametrize(
    ("usage", "want", "flags"),
    [
        (told(prompt=10, spoken=5, total=15), (10, 0, 5, 0), []),
        (told(prompt=10, cached=4, tools=3, spoken=5, thoughts=7, total=25), (9, 4, 12, 7), []),
        (told(prompt=10, cached=12, spoken=5, total=15), (0, 10, 5, 0), ["cached_over_prompt", "clamped"]),
        # Zeros may be left out; the total tells them from figures that are missing.
        (told(prompt=10, total=10), (10, 0, 0, 0), []),
        (told(prompt=10, thoughts=4, total=14), (10, 0, 4, 4), []),
        (told(prompt=10, total=17), (10, 0, 7, 0), []),
        (told(spoken=5, total=17), (12, 0, 5, 0), []),
        (told(prompt=10), (10, 0, 0, 0), ["output_missing"]),
        (told(spoken=18, thoughts=58), (0, 0, 76, 58), ["input_missing"]),
        (told(total=9), (0, 0, 0, 0), ["input_missing", "output_missing"]),
        ({"trafficType": "ON_DEMAND"}, (0, 0, 0, 0), ["input_missing", "output_missing"]),
        # An explicit zero is a zero.
        (told(prompt=0, spoken=0, total=0), (0, 0, 0, 0), []),
        (told(prompt=10, spoken=0), (10, 0, 0, 0), []),
        (told(prompt=10, spoken=5, total=99), (10, 0, 5, 0), ["total_mismatch"]),
        (told(prompt=10, total=3), (10, 0, 0, 0), ["total_mismatch"]),
        (told(prompt=-1, spoken=5, total=4), (0, 0, 5, 0), ["absurd", "input_missing"]),
        (told(prompt="10", spoken=True), (0, 0, 0, 0), ["absurd", "input_missing", "output_missing"]),
    ],
)
def test_each_figure_counts_once(usage: Json, want: tuple[int, ...], flags: list[str]) -> None:
    """Fresh with tools and without cached, cached, answer with thoughts, thoughts."""
    reading = Reading(usage)
    read = figures(reading)
    assert (read.fresh, read.cached, read.output, read.reasoning) == want
    assert reading.flags == flags
    assert read.written == 0


def test_the_client_is_told_what_is_charged() -> None:
    """Cached tokens inside the prompt, thoughts inside the completion."""
    assert chat_usage(told(prompt=10, cached=4, tools=3, spoken=5, thoughts=7, total=25)) == {
        "prompt_tokens": 13,
        "completion_tokens": 12,
        "total_tokens": 25,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }


def test_embeddings_count_their_prompt() -> None:
    """And nothing else is missed."""
    reading = Reading(told(prompt=11, total=11))
    assert embedding_figures(reading).fresh == 11
    assert reading.flags == []
    reading = Reading({})
    assert embedding_figures(reading).fresh == 0
    assert reading.flags == ["input_missing"]
