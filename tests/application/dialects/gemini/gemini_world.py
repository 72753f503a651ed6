"""Small helpers: requests and answers with the least in them, streams as bytes, and what a client makes of chunks."""

import json
import random
from typing import Any

import pytest

from application.dialects.gemini.stream import GeminiStream
from application.dialects.gemini.upstream import GeminiUpstream
from application.dialects.port import Asked, ChatEnd, Read, Target
from application.wire.errors import InvalidRequest

Json = dict[str, Any]
USER: Json = {"role": "user", "content": "hi"}


def target(*traits: str, model: str = "gemini-3.8-flash", output_tokens: int = 100) -> Target:
    return Target(model=model, output_tokens=output_tokens, traits=frozenset(traits))


def asked(chat: Json, *traits: str, stream: bool = False) -> Asked:
    whole = {"model": "alias", "messages": [USER], **chat}
    return GeminiUpstream().ask(whole, target(*traits), stream=stream)


def body_of(chat: Json, *traits: str) -> Json:
    body: Json = json.loads(asked(chat, *traits).body)
    return body


def refused(chat: Json, *traits: str) -> tuple[str, str | None]:
    """Code and param of the refusal."""
    with pytest.raises(InvalidRequest) as caught:
        asked(chat, *traits)
    return caught.value.code, caught.value.param


def response(*parts: Json, finish: Any = "STOP", **members: Any) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "response-1", "modelVersion": "m", **members}


def read(answer: Any) -> Read:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return GeminiUpstream().read(body, alias="alias", created_s=1)


def choice(answer: Any) -> Json:
    """The only choice of a whole answer, which must be sound."""
    told = read(answer)
    assert told.fault is None
    assert told.completion is not None
    only: Json = told.completion["choices"][0]
    return only


def sse(*responses: Any, newline: str = "\r\n") -> bytes:
    return "".join(f"data: {json.dumps(one)}{newline}{newline}" for one in responses).encode()


def streamed(pieces: list[bytes]) -> tuple[list[Json], ChatEnd, GeminiStream]:
    stream = GeminiUpstream().stream(alias="alias", created_s=1)
    chunks = [chunk for piece in pieces for chunk in stream.feed(piece)]
    end = stream.finish()
    return chunks, end, stream


def cut(stream: bytes, seed: str) -> list[bytes]:
    """Pieces of 1 to 900 bytes, most of them small, the same for the same seed."""
    dice = random.Random(seed)
    pieces, start = [], 0
    while start < len(stream):
        size = dice.choice((1, 2, 3, dice.randint(1, 60), dice.randint(1, 900)))
        pieces.append(stream[start : start + size])
        start += size
    return pieces


def assembled(chunks: list[Json], index: int = 0) -> Json:
    """What a client gathers of one choice."""
    message: Json = {"content": "", "reasoning_content": "", "tool_calls": [], "images": [], "finish": None}
    for chunk in chunks:
        for one in chunk["choices"]:
            if one["index"] != index:
                continue
            delta = one["delta"]
            message["content"] += delta.get("content") or ""
            message["reasoning_content"] += delta.get("reasoning_content") or ""
            message["images"] += delta.get("images", [])
            for call in delta.get("tool_calls", []):
                assert call["index"] == len(message["tool_calls"])
                message["tool_calls"].append(call)
            assert message["finish"] is None
            message["finish"] = one["finish_reason"]
    return message
