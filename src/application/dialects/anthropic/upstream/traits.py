"""What the models behind Messages take and refuse, by name. A deployment carries the traits of its model.

One table says what each trait means and where that is known from; another says which traits the known models have, for
presets to start from. Without traits a model is asked in the way that every one of them takes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

SAMPLING: Final = "sampling"
SAMPLING_ONE: Final = "sampling_one"
THINKING_ADAPTIVE: Final = "thinking_adaptive"
THINKING_BUDGET: Final = "thinking_budget"
THINKING_ALWAYS: Final = "thinking_always"
THINKING_BETWEEN_TOOLS: Final = "thinking_between_tools"
EFFORT_XHIGH: Final = "effort_xhigh"
EFFORT_MAX: Final = "effort_max"
JSON_SCHEMA: Final = "json_schema"
NO_FORCED_TOOL: Final = "no_forced_tool"
PREFILL: Final = "prefill"
SYSTEM_TURNS: Final = "system_turns"


class Trait(msgspec.Struct, frozen=True):
    """One thing that models differ in. `source` tells where to look when they change."""

    says: str
    source: str


_FACTS: Final = "wire facts of 2026-11-24, 3.1"
_DOCS: Final = "https://platform.claude.com/docs/en/"

TRAITS: Final[Mapping[str, Trait]] = MappingProxyType(
    {
        SAMPLING: Trait("takes temperature, top_p and top_k", f"{_FACTS}: dropped on 4.7 and later"),
        SAMPLING_ONE: Trait(
            "takes top_k, and temperature or top_p, but not both", f"{_FACTS}: never both on 4.x"
        ),
        THINKING_ADAPTIVE: Trait(
            "takes adaptive thinking with output_config.effort low, medium and high", _FACTS
        ),
        THINKING_BUDGET: Trait("takes thinking with budget_tokens", _FACTS),
        THINKING_ALWAYS: Trait(
            "always thinks: asking it not to is refused", f"{_FACTS}; {_DOCS}models/opus-5-5/migration-guide"
        ),
        THINKING_BETWEEN_TOOLS: Trait(
            "thinks less by between_tools, not by disabled, and takes a forced tool only so",
            f"{_FACTS}: Sonnet 5.5; {_DOCS}models/sonnet-5-5/whats-new-sonnet-5-5",
        ),
        EFFORT_XHIGH: Trait("takes effort xhigh", "presets of 2026-11-24: xhigh_reasoning_effort"),
        EFFORT_MAX: Trait("takes effort max", "presets of 2026-11-24: max_reasoning_effort"),
        JSON_SCHEMA: Trait(
            "takes output_config.format and strict tools", f"{_FACTS}; presets: response_schema"
        ),
        NO_FORCED_TOOL: Trait(
            "refuses tool_choice any and tool", f"{_DOCS}models/opus-5-5/whats-new-opus-5-5: also Fable 5.1"
        ),
        PREFILL: Trait(
            "goes on with a last message of the assistant's", "presets of 2026-11-24: assistant_prefill"
        ),
        SYSTEM_TURNS: Trait(
            "takes role system inside messages, right after a user turn",
            f"{_FACTS}; {_DOCS}build-with-claude/mid-conversation-system-messages: since Opus 4.8",
        ),
    }
)

_BEFORE_4: Final = frozenset({SAMPLING, PREFILL})
_BEFORE_45: Final = frozenset({SAMPLING_ONE, THINKING_BUDGET, PREFILL})
_SINCE_45: Final = _BEFORE_45 | {JSON_SCHEMA}
_SINCE_46: Final = frozenset({SAMPLING_ONE, THINKING_ADAPTIVE, EFFORT_MAX, JSON_SCHEMA})
_SINCE_47: Final = frozenset({THINKING_ADAPTIVE, EFFORT_XHIGH, EFFORT_MAX, JSON_SCHEMA})
_SINCE_48: Final = _SINCE_47 | {SYSTEM_TURNS}
_ALWAYS: Final = _SINCE_48 | {THINKING_ALWAYS, NO_FORCED_TOOL}

FAMILIES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "claude-3-": _BEFORE_4,
        "claude-3-7-": _BEFORE_4 | {THINKING_BUDGET},
        "claude-sonnet-4": _BEFORE_45,
        "claude-opus-4": _BEFORE_45,
        "claude-haiku-4-5": _SINCE_45,
        "claude-sonnet-4-5": _SINCE_45,
        "claude-opus-4-5": _SINCE_45,
        "claude-sonnet-4-6": _SINCE_46,
        "claude-opus-4-6": _SINCE_46,
        "claude-opus-4-7": _SINCE_47,
        "claude-opus-4-8": _SINCE_48,
        "claude-opus-5": _SINCE_48,
        "claude-opus-5-5": _ALWAYS,
        "claude-fable-5": _SINCE_48,
        "claude-fable-5-1": _ALWAYS,
        "claude-fable-5-2": _ALWAYS,
        "claude-mythos-5": _SINCE_48,
        "claude-mythos-5-1": _ALWAYS,
        "claude-mythos-5-2": _ALWAYS,
        "claude-mythos-preview": _SINCE_47,
        "claude-sonnet-5": _SINCE_47,
        "claude-sonnet-5-5": _SINCE_47 | {THINKING_BETWEEN_TOOLS},
        "claude-haiku-5-5": _SINCE_47,
    }
)
"""Traits by the beginning of a model's name; the longest that fits counts."""


def traits_of(model: str) -> frozenset[str]:
    """The traits of a known model, none for one that is not known."""
    fitting = [family for family in FAMILIES if model.startswith(family)]
    return FAMILIES[max(fitting, key=len)] if fitting else frozenset()
