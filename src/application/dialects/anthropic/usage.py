"""What Anthropic says that a request used, as figures; for answers that pass and for those that are translated.

Owns three rules. Cache reads and writes stand beside `input_tokens`, never in it. In a stream the figures are cumulative:
what a later event says replaces what an earlier one said, member by member, and is never added. Iterations that the
figures at the top leave out (a compaction, an advisor) make the bill the sum of all iterations.
"""

from typing import Any, Final

import msgspec

from application.wire.usage import TOKENS_MAX, Figures, Reading

_encode: Final = msgspec.json.Encoder().encode
_MEMBERS_MAX: Final = 64
_OUTSIDE: Final = ("compaction", "advisor_message")
"""Kinds of iterations whose tokens are in no figure at the top. A refused try before `fallback_message` is not billed."""


def figures(reading: Reading) -> Figures:
    """The tokens of one usage object, merged if it was streamed. Never raises; what is missing is flagged."""
    iterations = reading.members.get("iterations")
    found = _summed(reading, iterations) if iterations and _is_apart(iterations) else _single(reading)
    found.reasoning = reading.first(("output_tokens_details", "thinking_tokens"))
    return found


class StreamUsage:
    """The usage object of one stream, put together from its events. Null says nothing; an explicit zero is a figure.

    The `output_tokens` with which a message starts is a placeholder of a few tokens. It is left out until the end of the
    message tells the real figure, so that a stream that was cut before is counted locally and not taken for nearly free.
    """

    __slots__ = ("members",)

    def __init__(self) -> None:
        self.members: dict[str, Any] = {}  #: what a whole answer would have had as `usage`

    @property
    def raw(self) -> bytes | None:
        """The object as JSON; none if nothing was told."""
        return _encode(self.members) if self.members else None

    def start(self, usage: Any) -> None:
        """Take `message.usage` of a `message_start`."""
        self._overwrite(usage, but="output_tokens")

    def end(self, usage: Any) -> None:
        """Take `usage` of a `message_delta`."""
        self._overwrite(usage, but="")

    def _overwrite(self, usage: Any, *, but: str) -> None:
        if type(usage) is not dict:
            return
        for name, value in usage.items():
            if value is None or name == but:
                continue
            if name in self.members or len(self.members) < _MEMBERS_MAX:
                self.members[name] = value


def chat_usage(found: Figures) -> dict[str, Any]:
    """The same figures as the usage object of a chat completion."""
    prompt = found.fresh + found.cached + found.written
    return {
        "prompt_tokens": prompt,
        "completion_tokens": found.output,
        "total_tokens": prompt + found.output,
        "prompt_tokens_details": {"cached_tokens": found.cached, "cache_write_tokens": found.written},
        "completion_tokens_details": {"reasoning_tokens": min(found.reasoning, found.output)},
    }


def _is_apart(iterations: Any) -> bool:
    """Whether there are iterations to add up, all of them readable."""
    if type(iterations) is not list or not all(type(iteration) is dict for iteration in iterations):
        return False
    return any(iteration.get("type") in _OUTSIDE for iteration in iterations)


def _summed(reading: Reading, iterations: list[dict[str, Any]]) -> Figures:
    total = Figures(fresh=0, cached=0, written=0, output=0, reasoning=0)
    for members in iterations:
        part = Reading(members)
        one = _single(part)
        for flag in part.flags:
            reading.flag(flag)
        total.fresh = min(total.fresh + one.fresh, TOKENS_MAX)
        total.cached = min(total.cached + one.cached, TOKENS_MAX)
        total.written = min(total.written + one.written, TOKENS_MAX)
        total.written_long = min(total.written_long + one.written_long, TOKENS_MAX)
        total.output = min(total.output + one.output, TOKENS_MAX)
    return total


def _single(reading: Reading) -> Figures:
    """The figures that stand side by side in one object.

    The split of a cache write by lifetime is absent or stale in a third of the recordings that have a write: the total
    counts, and what the split does not show as kept for an hour is taken as kept for five minutes.
    """
    long = reading.first(("cache_creation", "ephemeral_1h_input_tokens"))
    short = reading.first(("cache_creation", "ephemeral_5m_input_tokens"))
    total = reading.figure("cache_creation_input_tokens")
    written = min(short + long, TOKENS_MAX) if total is None or total < 0 else total
    return Figures(
        fresh=reading.needed("input_tokens", "input_missing"),
        cached=reading.first(("cache_read_input_tokens",)),
        written=written,
        written_long=min(long, written),
        output=reading.needed("output_tokens", "output_missing"),
        reasoning=0,
    )
