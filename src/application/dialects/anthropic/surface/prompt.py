"""The text of a messages request as a model is shown it, for a local count of the prompt."""

from typing import Any, Final

import msgspec

from application.dialects.anthropic.surface.encode import encoded
from application.dialects.port import Json
from application.wire.chunk import NOT_JSON
from application.wire.prompt import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY, PromptText

_SHOWN: Final = ("role", "title", "context", "text", "name", "tool_name", "content", "source")
_decode: Final = msgspec.json.Decoder().decode


def prompt_of(body: bytes) -> PromptText | None:
    """Read a body that has passed `parse_messages` or `parse_count`; `None` for any other. Never raises."""
    try:
        request = _decode(body)
    except NOT_JSON:
        return None
    return prompt_in(request) if type(request) is dict else None


def prompt_in(request: Json) -> PromptText:
    """The same of a parsed request. Earlier thoughts, images and files count as nothing."""
    messages = request.get("messages")
    turns = len(messages) if type(messages) is list else 0
    texts = _texts([request.get("system"), messages])
    tools = request.get("tools")
    if tools:
        texts.append(_json(tools))
    return PromptText(texts, TOKENS_PER_MESSAGE * turns + TOKENS_PER_REPLY)


def _texts(waiting: list[Any]) -> list[str]:
    """The texts in blocks, however deep, in order."""
    texts: list[str] = []
    waiting.reverse()
    while waiting:
        value = waiting.pop()
        if type(value) is str:
            texts.append(value)
        elif type(value) is list:
            waiting.extend(reversed(value))
        elif type(value) is dict:
            if type(value.get("input")) is dict:
                texts.append(_json(value["input"]))
            waiting.extend(value[name] for name in reversed(_SHOWN) if name in value)
            if value.get("type") == "text" and "data" in value:  # the source of a document that is text
                waiting.append(value["data"])
    return texts


def _json(value: Any) -> str:
    try:
        return encoded(value).decode()
    except RecursionError:
        return ""
