"""`reasoning_effort` in the words of each kind of model, and the table of kinds."""

import json
from typing import Any

import pytest

from application.dialects.anthropic.upstream import traits
from application.dialects.anthropic.upstream.traits import FAMILIES, TRAITS, traits_of

USER = {"role": "user", "content": "Hi"}
CALLS = [{"id": "a", "type": "function", "function": {"name": "look", "arguments": ""}}]
RESULT = {"role": "tool", "tool_call_id": "a", "content": "x"}
TOOL = {"type": "function", "function": {"name": "look"}}


@pytest.mark.parametrize(
    ("wanted", "more", "effort"),
    [
        ("minimal", (), "low"),
        ("low", (), "low"),
        ("medium", (), "medium"),
        ("high", (), "high"),
        ("xhigh", ("effort_xhigh",), "xhigh"),
        ("xhigh", ("effort_max",), "high"),  # Opus 4.6 refuses it, and takes max
        ("max", ("effort_max", "effort_xhigh"), "max"),
        ("max", ("effort_xhigh",), "xhigh"),
        ("max", (), "high"),
    ],
)
def test_adaptive_models_are_told_an_effort(
    body: Any, wanted: str, more: tuple[str, ...], effort: str
) -> None:
    """The next below where it is not taken; with `display`, without which the thoughts come without text."""
    found = body("thinking_adaptive", *more, reasoning_effort=wanted)
    assert found["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert found["output_config"] == {"effort": effort}


@pytest.mark.parametrize(
    ("more", "thinking", "config", "dropped"),
    [
        ((), {"type": "disabled"}, None, ()),
        (("thinking_always",), None, {"effort": "low"}, ("reasoning_effort",)),
        (("thinking_between_tools",), {"type": "between_tools"}, None, ()),
    ],
)
def test_no_thinking_where_that_can_be_asked_for(
    ask: Any, more: tuple[str, ...], thinking: object, config: object, dropped: tuple[str, ...]
) -> None:
    """A model that always thinks is asked to think little, and the client is told."""
    asked = ask("thinking_adaptive", *more, reasoning_effort="none")
    found = json.loads(asked.body)
    assert (found.get("thinking"), found.get("output_config"), asked.dropped) == (thinking, config, dropped)


def test_an_effort_that_is_not_asked_for_is_the_models(body: Any) -> None:
    """Nothing is said."""
    for kind in ("thinking_adaptive", "thinking_budget", "thinking_always"):
        assert set(body(kind)) == {"model", "max_tokens", "messages"}


@pytest.mark.parametrize(
    ("wanted", "output_tokens", "budget"),
    [
        ("minimal", 60_000, 1024),
        ("low", 60_000, 2048),
        ("medium", 60_000, 4096),
        ("high", 60_000, 8192),
        ("xhigh", 60_000, 16384),
        ("max", 60_000, 16384),
        ("high", 6_000, 3000),
        ("high", 1_025, 1024),
    ],
)
def test_older_models_are_given_a_budget(body: Any, wanted: str, output_tokens: int, budget: int) -> None:
    """Never below the least there is, always below the bound of the answer."""
    found = body("thinking_budget", output_tokens=output_tokens, reasoning_effort=wanted)
    assert found["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert "output_config" not in found


@pytest.mark.parametrize(
    "chat",
    [
        {"output_tokens": 1024},
        {"tools": [TOOL], "tool_choice": "required"},
        {"messages": [USER, {"role": "assistant", "content": "The"}]},
        {"messages": [USER, {"role": "assistant", "tool_calls": CALLS}, RESULT]},
    ],
)
def test_a_budget_is_not_asked_for_where_it_is_refused(ask: Any, chat: dict[str, Any]) -> None:
    """Too short an answer, a forced tool, a begun answer, a tool loop whose thinking the client did not send back."""
    asked = ask("thinking_budget", "prefill", reasoning_effort="high", **chat)
    assert "thinking" not in json.loads(asked.body)
    assert asked.dropped == ("reasoning_effort",)


def test_a_tool_loop_with_its_thinking_goes_on_thinking(body: Any) -> None:
    """And one of an earlier turn does not matter."""
    thought = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    said = {"role": "assistant", "tool_calls": CALLS, "thinking_blocks": [thought]}
    found = body("thinking_budget", reasoning_effort="low", messages=[USER, said, RESULT])
    assert found["thinking"]["type"] == "enabled"
    over = [
        USER,
        {"role": "assistant", "tool_calls": CALLS},
        RESULT,
        {"role": "assistant", "content": "So"},
        USER,
    ]
    assert body("thinking_budget", reasoning_effort="low", messages=over)["thinking"]["type"] == "enabled"


def test_a_forced_tool_goes_with_an_effort_but_no_thinking(body: Any) -> None:
    """Which is asked for, that is."""
    found = body("thinking_adaptive", reasoning_effort="high", tools=[TOOL], tool_choice="required")
    assert "thinking" not in found
    assert found["output_config"] == {"effort": "high"}


def test_models_that_do_not_think_drop_the_effort(ask: Any) -> None:
    """And name it; not thinking is what they do anyway."""
    assert ask(reasoning_effort="high").dropped == ("reasoning_effort",)
    assert ask(reasoning_effort="none").dropped == ()


# --- the table


def test_every_trait_is_in_the_table_with_its_source() -> None:
    """And no model has one that is not."""
    named = {
        value
        for name, value in vars(traits).items()
        if name.isupper() and isinstance(value, str) and name[0] != "_"
    }
    assert named == set(TRAITS)
    assert frozenset().union(*FAMILIES.values()) <= set(TRAITS)
    assert all(trait.says and trait.source for trait in TRAITS.values())


@pytest.mark.parametrize(
    ("model", "has", "lacks"),
    [
        ("claude-opus-5-5", "thinking_always", "sampling_one"),
        ("claude-opus-5", "thinking_adaptive", "thinking_always"),
        ("claude-opus-4-6-20260205", "sampling_one", "effort_xhigh"),
        ("claude-sonnet-4-5-20250929", "thinking_budget", "thinking_adaptive"),
        ("claude-sonnet-5-5", "thinking_between_tools", "prefill"),
        ("claude-sonnet-5", "thinking_adaptive", "thinking_between_tools"),
        ("claude-3-5-haiku-20241022", "sampling", "json_schema"),
    ],
)
def test_the_longest_family_that_fits_counts(model: str, has: str, lacks: str) -> None:
    """Dated names belong to their family."""
    assert has in traits_of(model)
    assert lacks not in traits_of(model)


def test_an_unknown_model_has_no_traits() -> None:
    """It is asked in the way that every model takes."""
    assert traits_of("glm-5.3") == frozenset()
