"""Faults of usage: missing, absurd, misplaced or repeated. The answer around it is whole and right.

A stream shows the bent usage whether or not the client asked for usage, as some providers do.
"""

from collections.abc import Callable
from typing import Any

from sandbox.answer import Answer
from sandbox.chat import Event
from sandbox.exchange import Exchange
from sandbox.faults.fault import Fault, both, stream_only
from sandbox.senders import send_events, send_json

Usage = dict[str, Any]
_LOW_SHARE = 10


def _each_number(usage: Usage, change: Callable[[int], Any]) -> Usage:
    """The same object with every token count changed, those in the details too."""
    return {
        name: _each_number(value, change) if isinstance(value, dict) else change(value)
        for name, value in usage.items()
    }


async def _report(out: Exchange, answer: Answer, usage: Any) -> None:
    """The answer with `usage` in usage's usual place."""
    if not answer.stream:
        await send_json(out, answer, {**answer.whole(), "usage": usage})
        return
    events = answer.events(include_usage=True)
    await send_events(
        out, answer, [_with(event, usage) if event.kind == "usage" else event for event in events]
    )


def _with(event: Event, usage: Any) -> Event:
    return Event(event.kind, {**(event.data or {}), "usage": usage}, event.tokens)


def _without(event: Event) -> Event:
    data = event.data and {name: value for name, value in event.data.items() if name != "usage"}
    return Event(event.kind, data, event.tokens)


def _changed(name: str, doc: str, change: Callable[[Usage], Any]) -> Fault:
    async def run(out: Exchange, answer: Answer) -> None:
        await _report(out, answer, change(answer.usage))

    return Fault(name, doc, ("json", "stream"), run)


CHANGED = (
    _changed("usage_null", "Usage is `null`; in a stream, of the usage chunk too.", lambda _: None),
    _changed("usage_empty", "Usage is `{}`.", lambda _: {}),
    _changed("usage_zero", "Every count of usage is 0.", lambda usage: _each_number(usage, lambda _: 0)),
    _changed(
        "usage_negative", "Every count of usage is negative.", lambda u: _each_number(u, lambda n: -n - 1)
    ),
    _changed(
        "usage_float", "Every count of usage is a fraction.", lambda u: _each_number(u, lambda n: n + 0.5)
    ),
    _changed("usage_int64", "Every count of usage is 2^63.", lambda u: _each_number(u, lambda _: 1 << 63)),
    _changed(
        "usage_1e400",
        "Every count of usage is an integer of 400 digits.",
        lambda u: _each_number(u, lambda _: 10**399),
    ),
    _changed(
        "usage_x1000",
        "Every count of usage is a thousandfold.",
        lambda u: _each_number(u, lambda n: n * 1000),
    ),
    _changed(
        "usage_low", "Every count of usage is a tenth.", lambda u: _each_number(u, lambda n: n // _LOW_SHARE)
    ),
    _changed("usage_string", "Every count of usage is a string.", lambda u: _each_number(u, str)),
    _changed("usage_list", "Usage is a list.", lambda usage: [usage]),
    _changed("usage_bool", "Every count of usage is `true`.", lambda u: _each_number(u, lambda _: True)),
    _changed("usage_nulls", "Every count of usage is `null`.", lambda u: _each_number(u, lambda _: None)),
    _changed(
        "usage_total_off",
        "The total is 1000 more than the sum of its parts.",
        lambda usage: {**usage, "total_tokens": usage["total_tokens"] + 1000},
    ),
    _changed(
        "usage_cached_over_prompt",
        "More cached tokens than prompt tokens.",
        lambda usage: {**usage, "prompt_tokens_details": {"cached_tokens": usage["prompt_tokens"] + 1000}},
    ),
    _changed(
        "usage_prompt_only",
        "Only `prompt_tokens` is there.",
        lambda usage: {"prompt_tokens": usage["prompt_tokens"]},
    ),
)


@both
async def usage_custom(out: Exchange, answer: Answer) -> None:
    """Usage is the script's `usage`, verbatim."""
    await _report(out, answer, answer.script.usage)


@both
async def usage_missing(out: Exchange, answer: Answer) -> None:
    """No `usage` anywhere, asked for or not."""
    if answer.stream:
        await send_events(out, answer, answer.events(include_usage=False))
    else:
        whole = answer.whole()
        del whole["usage"]
        await send_json(out, answer, whole)


@stream_only
async def usage_twice(out: Exchange, answer: Answer) -> None:
    """The usage chunk comes twice."""
    events = answer.events(include_usage=True)
    await send_events(out, answer, [*events[:-1], events[-2], events[-1]])


@stream_only
async def usage_twice_differing(out: Exchange, answer: Answer) -> None:
    """Two usage chunks; the first says half, the last the truth."""
    events = answer.events(include_usage=True)
    half = _with(events[-2], _each_number(answer.usage, lambda number: number // 2))
    await send_events(out, answer, [*events[:-2], half, *events[-2:]])


@stream_only
async def usage_on_content(out: Exchange, answer: Answer) -> None:
    """Usage on the finish chunk, which has choices, and no chunk of its own (as Mistral, DeepSeek, GLM)."""
    events = [_without(event) for event in answer.events(include_usage=False)]
    await send_events(
        out, answer, [_with(event, answer.usage) if event.kind == "finish" else event for event in events]
    )


@stream_only
async def usage_every_chunk(out: Exchange, answer: Answer) -> None:
    """Cumulative usage on every chunk, none of its own (as Perplexity): summing it up bills many times."""
    sent = 0
    events: list[Event] = []
    for event in answer.events(include_usage=False):
        sent += event.tokens
        prompt = answer.usage["prompt_tokens"]
        usage = {"prompt_tokens": prompt, "completion_tokens": sent, "total_tokens": prompt + sent}
        events.append(event if event.data is None else _with(event, usage))
    await send_events(out, answer, events)


@stream_only
async def usage_first(out: Exchange, answer: Answer) -> None:
    """The usage chunk comes before all content."""
    events = answer.events(include_usage=True)
    await send_events(out, answer, [events[-2], *events[:-2], events[-1]])


@stream_only
async def usage_after_done(out: Exchange, answer: Answer) -> None:
    """The usage chunk comes after `[DONE]`."""
    events = answer.events(include_usage=True)
    await send_events(out, answer, [*events[:-2], events[-1], events[-2]], complete=False)


FAULTS = (
    *CHANGED,
    usage_custom,
    usage_missing,
    usage_twice,
    usage_twice_differing,
    usage_on_content,
    usage_every_chunk,
    usage_first,
    usage_after_done,
)
