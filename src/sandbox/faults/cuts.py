"""Faults of the connection: it hangs, or it ends, at every point where an answer can hang or end."""

from itertools import takewhile

import msgspec

from sandbox.answer import Answer, event_bytes, split_at_strike
from sandbox.exchange import Exchange
from sandbox.faults.fault import both, json_only, stream_only
from sandbox.messages import JSON, SSE, frame
from sandbox.senders import more_events, send_events, send_normally, start_stream


async def _half_body(out: Exchange, answer: Answer) -> None:
    """The head and the first half of a JSON answer."""
    body = msgspec.json.encode(answer.whole())
    await out.wait_ms(answer.script.first_byte_ms)
    await out.start(200, [JSON], length=len(body))
    await out.body(body[: len(body) // 2])


async def _half_stream(out: Exchange, answer: Answer) -> None:
    """The head and the events before the strike."""
    await send_events(out, answer, split_at_strike(answer.events(), answer.script)[0], end=False)


async def _half_head(out: Exchange, answer: Answer) -> None:
    headers = SSE if answer.stream else (JSON,)
    await out.raw(out.head(200, headers)[:-20])


async def _until(out: Exchange, answer: Answer, *kinds: str) -> None:
    """The stream's events up to the first of the given kinds, left open."""
    events = takewhile(lambda event: event.kind not in kinds, answer.events(include_usage=True))
    await send_events(out, answer, events, end=False)


@both
async def hang_before_headers(out: Exchange, answer: Answer) -> None:
    """Not a byte comes back, for `hang_ms`."""
    await out.hang(answer.script.hang_ms)


@both
async def hang_mid_headers(out: Exchange, answer: Answer) -> None:
    """The status line and a part of the headers, then silence."""
    await _half_head(out, answer)
    await out.hang(answer.script.hang_ms)


@both
async def hang_before_body(out: Exchange, answer: Answer) -> None:
    """All the headers, then silence."""
    await out.start(200, SSE if answer.stream else (JSON,), length=None if answer.stream else 1_000)
    await out.hang(answer.script.hang_ms)


@json_only
async def hang_mid_body(out: Exchange, answer: Answer) -> None:
    """Half of the JSON body, then silence."""
    await _half_body(out, answer)
    await out.hang(answer.script.hang_ms)


@stream_only
async def hang_mid_stream(out: Exchange, answer: Answer) -> None:
    """`after_chunks` content chunks, then silence."""
    await _half_stream(out, answer)
    await out.hang(answer.script.hang_ms)


@stream_only
async def hang_before_usage(out: Exchange, answer: Answer) -> None:
    """All content and the finish chunk, then silence instead of usage."""
    await _until(out, answer, "usage")
    await out.hang(answer.script.hang_ms)


@stream_only
async def hang_before_done(out: Exchange, answer: Answer) -> None:
    """Everything with usage, then silence instead of `[DONE]`."""
    await _until(out, answer, "done")
    await out.hang(answer.script.hang_ms)


@stream_only
async def hang_after_done(out: Exchange, answer: Answer) -> None:
    """Everything with `[DONE]`, but the body is not ended and the connection stays open."""
    await send_events(out, answer, answer.events(), end=False)
    await out.hang(answer.script.hang_ms)


@both
async def cut_before_headers(out: Exchange, answer: Answer) -> None:
    """The connection is closed (FIN) without a byte."""
    await out.wait_ms(answer.script.first_byte_ms)
    out.cut()


@both
async def reset_before_headers(out: Exchange, answer: Answer) -> None:
    """The connection is reset (RST) without a byte."""
    await out.wait_ms(answer.script.first_byte_ms)
    await out.reset()


@both
async def cut_mid_headers(out: Exchange, answer: Answer) -> None:
    """The status line and a part of the headers, then FIN."""
    await _half_head(out, answer)
    out.cut()


@both
async def cut_before_body(out: Exchange, answer: Answer) -> None:
    """All the headers, then FIN."""
    await out.start(200, SSE if answer.stream else (JSON,), length=None if answer.stream else 1_000)
    out.cut()


@json_only
async def cut_mid_body(out: Exchange, answer: Answer) -> None:
    """Half of the announced JSON body, then FIN."""
    await _half_body(out, answer)
    out.cut()


@json_only
async def reset_mid_body(out: Exchange, answer: Answer) -> None:
    """Half of the announced JSON body, then RST."""
    await _half_body(out, answer)
    await out.reset()


@stream_only
async def cut_mid_stream(out: Exchange, answer: Answer) -> None:
    """`after_chunks` content chunks, then FIN: no finish, no usage, no `[DONE]`, no last frame."""
    await _half_stream(out, answer)
    out.cut()


@stream_only
async def reset_mid_stream(out: Exchange, answer: Answer) -> None:
    """`after_chunks` content chunks, then RST."""
    await _half_stream(out, answer)
    await out.reset()


@stream_only
async def cut_mid_event(out: Exchange, answer: Answer) -> None:
    """`after_chunks` content chunks, half of the next event, then FIN."""
    before, after = split_at_strike(answer.events(), answer.script)
    await send_events(out, answer, before, end=False)
    piece = event_bytes(after[0])
    await out.body(piece[: len(piece) // 2])
    out.cut()


@stream_only
async def cut_mid_frame(out: Exchange, answer: Answer) -> None:
    """`after_chunks` content chunks, then a chunk of the transfer coding shorter than it says, then FIN."""
    before, after = split_at_strike(answer.events(), answer.script)
    await send_events(out, answer, before, end=False)
    await out.raw(frame(event_bytes(after[0]))[:20])
    out.cut()


@stream_only
async def cut_before_usage(out: Exchange, answer: Answer) -> None:
    """All content and the finish chunk, then FIN before usage."""
    await _until(out, answer, "usage")
    out.cut()


@stream_only
async def cut_after_usage(out: Exchange, answer: Answer) -> None:
    """Everything with usage, then FIN without `[DONE]` and without the last frame."""
    await _until(out, answer, "done")
    out.cut()


@stream_only
async def end_without_done(out: Exchange, answer: Answer) -> None:
    """The whole stream, properly ended, but for `[DONE]` (as Gemini and Perplexity do)."""
    events = [event for event in answer.events() if event.kind != "done"]
    await send_events(out, answer, events, complete=False)


@stream_only
async def end_mid_stream(out: Exchange, answer: Answer) -> None:
    """`after_chunks` content chunks, then a proper end of the body: no finish, no usage, no `[DONE]`."""
    before, _ = split_at_strike(answer.events(), answer.script)
    await send_events(out, answer, before, complete=False)


@both
async def cut_after_answer(out: Exchange, answer: Answer) -> None:
    """A whole answer that promises keep-alive, then FIN: a kept connection that is dead at its next use."""
    await send_normally(out, answer)
    out.cut()


@stream_only
async def pause_mid_stream(out: Exchange, answer: Answer) -> None:
    """`after_chunks` content chunks, silence for `hang_ms` (default 2000), then the rest as if nothing was."""
    before, after = split_at_strike(answer.events(), answer.script)
    await start_stream(out, answer)
    await more_events(out, answer, before)
    hang_ms = answer.script.hang_ms
    await out.wait_ms(2_000 if hang_ms is None else hang_ms)
    await more_events(out, answer, after)
    await out.end()


FAULTS = (
    hang_before_headers,
    hang_mid_headers,
    hang_before_body,
    hang_mid_body,
    hang_mid_stream,
    hang_before_usage,
    hang_before_done,
    hang_after_done,
    cut_before_headers,
    reset_before_headers,
    cut_mid_headers,
    cut_before_body,
    cut_mid_body,
    reset_mid_body,
    cut_mid_stream,
    reset_mid_stream,
    cut_mid_event,
    cut_mid_frame,
    cut_before_usage,
    cut_after_usage,
    end_without_done,
    end_mid_stream,
    cut_after_answer,
    pause_mid_stream,
)
