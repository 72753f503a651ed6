"""The text of a chat request as a model is shown it, for a local count of the prompt."""

from typing import Any, Final

import msgspec

from application.wire.spoken import parts_text

TOKENS_PER_MESSAGE: Final = 3
TOKENS_PER_NAME: Final = 1
TOKENS_PER_REPLY: Final = 3
"""What OpenAI's chat template adds, as OpenAI publishes it; other providers' templates come close."""

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class PromptText(msgspec.Struct, frozen=True):
    """The texts, and how many tokens the template puts around them."""

    texts: list[str]
    template_tokens: int


def prompt_text(body: bytes) -> PromptText | None:
    """Read a request body that has passed `parse_chat`; `None` for any other. Never raises."""
    try:
        request = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    messages = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(messages, list):
        return None
    texts: list[str] = []
    tokens = TOKENS_PER_REPLY
    for message in messages:
        if isinstance(message, dict):
            tokens += TOKENS_PER_MESSAGE + (TOKENS_PER_NAME if message.get("name") else 0)
            texts.extend(_texts(message))
    schemas = (request.get(name) for name in ("tools", "functions", "response_format"))
    texts.extend(_encode(schema).decode() for schema in schemas if schema)
    return PromptText(texts, tokens)


def _texts(message: dict[str, Any]) -> list[str]:
    texts = [message.get(name) for name in ("role", "name", "reasoning_content", "refusal")]
    content = message.get("content")
    texts.append(parts_text(content) if isinstance(content, list) else content)
    calls = message.get("tool_calls")
    for call in [*(calls if isinstance(calls, list) else ()), {"function": message.get("function_call")}]:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            texts += [function.get("name"), function.get("arguments")]
    return [text for text in texts if isinstance(text, str)]
