"""Chat answers: what is said (`plan`), and its OpenAI objects (`completion`, `events`).

The content is a pure function of the call; only the id and the time differ between two answers to the same bytes.
"""

from typing import Any, Final, Literal

import msgspec

from sandbox import text
from sandbox.calls import TOTAL_TOKENS_MAX, Call
from sandbox.errors import Refused
from sandbox.script import Script
from sandbox.tokens import Tokens

FINGERPRINT: Final = "fp_sandbox"
_ARGUMENTS: Final = "{}"


class Choice(msgspec.Struct, frozen=True):
    """`chunks` are the content with the tokens of each; a choice has content or a tool call."""

    chunks: list[tuple[str, int]]
    finish: str
    tool: str | None = None

    def content(self) -> str | None:
        return None if self.tool else "".join(chunk for chunk, _ in self.chunks)


class Plan(msgspec.Struct, frozen=True):
    """An answer before it has an id and a time; `usage` is the truth."""

    call: Call
    choices: list[Choice]
    usage: dict[str, Any]


class Event(msgspec.Struct, frozen=True):
    """One event of a stream; `tokens` are the completion tokens that it carries, `data` is None for `[DONE]`."""

    kind: Literal["role", "content", "finish", "usage", "done"]
    data: dict[str, Any] | None
    tokens: int = 0


class Stamp(msgspec.Struct, frozen=True):
    """What makes one answer different from another: its id and its Unix time in seconds."""

    id: str
    created: int


def plan(call: Call, script: Script, tokens: Tokens) -> Plan:
    """Decide the answer to `call` under `script`.

    Raises:
        Refused: n times the length is more than this sandbox makes in one answer.
    """
    limit = call.tokens_max
    reasoning = script.reasoning_tokens or 0
    if limit is not None:
        reasoning = min(reasoning, limit)
        limit -= reasoning
    choices: list[Choice] = []
    total = 0
    for index in range(call.n):
        choice, spent = _choice(call, script, tokens, index=index, limit=limit)
        choices.append(choice)
        total += spent + reasoning
        if total > TOTAL_TOKENS_MAX:
            raise Refused(
                400, f"More than {TOTAL_TOKENS_MAX} tokens in one answer.", code="invalid_value", param="n"
            )
    return Plan(call, choices, _usage(call, script, completion=total, reasoning=reasoning * call.n))


def _choice(
    call: Call, script: Script, tokens: Tokens, *, index: int, limit: int | None
) -> tuple[Choice, int]:
    """One choice and its visible tokens."""
    if call.tool is not None:
        spent = tokens.count(call.tool) + tokens.count(_ARGUMENTS)
        if limit is None or spent <= limit:
            return Choice([], call.tool_finish, call.tool), spent
    pieces, whole = _pieces(call, script, tokens, index=index, limit=limit)
    spent = tokens.count("".join(pieces)) if call.echo is not None else len(pieces)
    finish = "stop" if whole else "length"
    if call.stops and (cut := text.cut_at_stop(pieces, call.stops)) is not None:
        pieces, finish = cut, "stop"
        spent = tokens.count("".join(pieces))
    return Choice(text.grouped(pieces, script.chunks), finish), spent


def _pieces(
    call: Call, script: Script, tokens: Tokens, *, index: int, limit: int | None
) -> tuple[list[str], bool]:
    """The content in pieces of a token each, and whether the limit left it whole."""
    if call.echo is not None:
        whole = tokens.count(call.echo)
        if limit is None or whole <= limit:
            return text.first_tokens(call.echo, whole, tokens), True
        return text.first_tokens(call.echo, limit, tokens), False
    wanted = script.tokens if script.tokens is not None else 24 + call.seed[0] % 41
    wanted = max(wanted, script.chunks or 0)
    length = wanted if limit is None else min(wanted, limit)
    return text.words(call.seed + bytes([index]), length), length == wanted


def _usage(call: Call, script: Script, *, completion: int, reasoning: int) -> dict[str, Any]:
    return {
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": call.prompt_tokens + completion,
        "prompt_tokens_details": {
            "cached_tokens": min(script.cached_tokens or 0, call.prompt_tokens),
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def completion(made: Plan, stamp: Stamp) -> dict[str, Any]:
    """The `chat.completion` object, with true usage."""
    return {
        "id": f"chatcmpl-{stamp.id}",
        "object": "chat.completion",
        "created": stamp.created,
        "model": made.call.model,
        "choices": [_finished(made.call, index, choice) for index, choice in enumerate(made.choices)],
        "usage": made.usage,
        "service_tier": made.call.service_tier,
        "system_fingerprint": FINGERPRINT,
    }


def _finished(call: Call, index: int, choice: Choice) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": choice.content(),
        "refusal": None,
        "annotations": [],
    }
    if choice.tool is not None:
        message["tool_calls"] = [
            {
                "id": _tool_id(call, index),
                "type": "function",
                "function": {"name": choice.tool, "arguments": _ARGUMENTS},
            }
        ]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": choice.finish}


def _tool_id(call: Call, index: int) -> str:
    return f"call_{call.seed.hex()[:20]}{index:02d}"


def events(made: Plan, stamp: Stamp, *, include_usage: bool | None = None) -> list[Event]:
    """The `chat.completion.chunk` objects in order, `[DONE]` last, usage as OpenAI places it.

    With usage asked for, every chunk carries `usage: null` but the last, which has no choices; else no chunk has it.
    """
    asked = made.call.include_usage if include_usage is None else include_usage
    head: dict[str, Any] = {
        "id": f"chatcmpl-{stamp.id}",
        "object": "chat.completion.chunk",
        "created": stamp.created,
        "model": made.call.model,
        "service_tier": made.call.service_tier,
        "system_fingerprint": FINGERPRINT,
    }
    tail: dict[str, Any] = {"usage": None} if asked else {}
    found = [
        Event(kind, {**head, "choices": [_delta(index, delta, finish)], **tail}, tokens)
        for kind, index, delta, finish, tokens in _deltas(made)
    ]
    if asked:
        found.append(Event("usage", {**head, "choices": [], "usage": made.usage}))
    found.append(Event("done", None))
    return found


_Delta = tuple[Literal["role", "content", "finish"], int, dict[str, Any], str | None, int]


def _delta(index: int, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


def _deltas(made: Plan) -> list[_Delta]:
    """All choices' deltas; the choices take turns chunk by chunk."""
    found: list[_Delta] = []
    for index, choice in enumerate(made.choices):
        found.extend(_opening(made.call, index, choice))
    longest = max(len(choice.chunks) for choice in made.choices)
    for step in range(longest):
        for index, choice in enumerate(made.choices):
            if step < len(choice.chunks):
                content, tokens = choice.chunks[step]
                found.append(("content", index, {"content": content}, None, tokens))
    found.extend(("finish", index, {}, choice.finish, 0) for index, choice in enumerate(made.choices))
    return found


def _opening(call: Call, index: int, choice: Choice) -> list[_Delta]:
    if choice.tool is None:
        return [("role", index, {"role": "assistant", "content": "", "refusal": None}, None, 0)]
    function = {"name": choice.tool, "arguments": ""}
    first = {"index": 0, "id": _tool_id(call, index), "type": "function", "function": function}
    more = {"index": 0, "function": {"arguments": _ARGUMENTS}}
    opening = {"role": "assistant", "content": None, "tool_calls": [first], "refusal": None}
    return [("role", index, opening, None, 0), ("content", index, {"tool_calls": [more]}, None, 0)]
