"""The endpoint `/audio/speech`: text in, sound out. Charged by characters, or by tokens where the stream tells them."""

from typing import Final

import msgspec

from application.dialects.openai import fields
from application.dialects.openai.audio.length import (
    PCM_BYTES_PER_S,
    ByteLength,
    SniffedLength,
    SoundLength,
)
from application.dialects.openai.document import patched
from application.dialects.openai.event_relay import EventRelay
from application.dialects.openai.typed_reader import TypedReader
from application.dialects.openai.units import Used, used_tokens
from application.dialects.openai.usage import figures
from application.wire.chunk_meter import ERROR_BYTES_MAX
from application.wire.errors import InvalidRequest
from application.wire.head import parse_object
from application.wire.relay import STREAM_BYTES_MAX, Fault, Tail
from application.wire.spending import unpriced_members
from application.wire.spoken import SpokenText
from application.wire.usage import Reading

PATH: Final = b"/audio/speech"
CHARACTERS_MAX: Final = 100_000
MS_PER_CHARACTER_MAX: Final = 500
"""A slow voice has some 80 ms for one; a digit is a word."""
SOUND_TOKENS_PER_S_MAX: Final = 50
_SPEED_MIN, _SPEED_MAX = 0.25, 4.0


class SpeechHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway reads of a request."""

    model: str
    events: bool  #: the client asked for events, and not for sound alone
    pcm: bool
    most: Used
    body_bytes: int
    unpriced: tuple[str, ...]  #: members that spend beyond what is counted, see `application.wire.spending`


def parse_speech(body: bytes) -> SpeechHead:
    """Check and read a request body.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    request = parse_object(body)
    text = fields.text(request, "input")
    if len(text) > CHARACTERS_MAX:
        raise InvalidRequest("invalid_value", "input", f"'input' is longer than {CHARACTERS_MAX} characters.")
    if request.get("voice") is None:
        raise fields.missing("voice")
    instructions = fields.optional_text(request, "instructions") or ""
    audio_ms = int(len(text) * MS_PER_CHARACTER_MAX / _speed(request.get("speed"))) + 1000
    return SpeechHead(
        model=fields.model(request),
        events=fields.optional_text(request, "stream_format") == "sse",
        pcm=fields.optional_text(request, "response_format") == "pcm",
        most=Used(
            input=fields.utf8_bytes(text) + fields.utf8_bytes(instructions) + 16,
            output=-(-audio_ms // 1000) * SOUND_TOKENS_PER_S_MAX,
            audio_ms=audio_ms,
            characters=len(text),
            source="request",
        ),
        body_bytes=len(body),
        unpriced=unpriced_members(request, provider_tools=False),
    )


def _speed(value: object) -> float:
    if value is None:
        return 1.0
    if type(value) not in (int, float):
        raise fields.wrong_type("speed", "a number", value)
    assert isinstance(value, int | float)
    if not _SPEED_MIN <= value <= _SPEED_MAX:
        raise InvalidRequest(
            "invalid_value", "speed", f"'speed' must be between {_SPEED_MIN} and {_SPEED_MAX}."
        )
    return min(float(value), 1.0)


def patch_speech(body: bytes, *, model: str) -> bytes:
    """The body for a deployment."""
    return patched(body, {"model": model})


class SpeechRelay:
    """The `Relay` of sound: bytes pass, and the latest piece is withheld, so that the end comes after the charge.

    A document instead of sound (`is_document` by its content type) is an error; nothing of it passes.
    """

    def __init__(
        self, head: SpeechHead, *, is_document: bool, stream_bytes_max: int = STREAM_BYTES_MAX
    ) -> None:
        self.received_bytes = 0
        self.fault: Fault | None = "not_sse" if is_document else None
        self.error_body = b""
        self.done = False
        self.usage_raw: bytes | None = None
        self.chunks = 0
        self._head = head
        self._length: SoundLength = ByteLength(PCM_BYTES_PER_S) if head.pcm else SniffedLength()
        self._held = b""
        self._stream_bytes_max = stream_bytes_max

    @property
    def used(self) -> Used:
        """The characters that were sent, and what the sound lasts where it can be read in it."""
        return Used(
            characters=self._head.most.characters,
            audio_ms=-(-(self._length.us or 0) // 1000),
            source="request",
        )

    def spoken(self) -> SpokenText:
        return SpokenText("", 0)

    def feed(self, piece: bytes) -> bytes:
        if self.fault == "not_sse":
            self.error_body += piece[: ERROR_BYTES_MAX - len(self.error_body)]
        if self.fault is not None or not piece:
            return b""
        self.received_bytes += len(piece)
        self.chunks += 1
        if self.received_bytes > self._stream_bytes_max:
            self.fault = "stream_too_long"
            return b""
        self._length.feed(piece)
        forward, self._held = self._held, piece
        return forward

    def finish(self) -> Tail:
        if self.fault is None and not self.received_bytes:
            self.fault = "truncated"
        if self.fault is not None:
            return Tail(b"", complete=False, fault=self.fault)
        return Tail(self._held, complete=True, fault=None)


class SpeechEventRelay(EventRelay):
    """The `Relay` of `speech.audio.delta` events; `speech.audio.done`, which has the usage, is withheld."""

    def __init__(self, head: SpeechHead) -> None:
        self._head = head
        self._reader = TypedReader(last=frozenset({"speech.audio.done"}), used_of=_used_of)
        super().__init__(self._reader)

    @property
    def used(self) -> Used:
        used = self._reader.used or Used(source="request")
        return msgspec.structs.replace(used, characters=self._head.most.characters)


def _used_of(usage: dict[str, object]) -> Used | None:
    reading = Reading(usage)
    return used_tokens(reading, figures(reading))
