"""The shape of what an upstream answers, as far as the gateway looks: whole answers and chunks of a stream.

Typed decoding skips what is not named here at the speed of a byte search (measured: 0.3 us for a chunk of 340 bytes; one
search for a word in it 0.1-0.2 us), so every chunk is parsed. Answers that do not fit the types are read loosely.
"""

import json
from typing import Any, Final

import msgspec


class Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: Function | None = None


class Speech(msgspec.Struct, gc=False):
    transcript: str | None = None


class Said(msgspec.Struct, gc=False):
    """A message or a piece of one. `content` is a list of parts with providers that show their thinking in it."""

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None
    audio: Speech | None = None


class ChunkChoice(msgspec.Struct, gc=False):
    index: int = 0
    delta: Said | None = None
    finish_reason: str | None = None
    usage: Any = None


class BaseResp(msgspec.Struct, gc=False):
    """How MiniMax says, with status 200, that it failed."""

    status_code: int = 0


class Chunk(msgspec.Struct, gc=False):
    """One event of a stream."""

    choices: list[ChunkChoice] | None = None
    usage: Any = msgspec.UNSET
    error: Any = None
    x_groq: Any = None
    base_resp: BaseResp | None = None

    @property
    def failed(self) -> bool:
        return bool(self.error) or (self.base_resp is not None and self.base_resp.status_code != 0)


_NULL: Final = msgspec.Raw(b"null")


class AnswerCall(msgspec.Struct, gc=False):
    type: str | None = None
    function: msgspec.Raw = _NULL

    @property
    def is_function(self) -> bool:
        return bytes(self.function) != b"null"


class AnswerMessage(msgspec.Struct, gc=False):
    """Of a whole message only what may need mending; its text is read again if a count is needed."""

    tool_calls: list[AnswerCall] | None = None


class AnswerChoice(msgspec.Struct, gc=False):
    message: AnswerMessage | None = None
    finish_reason: str | None = None
    usage: Any = None


class SpokenChoice(msgspec.Struct, gc=False):
    message: Said | None = None


class SpokenAnswer(msgspec.Struct, gc=False):
    """The text of a whole answer."""

    choices: list[SpokenChoice] | None = None


class Answer(msgspec.Struct, gc=False):
    """A whole answer."""

    choices: list[AnswerChoice] | None = None
    usage: Any = msgspec.UNSET
    error: Any = None
    x_groq: Any = None
    service_tier: str | None = None
    base_resp: BaseResp | None = None

    @property
    def failed(self) -> bool:
        return bool(self.error) or (self.base_resp is not None and self.base_resp.status_code != 0)


class RawUsage(msgspec.Struct, gc=False):
    usage: msgspec.Raw = _NULL


class RawAround(msgspec.Struct, gc=False):
    """Where providers keep usage, as the bytes they wrote."""

    usage: msgspec.Raw = _NULL
    x_groq: RawUsage | None = None
    choices: list[RawUsage] | None = None


decode_chunk: Final = msgspec.json.Decoder(Chunk).decode
decode_answer: Final = msgspec.json.Decoder(Answer).decode
decode_spoken: Final = msgspec.json.Decoder(SpokenAnswer).decode
_decode_around: Final = msgspec.json.Decoder(RawAround).decode

NOT_JSON: Final = (msgspec.MsgspecError, ValueError, RecursionError)


def as_utf8(document: bytes) -> bytes:
    """The same object if it is UTF-8; else with U+FFFD for what is not, as servers that cut characters in two make it."""
    if document.isascii():
        return document
    try:
        document.decode()
    except UnicodeDecodeError:
        return document.decode(errors="replace").encode()
    return document


def loose_object(document: bytes) -> dict[str, Any] | None:
    """What a lenient parser makes of `document` (lone surrogates, odd types); `None` if that is no object."""
    try:
        value = json.loads(document)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def loose_chunk(members: dict[str, Any]) -> Chunk:
    """A chunk of which some member has another type than expected: what can be used of it."""
    choices = members.get("choices")
    base = members.get("base_resp")
    code = base.get("status_code") if isinstance(base, dict) else None
    return Chunk(
        choices=[_loose_choice(choice) for choice in choices if isinstance(choice, dict)]
        if isinstance(choices, list)
        else None,
        usage=members.get("usage", msgspec.UNSET),
        error=members.get("error"),
        x_groq=members.get("x_groq"),
        base_resp=BaseResp(status_code=code) if isinstance(code, int) else None,
    )


def loose_answer(members: dict[str, Any]) -> Answer:
    """As `loose_chunk`, of a whole answer."""
    chunk = loose_chunk(members)
    tier = members.get("service_tier")
    return Answer(
        choices=[AnswerChoice(usage=choice.usage) for choice in chunk.choices]
        if chunk.choices is not None
        else None,
        usage=chunk.usage,
        error=chunk.error,
        x_groq=chunk.x_groq,
        service_tier=tier if isinstance(tier, str) else None,
        base_resp=chunk.base_resp,
    )


def _loose_choice(choice: dict[str, Any]) -> ChunkChoice:
    index = choice.get("index")
    reason = choice.get("finish_reason")
    return ChunkChoice(
        index=index if type(index) is int else 0,
        delta=loose_said(choice.get("delta")),
        finish_reason=reason if isinstance(reason, str) else None,
        usage=choice.get("usage"),
    )


def loose_said(said: Any) -> Said | None:
    if not isinstance(said, dict):
        return None
    texts = [said.get(name) for name in ("content", "reasoning_content", "reasoning", "refusal")]
    calls = said.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            texts += [function.get("name"), function.get("arguments")]
    return Said(content="".join(_loose_text(text) for text in texts if text is not None))


def _loose_text(text: Any) -> str:
    return text if isinstance(text, str) else json.dumps(text)


def raw_usage(document: bytes) -> bytes | None:
    """The bytes of the usage object of a chunk or answer: its own, else Groq's, else that of a choice."""
    try:
        around = _decode_around(document)
    except NOT_JSON:
        return _loose_usage(document)
    found = bytes(around.usage)
    if found[:1] == b"{":
        return found
    if around.x_groq is not None:
        found = bytes(around.x_groq.usage)
        if found[:1] == b"{":
            return found
    for choice in around.choices or ():
        found = bytes(choice.usage)
        if found[:1] == b"{":
            return found
    return None


def _loose_usage(document: bytes) -> bytes | None:
    members = loose_object(document) or {}
    usage = members.get("usage")
    return json.dumps(usage).encode() if isinstance(usage, dict) else None
