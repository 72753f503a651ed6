"""What somebody asks in the playground, checked, and as a request to a gateway."""

from typing import Final, Literal

import msgspec

from domain.refusal import BadField
from domain.text import alias_name

MODELS_MAX: Final = 3
MESSAGES_MAX: Final = 60
CHARS_MAX: Final = 100_000
TOKENS_MAX: Final = 32_000
TOKENS: Final = 1_000
_TEMPERATURE_MAX: Final = 2.0


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `temperature` none: the model's own."""

    model: str
    messages: tuple[Said, ...]
    tokens_max: int = TOKENS
    temperature: float | None = None

    def body(self, *, stream: bool) -> bytes:
        """As a client sends it; the answer's usage tells its charge."""
        members: dict[str, object] = {
            "model": self.model,
            "messages": self.messages,
            "max_tokens": self.tokens_max,
            "usage": {"include": True},
            "stream": stream,
        }
        if stream:
            members["stream_options"] = {"include_usage": True}
        if self.temperature is not None:
            members["temperature"] = self.temperature
        return msgspec.json.encode(members)


def conversation(text: str) -> tuple[Said, ...]:
    """Messages as a page sends them, in JSON.

    Raises:
        BadField: they are none, too many or too long.
    """
    try:
        return msgspec.json.decode(text, type=tuple[Said, ...])
    except msgspec.DecodeError:
        raise BadField("messages", "cannot be read") from None


def question(
    model: str, messages: tuple[Said, ...], *, tokens_max: str = "", temperature: str = ""
) -> Question:
    """A request that may be sent.

    Raises:
        BadField: something in it cannot be used.
    """
    if not messages or len(messages) > MESSAGES_MAX:
        raise BadField("messages", f"must be one to {MESSAGES_MAX}")
    if not messages[-1].content.strip():
        raise BadField("prompt", "is empty")
    if sum(len(one.content) for one in messages) > CHARS_MAX:
        raise BadField("messages", f"have more than {CHARS_MAX} characters")
    return Question(
        model=alias_name(model, field="model"),
        messages=messages,
        tokens_max=_number(tokens_max, TOKENS, most=TOKENS_MAX),
        temperature=_temperature(temperature),
    )


def _number(text: str, otherwise: int, *, most: int) -> int:
    if not text.strip():
        return otherwise
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= most:
        raise BadField("tokens_max", f"must be 1 to {most}")
    return int(text)


def _temperature(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _TEMPERATURE_MAX:
        raise BadField("temperature", "must be 0 to 2")
    return value
