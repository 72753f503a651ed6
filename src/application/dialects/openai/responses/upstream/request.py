"""A chat request as one for a response.

Two defaults differ: a response would be stored, and a function's schema would be strict. Both are said as chat
completions have them.
"""

from typing import Any, Final

from application.dialects.names import plain_names
from application.dialects.openai import fields
from application.dialects.openai.document import Json, written
from application.dialects.openai.responses.head import NO_STORE
from application.dialects.openai.responses.to_chat import LOGPROBS, SAME
from application.dialects.openai.responses.upstream.tools import choice_of, tools_of
from application.dialects.openai.responses.upstream.turns import input_of
from application.dialects.port import Asked, Target

_TRANSLATED: Final = frozenset(
    {
        *SAME,
        *("messages", "tools", "tool_choice", "reasoning_effort", "verbosity", "response_format"),
        *("logprobs", "top_logprobs"),
    }
)
_GATEWAYS: Final = frozenset(
    {
        *("model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "store"),
        *("models", "provider", "usage"),
    }
)
"""Members that ask the gateway for something, or that it says itself."""
_SAYS_NOTHING: Final[dict[str, tuple[Any, ...]]] = {
    "n": (1,),
    "stop": ([], ""),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
}
_REFUSED: Final = (
    *("n", "stop", "functions", "function_call", "audio", "modalities"),
    "web_search_options",
)
"""What has no equal and would change the answer."""


def request_of(chat: Json, target: Target, *, path: bytes, stream: bool) -> Asked:
    """Translate `chat`, which is not changed.

    Raises:
        InvalidRequest: it is malformed, or asks for what responses cannot say.
    """
    asked = {name: value for name, value in chat.items() if not _says_nothing(name, value)}
    for name in _REFUSED:
        if name in asked:
            raise fields.unsupported(name, "cannot be served by this model")
    request: Json = {"model": target.model, "input": input_of(chat)}
    request["max_output_tokens"] = target.output_tokens
    if NO_STORE not in target.traits:
        request["store"] = False
    if stream:
        request["stream"] = True
    request |= {name: asked[name] for name in SAME if name in asked}
    request |= _reasoning(asked) | _text(asked) | _tools(chat) | _logprobs(chat)
    dropped = plain_names(name for name in asked if name not in _TRANSLATED | _GATEWAYS)
    return Asked(path=path, body=written(request), dropped=dropped)


def _says_nothing(name: str, value: Any) -> bool:
    return value is None or value in _SAYS_NOTHING.get(name, ())


def _reasoning(asked: Json) -> Json:
    return {"reasoning": {"effort": asked["reasoning_effort"]}} if "reasoning_effort" in asked else {}


def _text(asked: Json) -> Json:
    text: Json = {"verbosity": asked["verbosity"]} if "verbosity" in asked else {}
    wanted = fields.optional_object(asked, "response_format")
    kind = wanted.get("type", "text")
    if kind == "json_schema":
        text["format"] = {"type": kind, "strict": False, **_present(_schema_of(wanted))}
    elif kind == "json_object":
        text["format"] = {"type": kind}
    elif kind != "text":
        raise fields.unsupported("response_format.type", "is not served for this model")
    return {"text": text} if text else {}


def _schema_of(wanted: Json) -> Json:
    schema = fields.optional_object(wanted, "json_schema")
    return {name: schema.get(name) for name in ("name", "description", "schema", "strict")}


def _present(members: Json) -> Json:
    return {name: value for name, value in members.items() if value is not None}


def _tools(chat: Json) -> Json:
    members: Json = {}
    tools = tools_of(chat)
    if tools:
        members["tools"] = tools
    if tools and chat.get("tool_choice") is not None:
        members["tool_choice"] = choice_of(chat["tool_choice"])
    return members


def _logprobs(chat: Json) -> Json:
    if not fields.flag(chat, "logprobs"):
        return {}
    top = fields.count(chat, "top_logprobs", least=0, most=20)
    return {"include": [LOGPROBS]} | ({"top_logprobs": top} if top else {})
