"""A chat request as the body of `POST /v1/messages`.

Owns which members have an equal there, which are dropped and named to the client, and which cannot be done without and
are refused.
"""

import hashlib
from typing import Any, Final

from application.dialects.anthropic.upstream.conversation import conversation
from application.dialects.anthropic.upstream.notes import Notes, list_of, unsupported, wrong_type
from application.dialects.anthropic.upstream.thinking import Thinking, thinking_of
from application.dialects.anthropic.upstream.tools import Tools, tools_of
from application.dialects.anthropic.upstream.traits import PREFILL, SAMPLING, SAMPLING_ONE, SYSTEM_TURNS
from application.dialects.port import Json, Target
from application.wire.errors import InvalidRequest

_TRANSLATED: Final = frozenset(
    {
        "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "stop",
        "temperature", "top_p", "top_k", "user", "safety_identifier", "service_tier", "max_tokens",
        "max_completion_tokens", "cache_control",
    }
)  # fmt: skip
_GATEWAYS: Final = frozenset(
    {
        "model", "stream", "stream_options", "n", "metadata", "store", "models", "provider", "usage",
        "prompt_cache_key", "prompt_cache_retention",
    }
)  # fmt: skip
"""Members that ask the gateway for something, or that it checks: no provider needs to know them."""
_REFUSED: Final = ("functions", "function_call", "audio", "web_search_options")
"""What a client cannot do without if it asks for it."""
_SAYS_NOTHING: Final[dict[str, tuple[Any, ...]]] = {
    "logprobs": (False,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
}
_TIERS: Final = {
    "auto": "auto",
    "priority": "auto",
    "default": "standard_only",
    "standard_only": "standard_only",
}
_TEMPERATURE_MAX: Final = 1
_GO_ON: Final[Json] = {"role": "user", "content": [{"type": "text", "text": "(continue)"}]}
"""Stands after a last message of the assistant's, which most models refuse; chat completions have always taken it."""
_TOP_K_MAX: Final = 2**31


def messages_body(chat: Json, target: Target, notes: Notes, *, stream: bool) -> Json:
    """The request. What is dropped on the way is in `notes` afterwards.

    Raises:
        InvalidRequest: a member is malformed, or has no equal.
    """
    _check(chat, notes)
    spoken = conversation(
        list_of(chat.get("messages"), "messages"), notes, system_turns=SYSTEM_TURNS in target.traits
    )
    if spoken.is_prefilled:
        _prefill(spoken.turns, target.traits)
    tools = tools_of(chat, target.traits, notes)
    thinking = thinking_of(chat.get("reasoning_effort"), target, spoken, notes, forced=tools.forced)
    body: Json = {"model": target.model, "max_tokens": target.output_tokens}
    if spoken.system:
        body["system"] = spoken.system
    body["messages"] = spoken.turns
    body |= _tool_members(tools) | _thinking_members(thinking, tools.schema)
    body |= _sampling(chat, target.traits, thinking, notes)
    body |= _rest(chat, notes)
    if stream:
        body["stream"] = True
    return body


def _check(chat: Json, notes: Notes) -> None:
    """Refuse what cannot be done without, and note what has no equal."""
    if chat.get("n") not in (None, 1):
        raise unsupported("n", "it gives one answer to a request")
    for name in _REFUSED:
        if chat.get(name) is not None:
            raise unsupported(name, "it has no such thing")
    modalities = chat.get("modalities")
    if type(modalities) is list and any(kind != "text" for kind in modalities):
        raise unsupported("modalities", "it answers in text")
    for name, value in chat.items():
        if name in _TRANSLATED or name in _GATEWAYS or value is None or value in _SAYS_NOTHING.get(name, ()):
            continue
        notes.drop(name)


def _prefill(turns: list[Json], traits: frozenset[str]) -> None:
    """A model that takes it goes on with the beginning of its answer, which may not end in a blank; others are asked to."""
    if PREFILL not in traits:
        turns.append(_GO_ON)
        return
    content = turns[-1]["content"]
    if content[-1]["type"] == "text":
        content[-1]["text"] = content[-1]["text"].rstrip()


def _tool_members(tools: Tools) -> Json:
    members: Json = {"tools": tools.definitions} if tools.definitions else {}
    if tools.choice is not None:
        members["tool_choice"] = tools.choice
    return members


def _thinking_members(thinking: Thinking, schema: Json | None) -> Json:
    members: Json = {"thinking": thinking.thinking} if thinking.thinking is not None else {}
    config: Json = {"effort": thinking.effort} if thinking.effort is not None else {}
    if schema is not None:
        config["format"] = {"type": "json_schema", "schema": schema}
    return members | ({"output_config": config} if config else {})


def _sampling(chat: Json, traits: frozenset[str], thinking: Thinking, notes: Notes) -> Json:
    """Temperatures of chat completions go to 2. A model that thinks takes none of these members."""
    members: Json = {}
    for name in ("temperature", "top_p"):
        value = chat.get(name)
        if value is None:
            continue
        if type(value) not in (int, float):
            raise wrong_type(name, "a number")
        members[name] = min(max(value, 0), _TEMPERATURE_MAX)
    top_k = chat.get("top_k")
    if top_k is not None:
        if type(top_k) is not int or not 0 <= top_k < _TOP_K_MAX:
            raise wrong_type("top_k", "an integer that is not negative")
        members["top_k"] = top_k
    refused = set(members)
    if not thinking.is_on and SAMPLING in traits:
        refused = set()
    elif not thinking.is_on and SAMPLING_ONE in traits:
        refused = {"top_p"} if {"temperature", "top_p"} <= set(members) else set()
    for name in ("temperature", "top_p", "top_k"):
        if name in refused:
            notes.drop(name)
            del members[name]
    return members


def _rest(chat: Json, notes: Notes) -> Json:
    members: Json = {}
    stops = _stops(chat.get("stop"), notes)
    if stops:
        members["stop_sequences"] = stops
    user = _user(chat)
    if user is not None:
        members["metadata"] = {"user_id": user}
    tier = chat.get("service_tier")
    if tier is not None:
        if type(tier) is str and tier in _TIERS:
            members["service_tier"] = _TIERS[tier]
        else:
            notes.drop("service_tier")
    notes.mark(members, chat, "")
    return members


def _stops(value: Any, notes: Notes) -> list[str]:
    """Sequences without a visible character are refused upstream, so the answer goes on past them."""
    stops = [value] if type(value) is str else [] if value is None else list_of(value, "stop")
    if any(type(stop) is not str for stop in stops):
        raise wrong_type("stop", "a string or an array of strings")
    kept = [stop for stop in stops if stop.strip()]
    if len(kept) < len(stops):
        notes.drop("stop")
    return kept


def _user(chat: Json) -> str | None:
    """Who the client's user is, in a form that says nothing about them: the provider asks for no personal data."""
    for name in ("safety_identifier", "user"):
        value = chat.get(name)
        if value is None:
            continue
        if type(value) is not str:
            raise InvalidRequest("invalid_type", name, f"'{name}' must be a string.")
        if value:
            return hashlib.sha256(value.encode()).hexdigest()
    return None
