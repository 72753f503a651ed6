"""Figures from Anthropic's usage objects, whole and streamed."""

from typing import Any

import pytest

from application.dialects.anthropic.usage import StreamUsage, chat_usage, figures
from application.wire.usage import TOKENS_MAX, Figures, Reading


def read(**usage: Any) -> tuple[Figures, list[str]]:
    reading = Reading(usage)
    return figures(reading), list(reading.flags)


def test_cached_and_written_tokens_stand_beside_the_input() -> None:
    """Nothing is taken off `input_tokens`, even where the cache is larger."""
    found, flags = read(
        input_tokens=4, cache_read_input_tokens=900, cache_creation_input_tokens=50, output_tokens=7
    )
    assert (found.fresh, found.cached, found.written, found.output) == (4, 900, 50, 7)
    assert flags == []


@pytest.mark.parametrize(
    ("total", "short", "long", "written", "written_long"),
    [
        (100, 70, 30, 100, 30),
        (100, 0, 0, 100, 0),  # the split is stale: the rest is for five minutes
        (100, 20, 30, 100, 30),
        (40, 0, 100, 40, 40),  # a split from before, larger than what was written in the end
        (None, 20, 30, 50, 30),
        (0, 0, 0, 0, 0),
    ],
)
def test_a_cache_write_is_split_by_lifetime(
    total: int | None, short: int, long: int, written: int, written_long: int
) -> None:
    """The total counts; what is not shown as kept for an hour is kept for five minutes."""
    found, _ = read(
        input_tokens=1,
        output_tokens=1,
        cache_creation_input_tokens=total,
        cache_creation={"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
    )
    assert (found.written, found.written_long) == (written, written_long)


def test_a_compaction_is_charged_by_the_sum_of_its_iterations() -> None:
    """The figures at the top are those of the last iteration only."""
    found, flags = read(
        input_tokens=181,
        output_tokens=8,
        cache_read_input_tokens=0,
        iterations=[
            {"type": "compaction", "input_tokens": 100, "output_tokens": 83, "cache_read_input_tokens": 5000},
            {
                "type": "message",
                "input_tokens": 181,
                "output_tokens": 8,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_1h_input_tokens": 9},
            },
        ],
    )
    assert found == Figures(fresh=281, cached=5000, written=9, written_long=9, output=91, reasoning=0)
    assert flags == []


def test_an_advisor_is_charged_too() -> None:
    """Its tokens are in no figure at the top, which is the sum of the messages."""
    found, _ = read(
        input_tokens=30,
        output_tokens=3,
        iterations=[
            {"type": "message", "input_tokens": 10, "output_tokens": 1},
            {"type": "advisor_message", "input_tokens": 500, "output_tokens": 50},
            {"type": "message", "input_tokens": 20, "output_tokens": 2},
        ],
    )
    assert (found.fresh, found.output) == (530, 53)


def test_iterations_that_the_top_includes_are_not_added_again() -> None:
    """Turns of a server-side loop are in the figures at the top; a refused try before a fallback is not billed."""
    loop, _ = read(
        input_tokens=30,
        output_tokens=3,
        iterations=[
            {"type": "message", "input_tokens": 10, "output_tokens": 1},
            {"type": "message", "input_tokens": 20, "output_tokens": 2},
        ],
    )
    fallback, _ = read(
        input_tokens=412,
        output_tokens=264,
        iterations=[
            {"type": "message", "input_tokens": 408, "output_tokens": 0},
            {"type": "fallback_message", "input_tokens": 412, "output_tokens": 264},
        ],
    )
    assert (loop.fresh, loop.output) == (30, 3)
    assert (fallback.fresh, fallback.output) == (412, 264)


@pytest.mark.parametrize("iterations", [7, [], [None], [{"type": "compaction"}, 3], {"type": "compaction"}])
def test_iterations_that_cannot_be_read_are_left(iterations: object) -> None:
    """The figures at the top are used then."""
    found, _ = read(input_tokens=5, output_tokens=6, iterations=iterations)
    assert (found.fresh, found.output) == (5, 6)


def test_an_iteration_without_figures_is_flagged() -> None:
    """A side that is missing in one is missing in the sum."""
    _, flags = read(input_tokens=5, output_tokens=6, iterations=[{"type": "compaction", "input_tokens": 3}])
    assert flags == ["output_missing"]


def test_a_zero_is_a_figure_and_absence_is_not() -> None:
    """Only what is absent, null or impossible is counted locally."""
    assert read(input_tokens=0, output_tokens=0)[1] == []
    assert read(input_tokens=None, output_tokens=3)[1] == ["input_missing"]
    assert read(input_tokens=3)[1] == ["output_missing"]
    assert read(input_tokens=-3, output_tokens=2)[1] == ["absurd", "input_missing"]


def test_sums_stay_numbers_that_can_be_stored() -> None:
    """However large the figures of iterations are said to be."""
    huge = {"type": "compaction", "input_tokens": 2**60, "output_tokens": 2**60}
    found, flags = read(input_tokens=1, output_tokens=1, iterations=[huge, huge])
    assert (found.fresh, found.output) == (TOKENS_MAX, TOKENS_MAX)
    assert "absurd" in flags


def test_thinking_is_a_part_of_the_output() -> None:
    """It is told, and never added."""
    found, _ = read(input_tokens=1, output_tokens=50, output_tokens_details={"thinking_tokens": 30})
    assert (found.output, found.reasoning) == (50, 30)


def test_the_usage_of_a_completion_adds_up() -> None:
    """`prompt_tokens` has what Anthropic counts beside each other."""
    usage = chat_usage(Figures(fresh=1, cached=20, written=300, written_long=100, output=4000, reasoning=9))
    assert usage == {
        "prompt_tokens": 321,
        "completion_tokens": 4000,
        "total_tokens": 4321,
        "prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 300},
        "completion_tokens_details": {"reasoning_tokens": 9},
    }


# --- streams


def test_later_figures_replace_earlier_ones() -> None:
    """Field by field, larger or smaller; what the end does not say stays from the start."""
    usage = StreamUsage()
    usage.start(
        {"input_tokens": 2039, "cache_read_input_tokens": 11, "output_tokens": 3, "service_tier": "x"}
    )
    usage.end({"input_tokens": 10423, "output_tokens": 90})
    usage.end({"input_tokens": 10400, "output_tokens": 80, "cache_read_input_tokens": None})
    assert usage.members == {
        "input_tokens": 10400,
        "cache_read_input_tokens": 11,
        "service_tier": "x",
        "output_tokens": 80,
    }


def test_an_explicit_zero_replaces_a_figure() -> None:
    """Zero is said; null is not."""
    usage = StreamUsage()
    usage.start({"input_tokens": 5})
    usage.end({"input_tokens": 0, "output_tokens": 0})
    assert usage.raw == b'{"input_tokens":0,"output_tokens":0}'


def test_the_placeholder_of_the_start_is_no_count_of_the_output() -> None:
    """A stream that is cut before its end has no figure for its output, so that it is counted locally."""
    usage = StreamUsage()
    usage.start({"input_tokens": 12, "output_tokens": 1})
    reading = Reading(usage.members)
    figures(reading)
    assert reading.flags == ["output_missing"]


@pytest.mark.parametrize("odd", [None, 3, [], "usage", {}])
def test_what_is_no_usage_object_says_nothing(odd: object) -> None:
    """Nothing raises, and nothing told is none."""
    usage = StreamUsage()
    usage.start(odd)
    usage.end(odd)
    assert usage.raw is None


def test_a_stream_cannot_fill_the_memory_with_members() -> None:
    """New names are taken up to a limit; known ones are updated beyond it."""
    usage = StreamUsage()
    usage.start({"input_tokens": 1})
    for number in range(1_000):
        usage.end({f"member_{number}": number, "input_tokens": number})
    assert len(usage.members) == 64
    assert usage.members["input_tokens"] == 999
