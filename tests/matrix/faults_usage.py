"""Usage that is missing, absurd or contradictory, around an answer that is sound."""

import json
from collections.abc import Callable
from typing import Any, Final

from tests.matrix.answers import OUTPUT, USAGE, Kind, encoded, event, good
from tests.matrix.fault import KINDS, Charged, Expected, Fault, breaks, fails, serves
from tests.matrix.upstream import Play, Wire

_HOLE: Final = "@@usage@@"


def _told(usage: Callable[[Kind], Any]) -> Play:
    """The answer with this usage; a text stands as it is, without quotes, so that it may be no JSON at all."""

    async def play(wire: Wire) -> None:
        said = usage(wire.kind)
        wire.good = good(wire.kind, usage=_HOLE)
        text = said if isinstance(said, str) else json.dumps(said)
        filled = wire.sound.replace(b'"' + _HOLE.encode() + b'"', text.encode())
        await wire.whole(filled, length=not wire.stream)

    return play


def _fault(
    name: str,
    usage: Callable[[Kind], Any],
    charged: Charged = "bounded",
    *,
    kinds: tuple[Kind, ...] = KINDS,
    by_kind: dict[tuple[Kind, bool], Expected] | None = None,
) -> Fault:
    expected = serves(charged)
    return Fault(
        name=f"usage_{name}",
        family="usage",
        play=_told(usage),
        json=expected,
        stream=expected,
        kinds=kinds,
        by_kind=by_kind or {},
    )


def _each(change: Callable[[int], Any]) -> Callable[[Kind], Any]:
    """Every figure changed."""
    return lambda kind: {name: change(value) for name, value in USAGE[kind].items()}


def _raw_each(text: str) -> Callable[[Kind], str]:
    """Every figure is this text, which may be no JSON."""
    return lambda kind: "{" + ",".join(f'"{name}":{text}' for name in USAGE[kind]) + "}"


def _and(**more: Any) -> Callable[[Kind], Any]:
    return lambda kind: {**USAGE[kind], **more}


def _without(*words: str) -> Callable[[Kind], Any]:
    return lambda kind: {
        name: value for name, value in USAGE[kind].items() if not any(word in name.lower() for word in words)
    }


def _twice(kind: Kind) -> str:
    """Every member stands twice, first with a figure that is no truth."""
    lies = ",".join(f'"{name}":1' for name in USAGE[kind])
    return "{" + lies + "," + encoded(USAGE[kind]).decode()[1:]


_CACHED: Final[dict[Kind, dict[str, Any]]] = {
    "chat": {"prompt_tokens_details": {"cached_tokens": 1_000}},
    "responses": {"input_tokens_details": {"cached_tokens": 1_000}},
    "messages": {"cache_read_input_tokens": -5, "cache_creation_input_tokens": "7"},
    "gemini": {"cachedContentTokenCount": 1_000},
}
_REASONED: Final[dict[Kind, dict[str, Any]]] = {
    "chat": {"completion_tokens_details": {"reasoning_tokens": 1_000}},
    "responses": {"output_tokens_details": {"reasoning_tokens": 1_000}},
    "messages": {"output_tokens_details": {"thinking_tokens": 1_000}},
    "gemini": {"thoughtsTokenCount": -1_000},
}


async def _on_every_event(wire: Wire) -> None:
    """Cumulative figures in every chunk: adding them up bills many times."""
    extra = encoded(USAGE["chat"])
    events = [
        one[:-3] + b',"usage":' + extra + b"}\n\n" if b'"delta"' in one else one for one in wire.good.events
    ]
    await wire.chunked(*events)


async def _before_all(wire: Wire) -> None:
    told = next(one for one in wire.good.events if b'"usage"' in one)
    await wire.chunked(told, *(one for one in wire.good.events if one is not told))


async def _two_figures(wire: Wire) -> None:
    """Half of the truth first, then all of it."""
    half = {**USAGE["chat"], "completion_tokens": OUTPUT // 2}
    told = next(one for one in wire.good.events if b'"usage"' in one)
    lie = event({"id": "answer-1", "object": "chat.completion.chunk", "choices": [], "usage": half})
    events = list(wire.good.events)
    events.insert(events.index(told), lie)
    await wire.chunked(*events)


def _stream_only(name: str, play: Play, charged: Charged = "exact") -> Fault:
    return Fault(name=f"usage_{name}", family="usage", play=play, stream=serves(charged), kinds=("chat",))


def _unreadable(name: str, usage: Callable[[Kind], Any]) -> Fault:
    """JSON that no parser takes, at the end of an answer."""
    return Fault(
        name=f"usage_{name}",
        family="usage",
        play=_told(usage),
        json=fails(),
        stream=breaks("garbage"),
        kinds=("chat",),
    )


_READ_LOOSELY: Final[tuple[Kind, ...]] = ("chat", "responses", "gemini")
_BY_TOTAL: Final[dict[tuple[Kind, bool], Expected]] = {
    ("gemini", False): serves(),
    ("gemini", True): serves(),
}
"""The total and one side tell the other."""

FAULTS: Final = (
    _fault("null", lambda _: None, "estimated"),
    _fault("empty", lambda _: {}, "estimated"),
    _fault("list", lambda kind: [USAGE[kind]], "estimated"),
    _fault("text", lambda _: '"eleven"', "estimated"),
    _fault("number", lambda _: 18, "estimated"),
    _fault("true", lambda _: True, "estimated"),
    _fault("nulls", _raw_each("null"), "estimated"),
    _fault("texts", _each(str), "estimated"),
    _fault("bools", _raw_each("true"), "estimated"),
    _fault("lists", _raw_each("[11]"), "estimated"),
    _fault("fractions", _each(lambda n: n + 0.5), "estimated"),
    _fault("whole_floats", _each(float), "bounded"),
    _fault("negative", _each(lambda n: -n), "estimated"),
    _fault("minus_zero", _raw_each("-0"), "nothing"),
    _fault("zero", _each(lambda _: 0), "nothing"),
    _fault("nan", _raw_each("NaN"), "bounded", kinds=_READ_LOOSELY),
    _fault("infinity", _raw_each("Infinity"), "bounded", kinds=_READ_LOOSELY),
    _fault("1e400", _raw_each("1e400"), "bounded", kinds=_READ_LOOSELY),
    _fault("of_400_digits", _raw_each("9" * 400), "bounded"),
    _unreadable("of_5000_digits", _raw_each("9" * 5_000)),
    _fault("2_to_63", _each(lambda _: 2**63), "bounded"),
    _fault("2_to_64", _each(lambda _: 2**64), "bounded"),
    _fault("thousandfold", _each(lambda n: n * 1_000), "bounded"),
    _fault("millionfold", _each(lambda n: n * 10**6), "bounded"),
    _fault("without_input", _without("input", "prompt"), "estimated", by_kind=_BY_TOTAL),
    _fault("without_output", _without("output", "completion", "candidates"), "estimated", by_kind=_BY_TOTAL),
    _fault("total_lies", _and(total_tokens=5, totalTokenCount=5), "bounded"),
    _fault("cached_above_prompt", lambda kind: {**USAGE[kind], **_CACHED[kind]}, "bounded"),
    _fault("reasoning_above_output", lambda kind: {**USAGE[kind], **_REASONED[kind]}, "bounded"),
    _fault("members_twice", _twice, "bounded"),
    _fault("of_8_kilobytes", _and(pad={f"k{n}": n for n in range(1_000)}), "exact"),
    _unreadable("deep", lambda kind: encoded(USAGE[kind]).decode()[:-1] + ',"x":' + "[" * 5_000 + "]" * 5_000 + "}"),
    _fault("with_own_cost", _and(cost=0.5, cost_in_usd_ticks=10**10), "exact"),
    _stream_only("on_every_event", _on_every_event),
    _stream_only("before_all", _before_all),
    _stream_only("half_then_whole", _two_figures),
)  # fmt: skip
