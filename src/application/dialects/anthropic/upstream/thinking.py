"""How much a model is to think: `reasoning_effort` in the words of the models that are asked by effort or by budget."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from application.dialects.anthropic.upstream.conversation import Conversation
from application.dialects.anthropic.upstream.notes import Notes, wrong_type
from application.dialects.anthropic.upstream.traits import (
    EFFORT_MAX,
    EFFORT_XHIGH,
    THINKING_ADAPTIVE,
    THINKING_ALWAYS,
    THINKING_BETWEEN_TOOLS,
    THINKING_BUDGET,
)
from application.dialects.port import Json, Target
from application.wire.errors import InvalidRequest

_BUDGET_TOKENS: Final[Mapping[str, int]] = MappingProxyType(
    {"minimal": 1024, "low": 2048, "medium": 4096, "high": 8192, "xhigh": 16384, "max": 16384}
)
"""What LiteLLM asks for, so that a client that moves here finds the same."""
_BUDGET_TOKENS_MIN: Final = 1024
_BETWEEN_TOOLS: Final[Json] = {"type": "between_tools"}


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """`thinking` and `output_config.effort` of the request."""

    thinking: Json | None = None
    effort: str | None = None

    @property
    def is_on(self) -> bool:
        return self.thinking is not None and self.thinking["type"] in ("adaptive", "enabled")


def thinking_of(wanted: Any, target: Target, spoken: Conversation, notes: Notes, *, forced: bool) -> Thinking:
    """Read `reasoning_effort`. `forced`: a tool is forced on the model, which goes with no thinking that is asked for.

    Raises:
        InvalidRequest: it is no effort that is known.
    """
    if type(wanted) not in (str, type(None)):
        raise wrong_type("reasoning_effort", "a string")
    if wanted not in (None, "none", *_BUDGET_TOKENS):
        raise InvalidRequest("invalid_value", "reasoning_effort", "'reasoning_effort' is not known.")
    between = forced and THINKING_BETWEEN_TOOLS in target.traits
    if wanted is None:
        return Thinking(thinking=_BETWEEN_TOOLS if between else None)
    if THINKING_ADAPTIVE in target.traits:
        asked = _adaptive(wanted, target.traits, notes, forced=forced)
        return Thinking(thinking=_BETWEEN_TOOLS, effort=asked.effort) if between else asked
    if THINKING_BUDGET in target.traits:
        return _budget(wanted, target.output_tokens, spoken, notes, forced=forced)
    if wanted != "none":
        notes.drop("reasoning_effort")
    return Thinking()


def _adaptive(wanted: str, traits: frozenset[str], notes: Notes, *, forced: bool) -> Thinking:
    """Without `display` the text of the thoughts would be empty."""
    if wanted != "none":
        return Thinking(
            thinking=None if forced else {"type": "adaptive", "display": "summarized"},
            effort=_effort(wanted, traits),
        )
    if THINKING_ALWAYS in traits:
        notes.drop("reasoning_effort")
        return Thinking(effort="low")
    return Thinking(thinking=_BETWEEN_TOOLS if THINKING_BETWEEN_TOOLS in traits else {"type": "disabled"})


def _effort(wanted: str, traits: frozenset[str]) -> str:
    """The same effort, or the next below that this model takes."""
    if wanted == "max" and EFFORT_MAX not in traits:
        wanted = "xhigh"
    if wanted == "xhigh" and EFFORT_XHIGH not in traits:
        wanted = "high"
    return "low" if wanted == "minimal" else wanted


def _budget(wanted: str, output_tokens: int, spoken: Conversation, notes: Notes, *, forced: bool) -> Thinking:
    """At most half of the answer is for thinking, where the least budget leaves that."""
    if wanted == "none":
        return Thinking(thinking={"type": "disabled"})
    if forced or output_tokens <= _BUDGET_TOKENS_MIN or spoken.is_prefilled or _lacks_thinking(spoken.turns):
        notes.drop("reasoning_effort")
        return Thinking()
    budget_tokens = min(_BUDGET_TOKENS[wanted], max(_BUDGET_TOKENS_MIN, output_tokens // 2))
    return Thinking(thinking={"type": "enabled", "budget_tokens": budget_tokens})


def _lacks_thinking(turns: list[Json]) -> bool:
    """A tool loop is going on whose client did not send the thinking back: with a budget that is refused."""
    if not any(block["type"] == "tool_result" for block in turns[-1]["content"]):
        return False
    before = next((turn for turn in reversed(turns) if turn["role"] == "assistant"), None)
    return before is not None and before["content"][0]["type"] not in ("thinking", "redacted_thinking")
