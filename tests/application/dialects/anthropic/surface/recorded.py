"""Recorded exchanges as a client or a provider would see them: bytes of streams, cuts of them, and what they say."""

import json
import random
from typing import Any

Case = dict[str, Any]
Call = tuple[str, Any]


def stream_of(case: Case) -> bytes:
    """The events as bytes; a closing `[DONE]` that the recorder took off is put back."""
    newline = case["sse_newline"].encode()
    stream = b""
    for item in case["stream_chunks"]:
        lines = [":" + item["comment"]] if "comment" in item else []
        lines += [f"event: {item['event']}"] if "event" in item else []
        lines += [f"data: {item['data']}"] if "data" in item else []
        stream += newline.join(line.encode() for line in lines) + newline * 2
    if case["sse_done"] and not stream.rstrip().endswith(b"data: [DONE]"):
        stream += b"data: [DONE]" + newline * 2
    return stream


def payloads(stream: bytes) -> list[dict[str, Any]]:
    """The objects in a stream."""
    found = [line.removeprefix(b"data: ") for line in stream.splitlines() if line.startswith(b"data: {")]
    return [json.loads(data) for data in found]


def cut(stream: bytes, seed: str) -> list[bytes]:
    """Pieces of 1 to 900 bytes, most of them small, the same for the same seed."""
    dice = random.Random(seed)
    pieces, at = [], 0
    while at < len(stream):
        size = dice.choice((1, 2, 3, dice.randint(1, 60), dice.randint(1, 900)))
        pieces.append(stream[at : at + size])
        at += size
    return pieces


def arguments(text: str) -> Any:
    """A call's arguments as a value; what is no object as the surface tells it."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"INVALID_JSON": text}
