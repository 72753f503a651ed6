"""Reads request bodies: a `Call` is all that the answer depends on, without the prompt itself.

A call may be kept and reused for the same bytes, because an answer is a pure function of them. Prompt tokens follow
OpenAI's published recipe for chat: per message 3 + its role + its text (+1 and the name, if named), and 3 for the reply;
tools count as their JSON text, a part that is not text counts 85. Close to a real bill, not equal in the last token.
"""

import hashlib
import re
from typing import Any, Final, Literal

import msgspec

from sandbox import models, script, tokens
from sandbox.errors import Refused
from sandbox.script import Script

TOTAL_TOKENS_MAX: Final = 1_000_000
CHOICES_MAX: Final = 128
_MISSING: Final = re.compile(r"missing required field `(\w+)`")
_AT: Final = re.compile(r"at `\$\.?([^`]*)`")


class Part(msgspec.Struct):
    type: str
    text: str | None = None


class Function(msgspec.Struct):
    name: str
    arguments: str = ""


class ToolCall(msgspec.Struct):
    function: Function | None = None


class Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None

    def text(self) -> str:
        if self.content is None:
            return ""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text or "" for part in self.content)


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class ChatBody(msgspec.Struct):
    """The fields that matter here; whatever else a client sends is accepted and ignored."""

    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    tools: msgspec.Raw = msgspec.Raw(b"null")
    tool_choice: str | dict[str, Any] | None = None
    service_tier: str | None = None
    metadata: dict[str, Any] | None = None


class EmbeddingBody(msgspec.Struct):
    model: str
    input: str | list[str | int | list[int]]  #: a text, texts, tokens, or lists of tokens
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    metadata: dict[str, Any] | None = None


class Call(msgspec.Struct, kw_only=True):
    """A request understood. `seed` is a digest of what was asked; `echo` alone holds text, and such a call is not kept."""

    model: str
    seed: bytes
    prompt_tokens: int
    script: Script
    ref: str | None = None
    stream: bool = False
    include_usage: bool = False
    tokens_max: int | None = None
    n: int = 1
    stops: tuple[str, ...] = ()
    tool: str | None = None  #: the function that the answer must call
    tool_finish: str = "tool_calls"
    service_tier: str = "default"
    echo: str | None = None


_chat_decoder: Final = msgspec.json.Decoder(ChatBody)
_embedding_decoder: Final = msgspec.json.Decoder(EmbeddingBody)


def decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """Decode a body.

    Raises:
        Refused: 400 in OpenAI's words, naming the field.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        text = str(error)
        if missing := _MISSING.search(text):
            name = missing[1]
            raise Refused(
                400, f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name
            ) from None
        at = _AT.search(text)
        raise Refused(400, text, code="invalid_type", param=at[1] if at else None) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Refused(400, "We could not parse the JSON body of your request.", code="invalid_json") from None


def model_script(
    model: str, metadata: dict[str, Any] | None, fault_names: frozenset[str]
) -> tuple[Script, str | None]:
    """The script of the model's name under that of the body, and the client's reference."""
    named = models.script_of(model, fault_names)
    if named is None:
        raise Refused(404, f"The model `{model}` does not exist.", code="model_not_found", param="model")
    own = (metadata or {}).get("sandbox")
    ref = (metadata or {}).get("ref")
    if own is not None and not isinstance(own, str):
        raise script.BadScript("metadata.sandbox must be a string that holds a JSON object")
    merged = script.parse(own).over(named) if own is not None else named
    return merged, ref if isinstance(ref, str) else None


def chat(body: bytes, counter: tokens.Tokens, fault_names: frozenset[str]) -> Call:
    """Understand a chat request.

    Raises:
        Refused: nothing was served (a `BadScript` is one too).
    """
    asked: ChatBody = decode(_chat_decoder, body)
    merged, ref = model_script(asked.model, asked.metadata, fault_names)
    if asked.model == models.EMBEDDING:
        raise Refused(404, "This is not a chat model.", code=None, param="model")
    _check_ranges(asked)
    tool, tool_finish = _forced_tool(asked)
    limits = [limit for limit in (asked.max_completion_tokens, asked.max_tokens) if limit is not None]
    return Call(
        model=asked.model,
        seed=_seed(asked),
        prompt_tokens=_prompt_tokens(asked, counter),
        script=merged,
        ref=ref,
        stream=bool(asked.stream),
        include_usage=bool(asked.stream_options and asked.stream_options.include_usage),
        tokens_max=limits[0] if limits else None,
        n=asked.n or 1,
        stops=_stops(asked.stop),
        tool=tool,
        tool_finish=tool_finish,
        service_tier=asked.service_tier if asked.service_tier in ("flex", "priority", "scale") else "default",
        echo=_last_user_text(asked) if asked.model == models.ECHO else None,
    )


def _check_ranges(asked: ChatBody) -> None:
    if not asked.messages:
        raise Refused(400, "Expected a non-empty array.", code="empty_array", param="messages")
    if asked.n is not None and not 1 <= asked.n <= CHOICES_MAX:
        raise Refused(400, f"n must be 1 to {CHOICES_MAX}.", code="invalid_value", param="n")
    for name in ("max_tokens", "max_completion_tokens"):
        limit = getattr(asked, name)
        if limit is not None and limit < 1:
            raise Refused(400, f"{name} must be at least 1.", code="integer_below_min_value", param=name)


def _forced_tool(asked: ChatBody) -> tuple[str | None, str]:
    """The function to call and the finish reason: as recorded from OpenAI, `stop` when one function is named."""
    choice = asked.tool_choice
    if isinstance(choice, dict):
        named = choice.get("function")
        name = named.get("name") if isinstance(named, dict) else None
        return (name, "stop") if isinstance(name, str) else (None, "stop")
    if choice != "required":
        return None, "stop"
    try:
        tools = msgspec.json.decode(asked.tools, type=list[dict[str, Any]])
        name = tools[0]["function"]["name"]
    except (msgspec.MsgspecError, LookupError, TypeError):
        name = None
    if not isinstance(name, str):
        raise Refused(400, "tool_choice needs tools with a function.", code="invalid_value", param="tools")
    return name, "tool_calls"


def _stops(stop: str | list[str] | None) -> tuple[str, ...]:
    if stop is None:
        return ()
    return (stop,) if isinstance(stop, str) else tuple(stop)


def _last_user_text(asked: ChatBody) -> str:
    return next((message.text() for message in reversed(asked.messages) if message.role == "user"), "")


def _seed(asked: ChatBody) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{asked.model}\0{asked.seed}".encode("utf-8", "surrogatepass"))
    for message in asked.messages:
        digest.update(f"\0{message.role}\0{message.text()}".encode("utf-8", "surrogatepass"))
    return digest.digest()


def _prompt_tokens(asked: ChatBody, counter: tokens.Tokens) -> int:
    count = counter.count
    total = tokens.PER_REPLY
    for message in asked.messages:
        total += tokens.PER_MESSAGE + count(message.role) + count(message.text())
        if message.name is not None:
            total += tokens.PER_NAME + count(message.name)
        if isinstance(message.content, list):
            total += tokens.PER_OTHER_PART * sum(part.text is None for part in message.content)
        for call in message.tool_calls or ():
            if call.function is not None:
                total += count(call.function.name) + count(call.function.arguments)
    if (tools := bytes(asked.tools)) != b"null":
        total += count(tools.decode("utf-8", "replace"))
    return total


def embedding(body: bytes, counter: tokens.Tokens, fault_names: frozenset[str]) -> tuple[Call, EmbeddingBody]:
    """Understand an embeddings request; as `chat`."""
    asked: EmbeddingBody = decode(_embedding_decoder, body)
    merged, ref = model_script(asked.model, asked.metadata, fault_names)
    if asked.model != models.EMBEDDING and not asked.model.startswith(models.FAULT_PREFIX):
        raise Refused(404, f"The model `{asked.model}` has no embeddings.", code=None, param="model")
    inputs = texts(asked)
    if not inputs:
        raise Refused(400, "Expected a non-empty array.", code="empty_array", param="input")
    total = sum(counter.count(item) if isinstance(item, str) else len(item) for item in inputs)
    return Call(model=asked.model, seed=b"", prompt_tokens=total, script=merged, ref=ref), asked


def texts(asked: EmbeddingBody) -> list[str | list[int]]:
    """The inputs one by one: texts or token lists."""
    if isinstance(asked.input, str):
        return [asked.input]
    if asked.input and isinstance(asked.input[0], int):
        return [[item for item in asked.input if isinstance(item, int)]]
    return [item for item in asked.input if not isinstance(item, int)]
