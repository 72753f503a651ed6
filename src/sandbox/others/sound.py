"""Sound from text, and text from sound. A character lasts 40 ms, a second of sound is 16,000 bytes of a file."""

import base64
import hashlib
from typing import Any, Final

from sandbox.errors import Refused
from sandbox.others.forms import form_of
from sandbox.others.made import Made, metadata_of, object_of, required
from sandbox.text import words
from sandbox.tokens import Tokens

BYTES_PER_CHARACTER: Final = 640
BYTES_PER_S: Final = 16_000
TOKENS_PER_S: Final = 10
WORDS_PER_S: Final = 2
WORDS_MAX: Final = 2_000
_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
}


def speech(body: bytes, tokens: Tokens) -> Made:
    """Bytes that are as long as the text and sound like nothing."""
    asked = object_of(body)
    text = required(asked, "input", str)
    required(asked, "voice", str)
    model, metadata = required(asked, "model", str), metadata_of(asked)
    said = hashlib.shake_128(text.encode("utf-8", "replace")).digest(BYTES_PER_CHARACTER * len(text))
    output = -(-len(text) * TOKENS_PER_S // 25)
    told = {"input_tokens": tokens.count(text), "output_tokens": output}
    usage = {**told, "total_tokens": sum(told.values())}
    if asked.get("stream_format") != "sse":
        kind = _TYPES.get(asked.get("response_format") or "mp3", "audio/pcm")
        return Made(
            model=model,
            metadata=metadata,
            usage={**usage, "characters": len(text)},
            body=said,
            content_type=kind,
        )
    half = len(said) // 2
    events: list[dict[str, Any]] = [
        {"type": "speech.audio.delta", "audio": base64.b64encode(part).decode()}
        for part in (said[:half], said[half:])
    ]
    done = {"type": "speech.audio.done", "usage": usage}
    return Made(model=model, metadata=metadata, usage=usage, events=(*events, done))


def transcription(body: bytes, tokens: Tokens) -> Made:
    return _heard(body, tokens, task="transcribe")


def translation(body: bytes, tokens: Tokens) -> Made:
    return _heard(body, tokens, task="translate")


def _heard(body: bytes, tokens: Tokens, *, task: str) -> Made:
    form = form_of(body)
    if [name for name, _ in form.files] != ["file"]:
        raise Refused(400, "The file is missing.", code="missing_required_parameter", param="file")
    file = form.files[0][1]
    seconds = -(-len(file) // BYTES_PER_S)
    pieces = words(hashlib.blake2b(file, digest_size=16).digest(), min(WORDS_PER_S * seconds, WORDS_MAX))
    text = "".join(pieces)
    usage = {"type": "duration", "seconds": seconds}
    asked = form.fields
    model, metadata = required(asked, "model", str), metadata_of(asked)
    if form.flag("stream"):
        told = _tokens(seconds, tokens.count(text))
        events: list[dict[str, Any]] = [{"type": "transcript.text.delta", "delta": piece} for piece in pieces]
        done = {"type": "transcript.text.done", "text": text, "usage": told}
        return Made(model=model, metadata=metadata, usage=told, events=(*events, done))
    wanted = asked.get("response_format", "json")
    if wanted in ("text", "srt", "vtt"):
        written = _written(wanted, text, seconds).encode()
        return Made(
            model=model,
            metadata=metadata,
            usage=usage,
            body=written,
            content_type="text/plain; charset=utf-8",
        )
    whole: dict[str, Any] = {"text": text, "usage": usage}
    if wanted == "verbose_json":
        whole |= {"task": task, "language": "english", "duration": float(seconds), "segments": []}
    return Made(model=model, metadata=metadata, usage=usage, whole=whole)


def _tokens(seconds: int, output: int) -> dict[str, Any]:
    heard = seconds * TOKENS_PER_S
    return {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": {"audio_tokens": heard, "text_tokens": 0},
        "output_tokens": output,
        "total_tokens": heard + output,
    }


def _written(wanted: str, text: str, seconds: int) -> str:
    if wanted == "text":
        return f"{text}\n"
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if wanted == "srt":
        return f"1\n00:00:00,000 --> {clock},000\n{text}\n\n"
    return f"WEBVTT\n\n00:00:00.000 --> {clock}.000\n{text}\n\n"
