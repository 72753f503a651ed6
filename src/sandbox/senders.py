"""The ordinary ways to send an answer; faults use them for the parts that they leave intact."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from sandbox.answer import Answer, event_bytes
from sandbox.chat import Event
from sandbox.exchange import Exchange
from sandbox.messages import JSON, SSE, Headers
from sandbox.others.made import MadeAnswer

_encode: Final = msgspec.json.Encoder().encode


async def send_json(
    out: Exchange, answer: Answer, whole: Any, *, status: int = 200, headers: Headers = (JSON,)
) -> None:
    """Send `whole` as the JSON body, after the scripted first-byte delay."""
    await send_body(out, answer, _encode(whole), status=status, headers=headers)
    if isinstance(whole, dict):
        out.reported = whole.get("usage")
    out.tokens_sent = answer.usage.get("completion_tokens", 0)


async def send_body(
    out: Exchange, answer: Answer, body: bytes, *, status: int = 200, headers: Headers = (JSON,)
) -> None:
    """Send bytes as the whole body, whatever they are."""
    await out.wait_ms(answer.script.first_byte_ms)
    await out.start(status, headers, length=len(body))
    await out.body(body)
    await out.end()


async def send_events(
    out: Exchange, answer: Answer, events: Iterable[Event], *, end: bool = True, complete: bool = True
) -> None:
    """Send a stream's head and these events; `end=False` leaves the body open."""
    await start_stream(out, answer)
    await more_events(out, answer, events)
    if end:
        await out.end(complete=complete)


async def start_stream(out: Exchange, answer: Answer, headers: Headers = SSE) -> None:
    await out.wait_ms(answer.script.first_byte_ms)
    await out.start(200, headers)


async def more_events(out: Exchange, answer: Answer, events: Iterable[Event]) -> None:
    """Further events of an open stream, in OpenAI's form, paced by `chunk_ms`."""
    for event in events:
        await send_piece(out, answer, event_bytes(event))
        note(out, event)


async def send_pieces(
    out: Exchange, answer: Answer, pieces: Sequence[bytes], *, complete: bool = True
) -> None:
    """A whole stream in bytes of the caller's making."""
    await start_stream(out, answer)
    for piece in pieces:
        await send_piece(out, answer, piece)
    await out.end(complete=complete)


async def send_piece(out: Exchange, answer: Answer, piece: bytes) -> None:
    await out.wait_ms(answer.script.chunk_ms)
    await out.body(piece)


def note(out: Exchange, event: Event) -> None:
    """Account for an event that went out."""
    out.tokens_sent += event.tokens
    if event.data is not None and event.data.get("usage") is not None:
        out.reported = event.data["usage"]


async def send_normally(out: Exchange, answer: Answer) -> None:
    """The answer as it should be, at the scripted pace."""
    if answer.stream:
        await send_events(out, answer, answer.events())
    elif isinstance(answer, MadeAnswer) and answer.made.body is not None:
        await out.wait_ms(answer.script.first_byte_ms)
        await out.start(200, [("content-type", answer.made.content_type)])
        for piece in answer.pieces():
            await send_piece(out, answer, piece)
        await out.end()
    else:
        await send_json(out, answer, answer.whole())
