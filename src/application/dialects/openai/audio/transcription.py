"""The endpoints `/audio/transcriptions` and `/audio/translations`: a file of sound in, text out.

Providers charge by the second or by the token. What a file lasts can only be bounded by its size; an answer that says
nothing of its cost (plain text) is charged by the last time that it names, else by that bound.
"""

import re
import struct
from typing import Final

import msgspec

from application.dialects.openai import fields
from application.dialects.openai.document import Json
from application.dialects.openai.multipart.form import File, FormReader
from application.dialects.openai.simple_answer import Document, read_document
from application.dialects.openai.units import GARBAGE, Answer, Used, milliseconds, used_tokens
from application.dialects.openai.usage import figures
from application.wire.chunk import as_utf8
from application.wire.errors import InvalidRequest
from application.wire.spending import unpriced_members
from application.wire.usage import Reading

TRANSCRIPTIONS_PATH: Final = b"/audio/transcriptions"
TRANSLATIONS_PATH: Final = b"/audio/translations"
BYTES_PER_S_MIN: Final = 750
"""6 kbit/s, the least of Opus and of MP3 in use. Silence may be packed denser; a charge is never above its hold."""
AUDIO_TOKENS_PER_S_MAX: Final = 50
"""Known models read 10 (OpenAI), 12.5 (Mistral) and 32 (Gemini) tokens for a second."""
TEXT_TOKENS_PER_S_MAX: Final = 25
"""Fast speech has 5 to 7; times of words and speakers multiply it."""
_TEXT_TOKENS_MIN: Final = 4_096
_TIMED: Final = re.compile(rb"-->\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{3})")
_ELSEWHERE: Final = ("file", "file_id", "file_url", "url")
"""As fields, some providers take them for the file: an address, or what lies in the operator's account."""
_FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
_WAV_HEADER_BYTES: Final = 36
_WAV_PCM: Final = 1
_WAV_BYTES_PER_S_MAX: Final = 192_000


class TranscriptionHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway reads of a form."""

    model: str
    stream: bool
    response_format: str
    most: Used
    unpriced: tuple[str, ...]  #: members that spend beyond what is counted, see `application.wire.spending`


def parse_transcription(form: FormReader, *, upload_bytes: int) -> TranscriptionHead:
    """Read a form that is finished, or that has come to its file. `upload_bytes` bounds the file.

    Raises:
        InvalidRequest: it cannot be served.
    """
    request = form.request()
    files = [file for file in form.files if file.name == "file"]
    if len(files) != 1 or len(form.files) != 1:
        raise InvalidRequest("invalid_value", "file", "The form must have one file, 'file'.")
    for name in _ELSEWHERE:
        if name in request:
            raise fields.unsupported(name, "stands for sound that is not in the form, which is not offered")
    wanted = request.get("response_format", "json")
    if wanted not in _FORMATS:
        raise InvalidRequest("invalid_value", "response_format", "'response_format' is not a known format.")
    return TranscriptionHead(
        model=fields.checked_model(form.model),
        stream=fields.flag(request, "stream"),
        response_format=wanted,
        most=_most(request, files[0], upload_bytes),
        unpriced=unpriced_members(request, provider_tools=False),
    )


def _most(request: Json, file: File, upload_bytes: int) -> Used:
    seconds = -(-upload_bytes // _bytes_per_s(file))
    prompt_bytes = fields.utf8_bytes(fields.optional_text(request, "prompt") or "")
    return Used(
        input=seconds * AUDIO_TOKENS_PER_S_MAX + prompt_bytes,
        output=seconds * TEXT_TOKENS_PER_S_MAX + _TEXT_TOKENS_MIN,
        audio_ms=seconds * 1000,
        source="request",
    )


def _bytes_per_s(file: File) -> int:
    """Of a plain WAV file what its header says, as its decoder reads it, if it is of one mind and no more than usual."""
    start = file.start
    if len(start) < _WAV_HEADER_BYTES or start[:4] != b"RIFF" or start[8:16] != b"WAVEfmt ":
        return BYTES_PER_S_MIN
    header: tuple[int, ...] = struct.unpack_from("<HHIIHH", start, 20)
    kind, channels, rate_hz, bytes_per_s, block_bytes, bits = header
    if kind != _WAV_PCM or block_bytes * 8 != channels * bits or bytes_per_s != rate_hz * block_bytes:
        return BYTES_PER_S_MIN
    return min(max(bytes_per_s, BYTES_PER_S_MIN), _WAV_BYTES_PER_S_MAX)


def read_transcription(body: bytes, *, is_json: bool) -> Answer:
    """Read the whole body of a 200. `is_json` by its content type; else it is text, SRT or VTT. Never raises."""
    if not is_json:
        return Answer(body=as_utf8(body), used=_timed(body))
    document = read_document(body, items=())
    if isinstance(document, Answer):
        return document
    if document.text is None:
        return GARBAGE
    return Answer(body=document.body, used=_used(document), usage_raw=document.usage_raw)


def used_of(usage: Json) -> Used | None:
    """Units of a usage object: `{type: duration, seconds}`, or tokens, or Mistral's both."""
    reading = Reading(usage)
    audio_ms = milliseconds(usage.get("seconds"))
    if audio_ms is None:
        audio_ms = milliseconds(usage.get("prompt_audio_seconds"))
    if reading.figure("input_tokens") is not None:
        used = used_tokens(reading, figures(reading))
        heard = min(reading.first(("input_token_details", "audio_tokens")), used.input)
        return msgspec.structs.replace(used, input_audio=heard, audio_ms=audio_ms or 0)
    if reading.figure("prompt_tokens") is not None:
        return Used(
            input=reading.first(("prompt_tokens",)),
            output=reading.first(("completion_tokens",)),
            audio_ms=audio_ms or 0,
            flags=tuple(reading.flags),
        )
    return None if audio_ms is None else Used(audio_ms=audio_ms)


def _used(document: Document) -> Used | None:
    used = used_of(document.usage) if document.usage else None
    if used is None:
        audio_ms = milliseconds(document.duration)
        used = None if audio_ms is None else Used(audio_ms=audio_ms, source="answer")
    return used


def _timed(body: bytes) -> Used | None:
    """By the last time that subtitles name; none in plain text."""
    latest = 0
    for hours, minutes, seconds, thousandths in _TIMED.findall(body):
        latest = max(
            latest, ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)
        )
    return Used(audio_ms=latest, source="answer") if latest else None
