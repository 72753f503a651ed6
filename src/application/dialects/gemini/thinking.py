"""`reasoning_effort` as a level or a budget, whichever a model takes; both together are refused."""

from typing import Final

from application.dialects.gemini.checks import text, wrong_value
from application.dialects.gemini.traits import (
    ALWAYS_THINKS,
    LEVEL_MINIMAL,
    LEVEL_XHIGH,
    NO_LEVEL_MEDIUM,
    THINKING_BUDGET,
    THINKING_LEVEL,
)
from application.dialects.port import Json, Target

BUDGETS: Final = {
    "none": 0,
    "minimal": 1_024,
    "low": 1_024,
    "medium": 8_192,
    "high": 24_576,
    "xhigh": 24_576,
    "max": 24_576,
}
"""In tokens; low, medium and high as Google's own OpenAI-compatible path has them."""
LEAST_BUDGET: Final = 128
_INSTEAD: Final = {"xhigh": "high", "minimal": "low", "medium": "high"}
"""What stands for a level that a model does not have; low and high all have."""


def thinking_config(chat: Json, target: Target, dropped: list[str]) -> Json:
    """`thinkingConfig`, empty if the client said nothing; thoughts are shown if it asked for any.

    Raises:
        InvalidRequest: `reasoning_effort` is none of those that are known.
    """
    if chat.get("reasoning_effort") is None:
        return {}
    effort = text(chat["reasoning_effort"], "reasoning_effort")
    if effort not in BUDGETS:
        raise wrong_value("reasoning_effort", f"must be one of {', '.join(BUDGETS)}")
    shown: Json = {} if effort == "none" else {"includeThoughts": True}
    if THINKING_LEVEL in target.traits:
        return {"thinkingLevel": _level(effort, target.traits).upper(), **shown}
    if THINKING_BUDGET in target.traits:
        return {"thinkingBudget": _budget(effort, target), **shown}
    if effort != "none":
        dropped.append("reasoning_effort")
    return {}


def _level(effort: str, traits: frozenset[str]) -> str:
    """The nearest level that the model has; none of them is off."""
    level = {"none": "minimal", "max": "xhigh"}.get(effort, effort)
    taken = {
        "xhigh": LEVEL_XHIGH in traits,
        "minimal": LEVEL_MINIMAL in traits,
        "medium": NO_LEVEL_MEDIUM not in traits,
    }
    return level if taken.get(level, True) else _INSTEAD[level]


def _budget(effort: str, target: Target) -> int:
    """Below the bound of the answer, of which thoughts are a part."""
    budget = min(BUDGETS[effort], max(target.output_tokens - 1, 0))
    return max(budget, LEAST_BUDGET) if ALWAYS_THINKS in target.traits else budget
