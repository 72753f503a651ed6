"""What an upstream says that a request used, made one arithmetic for all providers.

Owns the differences between providers' usage objects and the checks on their figures. Every token is counted in exactly
one of `input`, `cached_input`, `cache_write` and `output`; `reasoning` says how many of `output` were reasoning.

Nothing here raises. A figure that cannot be (negative, no integer, absurdly large) is flagged and taken out or cut; a
figure that is not there is flagged and told apart from a zero. An explicit zero is a zero.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from application.wire.bounds import Bound
from domain.catalogue.provider import UsageDialect
from domain.ledger.events import Units, UsageSource

RAW_BYTES_MAX: Final = 4_096
TOKENS_MAX: Final = 2**53
BOUND_FACTOR: Final = 4
"""A figure this many times over its upper bound is not a wrong bound but a wrong figure."""

UsageFlag = Literal[
    "input_missing",  # the prompt's figure is absent, null or unusable: count it locally
    "output_missing",  # the same of the answer's
    "absurd",  # a figure could not be
    "clamped",  # a figure was cut
    "cached_over_prompt",  # cached tokens are more than the prompt that should contain them
    "reasoning_over_output",
    "total_mismatch",  # the figures do not add up to the provider's own total
    "raw_dropped",  # the provider's object was too large to keep
]

_decode: Final = msgspec.json.Decoder().decode
UNUSABLE: Final = -1


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Normalised usage. `raw` is the provider's own JSON, kept for audit; it is empty where nothing was reported."""

    input: int  #: fresh prompt tokens
    cached_input: int = 0
    cache_write: int = 0
    cache_write_long: int = 0  #: how many of `cache_write` are kept for the longer time
    output: int
    reasoning: int = 0
    images: int = 0
    image_size: str = ""
    image_quality: str = ""
    audio_ms: int = 0
    characters: int = 0
    searches: int = 0
    raw: bytes = b""
    source: UsageSource = (
        "provider"  #: `none`: the provider tells nothing and the request was counted exactly
    )
    flags: tuple[UsageFlag, ...] = ()

    @property
    def needs_input_count(self) -> bool:
        return "input_missing" in self.flags

    @property
    def needs_output_count(self) -> bool:
        return "output_missing" in self.flags

    def units(self, *, requests: int = 1) -> Units:
        """What the ledger rates."""
        return Units(
            input=self.input,
            cached_input=self.cached_input,
            cache_write=self.cache_write - self.cache_write_long,
            cache_write_long=self.cache_write_long,
            output=self.output,
            reasoning=self.reasoning,
            requests=requests,
            images=self.images,
            image_size=self.image_size,
            image_quality=self.image_quality,
            audio_ms=self.audio_ms,
            characters=self.characters,
            searches=self.searches,
        )


class Reading:
    """The figures of one usage object as they are read, with the flags that this raises."""

    __slots__ = ("flags", "members")

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members
        self.flags: list[UsageFlag] = []

    def flag(self, flag: UsageFlag) -> None:
        if flag not in self.flags:
            self.flags.append(flag)

    def figure(self, *path: str) -> int | None:
        """The integer at `path`, `None` where there is none, `UNUSABLE` for what cannot be a count of tokens."""
        value: Any = self.members
        for name in path:
            value = value.get(name) if type(value) is dict else None
        if value is None:
            return None
        if type(value) is not int or value < 0:
            self.flag("absurd")
            return UNUSABLE
        if value > TOKENS_MAX:
            self.flag("absurd")
            self.flag("clamped")
            return TOKENS_MAX
        return value

    @property
    def incomplete(self) -> bool:
        return "input_missing" in self.flags or "output_missing" in self.flags

    def first(self, *paths: tuple[str, ...]) -> int:
        """The first usable figure among `paths`, 0 if none is."""
        members = self.members
        for path in paths:
            if path[0] not in members:  # as nearly all are
                continue
            value = self.figure(*path)
            if value is not None and value >= 0:
                return value
        return 0

    def needed(self, name: str, missing: UsageFlag) -> int:
        value = self.figure(name)
        if value is None or value < 0:
            self.flag(missing)
            return 0
        return value


class Figures(msgspec.Struct, kw_only=True, gc=False):
    """Tokens of one request, each in one of the first four; `written_long` and `reasoning` are parts of their neighbours."""

    fresh: int
    cached: int
    written: int
    output: int
    reasoning: int
    written_long: int = 0  #: how many of `written` are kept for the longer time


def normalise(raw: bytes | None, *, dialect: UsageDialect, bound: Bound | None = None) -> Usage | None:
    """Read the usage object of a chat completion in the arithmetic of its provider; see `usage_by`."""
    return usage_by(raw, lambda reading: openai_figures(reading, dialect=dialect), bound=bound)


def usage_by(
    raw: bytes | None, figures: Callable[[Reading], Figures], *, bound: Bound | None = None
) -> Usage | None:
    """Read a provider's usage object; `None` if it reported none (absent, null, no object, or empty).

    `bound` is what was held for: a figure far above it is cut to it. A figure that is only above it stays.
    """
    if not raw:
        return None
    try:
        members = _decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if type(members) is not dict or not members:
        return None
    reading = Reading(members)
    return _checked(reading, figures(reading), bound, raw)


def openai_figures(reading: Reading, *, dialect: UsageDialect) -> Figures:
    """The tokens of `{prompt_tokens, completion_tokens, ...}`, which providers of the same dialect mean differently."""
    prompt = reading.needed("prompt_tokens", "input_missing")
    completion = reading.needed("completion_tokens", "output_missing")
    return _arithmetic(reading, prompt, completion, dialect)


def _arithmetic(reading: Reading, prompt: int, completion: int, dialect: UsageDialect) -> Figures:
    cached = reading.first(
        ("prompt_tokens_details", "cached_tokens"),
        ("cached_tokens",),
        ("num_cached_tokens",),
        ("prompt_cache_hit_tokens",),
    )
    written = reading.first(
        ("prompt_tokens_details", "cache_write_tokens"),
        ("prompt_tokens_details", "cache_creation_input_tokens"),
    )
    reasoning = reading.first(("completion_tokens_details", "reasoning_tokens"))
    prompt, output, reasoning = _sides(reading, dialect, prompt, completion, reasoning)
    if cached + written > prompt:
        reading.flag("cached_over_prompt")
        if dialect == "azure":  # Grok hosted there leaves cached tokens out of the prompt
            return Figures(fresh=prompt, cached=cached, written=written, output=output, reasoning=reasoning)
        cached, written = _disjoint(reading, prompt, cached, written)
    return Figures(
        fresh=prompt - cached - written, cached=cached, written=written, output=output, reasoning=reasoning
    )


def _disjoint(reading: Reading, prompt: int, cached: int, written: int) -> tuple[int, int]:
    """Cached and written tokens of a prompt that has fewer than both together.

    OpenRouter reports the tokens that Gemini both read and stored under both; they count as written, the dearer.
    """
    if cached > prompt or written > prompt:
        reading.flag("clamped")
    written = min(written, prompt)
    return max(min(cached, prompt) - written, 0), written


def _sides(
    reading: Reading, dialect: UsageDialect, prompt: int, completion: int, reasoning: int
) -> tuple[int, int, int]:
    """Prompt, output and reasoning tokens, with the tokens in them that the provider counts elsewhere."""
    total = reading.figure("total_tokens")
    apart = dialect == "xai"  # reasoning stands beside the completion there
    if reading.incomplete or total is None or total == UNUSABLE:
        return prompt, completion + reasoning if apart else completion, reasoning
    elsewhere = total - prompt - completion
    if elsewhere == 0:
        return prompt, completion, reasoning
    if apart and elsewhere == reasoning:
        return prompt, completion + reasoning, reasoning
    if dialect == "gemini-compat" and elsewhere > 0:
        return prompt, completion + elsewhere, max(reasoning, elsewhere)
    if dialect == "mistral" and elsewhere > 0:
        return prompt + elsewhere, completion, reasoning  # audio
    reading.flag("total_mismatch")
    return prompt, completion + reasoning if apart else completion, reasoning


def _checked(reading: Reading, figures: Figures, bound: Bound | None, raw: bytes) -> Usage:
    if figures.reasoning > figures.output:
        reading.flag("reasoning_over_output")
        figures.reasoning = figures.output
    if bound is not None:
        _cut(reading, figures, bound)
    if len(raw) > RAW_BYTES_MAX:
        reading.flag("raw_dropped")
        raw = b""
    return Usage(
        input=figures.fresh,
        cached_input=figures.cached,
        cache_write=figures.written,
        cache_write_long=min(figures.written_long, figures.written),
        output=figures.output,
        reasoning=figures.reasoning,
        raw=raw,
        flags=tuple(reading.flags),
    )


def _cut(reading: Reading, figures: Figures, bound: Bound) -> None:
    """Bring absurdly large sides down to their bound, dearest kinds of prompt tokens first."""
    prompt = figures.fresh + figures.cached + figures.written
    if bound.prompt_tokens and prompt > BOUND_FACTOR * bound.prompt_tokens:  # zero: they cost nothing
        reading.flag("absurd")
        reading.flag("clamped")
        figures.written = min(figures.written, bound.prompt_tokens)
        figures.fresh = min(figures.fresh, bound.prompt_tokens - figures.written)
        figures.cached = min(figures.cached, bound.prompt_tokens - figures.written - figures.fresh)
    if figures.output > BOUND_FACTOR * bound.output_tokens:
        reading.flag("absurd")
        reading.flag("clamped")
        figures.output = bound.output_tokens
        figures.reasoning = min(figures.reasoning, figures.output)


def estimated(usage: Usage | None, *, input_tokens: int, output_tokens: int) -> Usage:
    """Put local counts where the provider gave no usable figure; the result is marked estimated if one was needed.

    Whoever counts need only count the sides that `needs_input_count` and `needs_output_count` name.
    """
    if usage is None:
        return Usage(input=input_tokens, output=output_tokens, source="estimated")
    if not (usage.needs_input_count or usage.needs_output_count):
        return usage
    return msgspec.structs.replace(
        usage,
        input=max(usage.input, input_tokens - usage.cached_input - usage.cache_write)
        if usage.needs_input_count
        else usage.input,
        output=output_tokens if usage.needs_output_count else usage.output,
        source="estimated",
    )
