"""Usage, one arithmetic for all providers: what recordings say, and that no figure whatever breaks it."""

import json
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.wire.bounds import Bound
from application.wire.usage import Usage, estimated, normalise
from domain.catalogue.provider import UsageDialect
from domain.ledger.events import Units

BOUND = Bound(prompt_tokens=1_000, answer_tokens=100, output_tokens=200)
DIALECT: dict[str, UsageDialect] = {
    "alibaba": "qwen",
    "azure": "azure",
    "deepseek": "deepseek",
    "gemini": "gemini-compat",
    "mistral": "mistral",
    "moonshot": "kimi",
    "xai": "xai",
    "zai": "glm",
}


def read(dialect: UsageDialect = "openai", bound: Bound | None = None, **members: Any) -> Usage:
    usage = normalise(json.dumps(members).encode(), dialect=dialect, bound=bound)
    assert usage is not None
    return usage


def figures(usage: Usage) -> tuple[int, int, int, int, int]:
    return usage.input, usage.cached_input, usage.cache_write, usage.output, usage.reasoning


def p(prompt: int, completion: int, total: int | None = None, **more: Any) -> dict[str, Any]:
    members = {"prompt_tokens": prompt, "completion_tokens": completion} | more
    return members if total is None else members | {"total_tokens": total}


@pytest.mark.parametrize(
    ("dialect", "members", "expected"),
    [
        ("openai", p(9, 3, 12), (9, 0, 0, 3, 0)),
        ("openai", p(9, 3), (9, 0, 0, 3, 0)),
        ("openai", p(9, 3, 12, prompt_tokens_details=None, completion_tokens_details=None), (9, 0, 0, 3, 0)),
        (
            "openai",
            p(
                100,
                50,
                150,
                prompt_tokens_details={"cached_tokens": 60, "cache_write_tokens": 30},
                completion_tokens_details={"reasoning_tokens": 40},
            ),
            (10, 60, 30, 50, 40),
        ),
        (
            "deepseek",
            p(100, 5, 105, prompt_cache_hit_tokens=64, prompt_cache_miss_tokens=36),
            (36, 64, 0, 5, 0),
        ),
        ("kimi", p(100, 5, 105, cached_tokens=64), (36, 64, 0, 5, 0)),
        ("mistral", p(100, 5, 105, num_cached_tokens=64), (36, 64, 0, 5, 0)),
        (
            "mistral",
            p(9, 201, 585, prompt_tokens_details={"cached_tokens": 0, "audio_tokens": 375}),
            (384, 0, 0, 201, 0),
        ),
        (
            "qwen",
            p(100, 5, 105, prompt_tokens_details={"cache_creation_input_tokens": 80}),
            (20, 0, 80, 5, 0),
        ),
        ("gemini-compat", p(35, 12, 109), (35, 0, 0, 74, 62)),
        ("gemini-compat", p(35, 12, 47), (35, 0, 0, 12, 0)),
        (
            "xai",
            p(
                12,
                1,
                241,
                prompt_tokens_details={"cached_tokens": 2},
                completion_tokens_details={"reasoning_tokens": 228},
            ),
            (10, 2, 0, 229, 228),
        ),
        ("xai", p(12, 300, 312, completion_tokens_details={"reasoning_tokens": 228}), (12, 0, 0, 300, 228)),
        ("xai", p(12, 1, completion_tokens_details={"reasoning_tokens": 228}), (12, 0, 0, 229, 228)),
        ("azure", p(7, 8, 15, prompt_tokens_details={"cached_tokens": 161}), (7, 161, 0, 8, 0)),
        ("azure", p(205, 18, 223, prompt_tokens_details={"cached_tokens": 159}), (46, 159, 0, 18, 0)),
    ],
)
def test_each_provider_is_read_by_its_own_arithmetic(
    dialect: UsageDialect, members: dict[str, Any], expected: tuple[int, ...]
) -> None:
    """Fresh, cached, written, output and reasoning, the same figures for the same work."""
    assert figures(read(dialect, **members)) == expected


def test_grok_on_azure_is_flagged() -> None:
    """Cached tokens above the prompt are taken as they are there, and still said."""
    assert read("azure", **p(7, 8, prompt_tokens_details={"cached_tokens": 161})).flags == (
        "cached_over_prompt",
    )


def test_cached_tokens_above_the_prompt_are_cut_elsewhere() -> None:
    """The prompt contains them with every other provider, so they cannot be more."""
    usage = read("openai", **p(7, 8, prompt_tokens_details={"cached_tokens": 161, "cache_write_tokens": 5}))
    assert figures(usage) == (0, 2, 5, 8, 0)
    assert usage.flags == ("cached_over_prompt", "clamped")


def test_tokens_that_were_read_from_the_cache_and_stored_count_once() -> None:
    """OpenRouter reports them under both; they count under the dearer, and the fresh ones stay fresh."""
    usage = read(
        "openai",
        **p(2168, 100, 2268, prompt_tokens_details={"cached_tokens": 2161, "cache_write_tokens": 2161}),
    )
    assert figures(usage) == (7, 0, 2161, 100, 0)
    assert usage.flags == ("cached_over_prompt",)


@pytest.mark.parametrize("raw", [None, b"", b"null", b"{}", b"[]", b"7", b'"x"', b"{", b"\xff", b"[" * 5_000])
def test_what_is_no_usage_object_is_no_usage(raw: bytes | None) -> None:
    """Absent, null, empty and unreadable are all the same: nothing was reported."""
    assert normalise(raw, dialect="openai") is None


def test_an_explicit_zero_is_a_zero_and_no_gap() -> None:
    """Taking a zero for missing and estimating instead would overbill."""
    usage = read(**p(0, 0, 0))
    assert figures(usage) == (0, 0, 0, 0, 0)
    assert usage.flags == ()
    assert estimated(usage, input_tokens=50, output_tokens=60) is usage


@pytest.mark.parametrize("absent", [{}, {"completion_tokens": None}])
def test_a_missing_side_is_flagged_and_estimated_alone(absent: dict[str, Any]) -> None:
    """The figure that is there stays the provider's."""
    usage = read(prompt_tokens=9, total_tokens=30, **absent)
    assert usage.flags == ("output_missing",)
    assert (usage.needs_input_count, usage.needs_output_count) == (False, True)
    filled = estimated(usage, input_tokens=99, output_tokens=20)
    assert (filled.input, filled.output, filled.source) == (9, 20, "estimated")


def test_a_missing_prompt_is_estimated_without_counting_cached_tokens_twice() -> None:
    """A local count of the prompt includes what the provider says was cached."""
    usage = read(completion_tokens=4, prompt_tokens="9", cached_tokens=0)
    filled = estimated(usage, input_tokens=50, output_tokens=99)
    assert (filled.input, filled.output, filled.source) == (50, 4, "estimated")


def test_no_usage_at_all_is_estimated_whole() -> None:
    """Then both sides are local counts."""
    usage = estimated(None, input_tokens=5, output_tokens=6)
    assert (figures(usage), usage.source, usage.raw) == ((5, 0, 0, 6, 0), "estimated", b"")


@pytest.mark.parametrize("figure", [-1, -(2**63), 1.0, 1.5, True, False, "12", [], {}, [12]])
def test_a_figure_that_is_no_count_is_taken_out_and_flagged(figure: Any) -> None:
    """Negative usage minted credit elsewhere; here it is as if it had not been said."""
    usage = read(prompt_tokens=figure, completion_tokens=3)
    assert (usage.input, usage.output) == (0, 3)
    assert set(usage.flags) == {"absurd", "input_missing"}


def test_absurd_details_are_ignored_and_flagged() -> None:
    """A detail that cannot be does not change the sums."""
    usage = read(
        **p(
            9,
            3,
            12,
            prompt_tokens_details={"cached_tokens": -5},
            completion_tokens_details={"reasoning_tokens": "x"},
        )
    )
    assert figures(usage) == (9, 0, 0, 3, 0)
    assert usage.flags == ("absurd",)


@pytest.mark.parametrize("figure", [2**53 + 1, 2**63, 10**30])
def test_a_figure_beyond_any_model_is_cut(figure: int) -> None:
    """So that sums stay far from the limits of the database."""
    usage = read(**p(5, figure))
    assert usage.output == 2**53
    assert {"absurd", "clamped"} <= set(usage.flags)


def test_a_figure_above_its_bound_stays_and_one_far_above_is_cut_to_it() -> None:
    """Up to four times the bound may be a wrong bound; the ledger never charges above the hold anyway."""
    assert figures(read(bound=BOUND, **p(4_000, 800))) == (4_000, 0, 0, 800, 0)
    assert read(bound=BOUND, **p(4_000, 800)).flags == ()
    usage = read(bound=BOUND, **p(4_001, 801, completion_tokens_details={"reasoning_tokens": 700}))
    assert figures(usage) == (1_000, 0, 0, 200, 200)
    assert usage.flags == ("absurd", "clamped")


def test_tokens_that_cost_nothing_are_recorded_as_told() -> None:
    """Without a price they have no bound: that makes no figure absurd."""
    bound = Bound(prompt_tokens=0, answer_tokens=0, output_tokens=0)
    usage = read(bound=bound, **p(700, 0))
    assert (usage.input, usage.flags) == (700, ())


def test_a_cut_prompt_keeps_its_dearest_tokens() -> None:
    """Cache writes cost most, cached tokens least."""
    details = {"cached_tokens": 9_000, "cache_write_tokens": 300}
    assert figures(read(bound=BOUND, **p(9_700, 1, prompt_tokens_details=details))) == (400, 300, 300, 1, 0)


def test_sums_that_do_not_add_up_are_flagged() -> None:
    """The figures stay; the operator sees the drift."""
    assert read("openai", **p(9, 3, 99)).flags == ("total_mismatch",)
    assert read("gemini-compat", **p(9, 3, 5)).flags == ("total_mismatch",)
    assert figures(read("xai", **p(9, 3, 99, completion_tokens_details={"reasoning_tokens": 4}))) == (
        9,
        0,
        0,
        7,
        4,
    )


def test_reasoning_above_the_output_is_flagged_and_cut() -> None:
    """It is a part of the output; one OpenRouter recording says otherwise."""
    usage = read(**p(9, 3, 12, completion_tokens_details={"reasoning_tokens": 5}))
    assert (usage.output, usage.reasoning, usage.flags) == (3, 3, ("reasoning_over_output",))


def test_the_raw_object_is_kept_as_it_came_up_to_a_size() -> None:
    """Auditors see the provider's own bytes; a provider cannot fill the log with them."""
    raw = b'{ "prompt_tokens": 1, "completion_tokens": 2, "cost": 1.50 }'
    usage = normalise(raw, dialect="openai")
    assert usage is not None
    assert usage.raw == raw
    large = normalise(raw[:-1] + b',"x":"' + b"y" * 5_000 + b'"}', dialect="openai")
    assert large is not None
    assert (large.raw, large.flags, large.output) == (b"", ("raw_dropped",), 2)


def test_units_are_what_the_ledger_rates() -> None:
    """Field by field, with the number of requests."""
    usage = Usage(input=1, cached_input=2, cache_write=3, output=4, reasoning=5)
    assert usage.units() == Units(input=1, cached_input=2, cache_write=3, output=4, reasoning=5, requests=1)
    assert usage.units(requests=2).requests == 2


ODD = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5_000)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
)
DETAILS = (
    st.none()
    | ODD
    | st.dictionaries(
        st.sampled_from(
            ["cached_tokens", "cache_write_tokens", "cache_creation_input_tokens", "reasoning_tokens"]
        ),
        ODD,
    )
)
USAGE = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": ODD,
        "completion_tokens": ODD,
        "total_tokens": ODD,
        "cached_tokens": ODD,
        "num_cached_tokens": ODD,
        "prompt_cache_hit_tokens": ODD,
        "prompt_tokens_details": DETAILS,
        "completion_tokens_details": DETAILS,
    },
)


@settings(deadline=None)
@given(USAGE, st.sampled_from([*DIALECT.values(), "openai", "sandbox"]), st.none() | st.just(BOUND))
def test_whatever_is_reported_gives_counts_that_can_be_charged(
    members: dict[str, Any], dialect: UsageDialect, bound: Bound | None
) -> None:
    """Never an exception, never a negative or absurd figure, reasoning inside the output, four times the bound at most."""
    usage = normalise(json.dumps(members).encode(), dialect=dialect, bound=bound)
    if usage is None:
        assert not members
        return
    prompt = usage.input + usage.cached_input + usage.cache_write
    assert all(type(figure) is int and figure >= 0 for figure in figures(usage))
    assert usage.reasoning <= usage.output <= 2**56
    assert prompt <= 2**56
    if bound is not None:
        assert prompt <= 4 * bound.prompt_tokens
        assert usage.output <= 4 * bound.output_tokens
    assert msgspec.json.decode(msgspec.json.encode(usage.units()), type=Units) == usage.units()


READ_AND_STORED = {"openrouter/chat.completions/9b1c1775d4f399"}
RECORDED = {
    "openai": 1161, "azure": 53, "cerebras": 8, "deepseek": 11, "gemini": 2, "groq": 69, "huggingface": 11, "mistral": 70,
    "moonshot": 2, "ollama": 3, "openrouter": 50, "together": 8, "xai": 6, "zai": 7, "alibaba": 6,
}  # fmt: skip


def test_every_recorded_usage_adds_up_to_the_providers_total(chat_cases: list[dict[str, Any]]) -> None:
    """1,467 recordings of 15 providers: no token is lost or counted twice, and none raises a flag."""
    counted: Counter[str] = Counter()
    for case in chat_cases:
        reported = case["usage"]
        if not reported or case["kind"] == "authored_fixture":
            continue
        counted[case["provider"]] += 1
        usage = read(DIALECT.get(case["provider"], "openai"), **reported)
        total = usage.input + usage.cached_input + usage.cache_write + usage.output
        assert total == reported["total_tokens"], case["id"]
        assert usage.flags == (("cached_over_prompt",) if case["id"] in READ_AND_STORED else ()), case["id"]
        details = reported.get("completion_tokens_details") or {}
        assert usage.reasoning >= (details.get("reasoning_tokens") or 0), case["id"]
    assert counted == RECORDED
