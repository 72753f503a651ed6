"""A chat request as one to `generateContent` or `streamGenerateContent`."""

import re
from typing import Any, Final

import msgspec

from application.dialects.gemini.checks import text, unsupported, wrong_value
from application.dialects.gemini.generation import generation_config, wants_json
from application.dialects.gemini.messages import conversation
from application.dialects.gemini.tools import calling_config, declarations
from application.dialects.gemini.traits import JSON_WITH_TOOLS, SERVICE_TIER
from application.dialects.names import plain_names
from application.dialects.port import Asked, Json, Target
from application.wire.errors import InvalidRequest

_MODEL: Final = re.compile(r"(?:(models|tunedModels)/)?([A-Za-z0-9][A-Za-z0-9._@-]{0,127})", re.ASCII)
_TIERS: Final = {"default": "standard", "flex": "flex", "priority": "priority"}
_SAID: Final = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"),
        *("temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty", "seed", "stop", "n"),
        *("logprobs", "top_logprobs", "response_format", "modalities", "reasoning_effort"),
        *("tools", "tool_choice", "service_tier"),
    }
)
"""Members that are translated, or whose meaning is kept in another way."""
_HARMLESS: Final = {"parallel_tool_calls": True, "store": False}
"""Members that with this value ask for what happens anyway."""
_REFUSED: Final = {
    "functions": "is deprecated; use 'tools'",
    "function_call": "is deprecated; use 'tool_choice'",
    "audio": "asks for speech, which this model does not give here",
    "web_search_options": "asks for a search, which this model is not given here",
}
_encode: Final = msgspec.json.Encoder().encode


def model_path(model: str, method: str) -> bytes:
    """The path of a method of a model, below the base URL.

    Raises:
        InvalidRequest: the name is none that may stand in a path; it is never escaped into one.
    """
    found = _MODEL.fullmatch(model)
    if found is None or ".." in model:
        raise InvalidRequest("invalid_value", "model", "'model' is no name of a model of this provider.")
    return f"/{found[1] or 'models'}/{found[2]}:{method}".encode()


def chat_request(chat: Json, target: Target, *, stream: bool) -> Asked:
    """Translate `chat`, which is not changed.

    Raises:
        InvalidRequest: it is malformed, or asks for what this dialect or model cannot do.
    """
    path = model_path(target.model, "streamGenerateContent?alt=sse" if stream else "generateContent")
    for name, reason in _REFUSED.items():
        if chat.get(name) is not None:
            raise unsupported(name, reason)
    dropped = list(plain_names(name for name, value in chat.items() if _has_no_equal(name, value)))
    spoken = conversation(chat, target)
    body: Json = {"contents": spoken.contents}
    if spoken.system:
        body["systemInstruction"] = {"parts": spoken.system}
    body["generationConfig"] = generation_config(chat, target, dropped)
    body |= _tools(chat, target)
    body |= _tier(chat.get("service_tier"), target, dropped)
    return Asked(path=path, body=encoded(body), dropped=tuple(dropped))


def encoded(body: Json) -> bytes:
    """`body` as JSON.

    Raises:
        InvalidRequest: what is embedded in it is nested too deep.
    """
    try:
        return _encode(body)
    except RecursionError:
        raise InvalidRequest("nesting_too_deep", None, "The body is nested too deep.") from None


def _has_no_equal(name: str, value: Any) -> bool:
    if value is None or name in _SAID or name in _REFUSED:
        return False
    return name not in _HARMLESS or value is not _HARMLESS[name]


def _tools(chat: Json, target: Target) -> Json:
    offered = declarations(chat, target)
    config = calling_config(chat, offered)
    if not offered:
        return {}
    if wants_json(chat) and JSON_WITH_TOOLS not in target.traits:
        raise unsupported("response_format", "cannot be combined with 'tools' on this model")
    said: Json = {"tools": [{"functionDeclarations": offered}]}
    if config is not None:
        said["toolConfig"] = config
    return said


def _tier(tier: Any, target: Target, dropped: list[str]) -> Json:
    if tier is None or text(tier, "service_tier") == "auto":
        return {}
    if tier not in _TIERS:
        raise wrong_value("service_tier", "is not one that this provider has")
    if SERVICE_TIER in target.traits:
        return {"serviceTier": _TIERS[tier]}
    if tier != "default":
        dropped.append("service_tier")
    return {}
