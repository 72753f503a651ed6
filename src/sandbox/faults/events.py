"""Faults of a stream's form: what other providers, proxies and bugs make of server-sent events."""

from collections.abc import Iterable

from sandbox.answer import DONE, Answer, event_bytes, split_at_strike
from sandbox.chat import Event
from sandbox.errors import envelope
from sandbox.exchange import Exchange
from sandbox.faults.fault import stream_only
from sandbox.senders import more_events, send_events, send_piece, start_stream

_ERROR = b"data: " + envelope("The server had an error.", type_="server_error", code="server_error") + b"\n\n"


async def _bytes(
    out: Exchange, answer: Answer, pieces: Iterable[tuple[bytes, Event | None]], *, whole: bool = True
) -> None:
    """A stream of hand-made events, each accounted for as the event that it stands for."""
    await start_stream(out, answer)
    for piece, event in pieces:
        await send_piece(out, answer, piece)
        if event is not None:
            out.tokens_sent += event.tokens
            if event.data is not None and event.data.get("usage") is not None:
                out.reported = event.data["usage"]
    await out.end(complete=whole)


@stream_only
async def sse_comments(out: Exchange, answer: Answer) -> None:
    """A comment before every event (`: keep-alive`, as DeepSeek; `: OPENROUTER PROCESSING`)."""
    comments = (b": keep-alive\n\n", b": OPENROUTER PROCESSING\n\n")
    events = answer.events()
    await _bytes(
        out, answer, ((comments[i % 2] + event_bytes(event), event) for i, event in enumerate(events))
    )


@stream_only
async def sse_crlf(out: Exchange, answer: Answer) -> None:
    """Lines end with CR LF."""
    await _bytes(
        out, answer, ((event_bytes(event).replace(b"\n", b"\r\n"), event) for event in answer.events())
    )


@stream_only
async def sse_no_space(out: Exchange, answer: Answer) -> None:
    """`data:` without the space."""
    await _bytes(
        out,
        answer,
        ((event_bytes(event).replace(b"data: ", b"data:", 1), event) for event in answer.events()),
    )


@stream_only
async def sse_ids(out: Exchange, answer: Answer) -> None:
    """Every event has an `id:` line."""
    events = enumerate(answer.events())
    await _bytes(
        out, answer, ((b"id: %d\n" % number + event_bytes(event), event) for number, event in events)
    )


@stream_only
async def sse_ids_and_comments(out: Exchange, answer: Answer) -> None:
    """Every event has an `id:` line and a comment behind it, which breaks the openai-python SDK."""
    events = enumerate(answer.events())
    pieces = (
        (b"id: %d\n" % number + event_bytes(event) + b": keep-alive\n\n", event) for number, event in events
    )
    await _bytes(out, answer, pieces)


@stream_only
async def sse_retry(out: Exchange, answer: Answer) -> None:
    """A `retry: 3000` event of its own before the first."""
    events = answer.events()
    await _bytes(
        out, answer, [(b"retry: 3000\n\n", None), *((event_bytes(event), event) for event in events)]
    )


@stream_only
async def sse_ping_events(out: Exchange, answer: Answer) -> None:
    """An `event: ping` without data before every event."""
    await _bytes(out, answer, ((b"event: ping\n\n" + event_bytes(event), event) for event in answer.events()))


@stream_only
async def sse_empty_data(out: Exchange, answer: Answer) -> None:
    """An empty `data:` event before every event."""
    await _bytes(out, answer, ((b"data:\n\n" + event_bytes(event), event) for event in answer.events()))


@stream_only
async def sse_event_names(out: Exchange, answer: Answer) -> None:
    """Every event has a name."""
    name = b"event: chat.completion.chunk\n"
    await _bytes(out, answer, ((name + event_bytes(event), event) for event in answer.events()))


@stream_only
async def sse_multiline_data(out: Exchange, answer: Answer) -> None:
    """Each JSON object is spread over several `data:` lines of one event."""
    pieces = (
        (event_bytes(event).replace(b',"choices"', b',\ndata: "choices"', 1), event)
        for event in answer.events()
    )
    await _bytes(out, answer, pieces)


@stream_only
async def sse_byte_order_mark(out: Exchange, answer: Answer) -> None:
    """A byte order mark before the first event."""
    events = answer.events()
    await _bytes(out, answer, [(b"\xef\xbb\xbf", None), *((event_bytes(event), event) for event in events)])


@stream_only
async def sse_split_everywhere(out: Exchange, answer: Answer) -> None:
    """A good stream in chunks of seven bytes, which cut events and characters anywhere."""
    whole = b"".join(map(event_bytes, answer.events()))
    await start_stream(out, answer)
    for at in range(0, len(whole), 7):
        await out.body(whole[at : at + 7])
    out.tokens_sent = answer.usage.get("completion_tokens", 0)
    await out.end()


@stream_only
async def sse_all_in_one(out: Exchange, answer: Answer) -> None:
    """A good stream in a single chunk."""
    events = answer.events()
    await start_stream(out, answer)
    await out.body(b"".join(map(event_bytes, events)))
    out.tokens_sent = answer.usage.get("completion_tokens", 0)
    await out.end()


@stream_only
async def sse_no_last_blank_line(out: Exchange, answer: Answer) -> None:
    """`[DONE]` without the line ends that follow it."""
    events = answer.events()
    last = (b"data: [DONE]", events[-1])
    await _bytes(out, answer, [*((event_bytes(event), event) for event in events[:-1]), last])


@stream_only
async def done_suffix(out: Exchange, answer: Answer) -> None:
    """The stream ends with `data: [DONE]x`."""
    events = answer.events()
    last = (b"data: [DONE]x\n\n", events[-1])
    await _bytes(out, answer, [*((event_bytes(event), event) for event in events[:-1]), last])


@stream_only
async def done_twice(out: Exchange, answer: Answer) -> None:
    """`[DONE]` comes twice."""
    events = answer.events()
    await send_events(out, answer, [*events, events[-1]])


@stream_only
async def content_after_done(out: Exchange, answer: Answer) -> None:
    """Three content chunks follow `[DONE]`."""
    events = answer.events()
    more = [event for event in events if event.kind == "content"][:3]
    await send_events(out, answer, [*events, *(Event("content", event.data) for event in more)])


@stream_only
async def empty_choices_first(out: Exchange, answer: Answer) -> None:
    """The first chunk has `choices: []`, an empty id and model, and prompt filter results, as Azure sends."""
    first = {
        "id": "", "object": "", "created": 0, "model": "", "choices": [],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
    }  # fmt: skip
    await send_events(out, answer, [Event("role", first), *answer.events()])


@stream_only
async def no_role_first(out: Exchange, answer: Answer) -> None:
    """No chunk says `role: assistant`."""
    await send_events(out, answer, [event for event in answer.events() if event.kind != "role"])


@stream_only
async def role_everywhere(out: Exchange, answer: Answer) -> None:
    """Every chunk repeats the role, as GLM does."""
    events = answer.events()
    for event in events:
        for choice in (event.data or {}).get("choices", ()):
            choice["delta"] = {"role": "assistant", **choice["delta"]}
    await send_events(out, answer, events)


@stream_only
async def finish_empty_string(out: Exchange, answer: Answer) -> None:
    """`finish_reason` is an empty string where it should be null."""
    events = answer.events()
    for event in events:
        for choice in (event.data or {}).get("choices", ()):
            choice["finish_reason"] = choice["finish_reason"] or ""
    await send_events(out, answer, events)


@stream_only
async def finish_missing(out: Exchange, answer: Answer) -> None:
    """No chunk has a finish reason; all else is there."""
    await send_events(out, answer, [event for event in answer.events() if event.kind != "finish"])


@stream_only
async def finish_unknown(out: Exchange, answer: Answer) -> None:
    """The finish reason is `eos`, which OpenAI does not know."""
    events = answer.events()
    for event in events:
        if event.kind == "finish" and event.data is not None:
            event.data["choices"][0]["finish_reason"] = "eos"
    await send_events(out, answer, events)


@stream_only
async def error_event_first(out: Exchange, answer: Answer) -> None:
    """HTTP 200, and the first event is an error; then the body ends."""
    out.worked = False
    await start_stream(out, answer)
    await out.body(_ERROR)
    await out.end(complete=False)


@stream_only
async def error_event_mid_stream(out: Exchange, answer: Answer) -> None:
    """`after_chunks` content chunks, then an error event and the end of the body."""
    await _error_at_strike(out, answer, _ERROR)


@stream_only
async def error_event_named(out: Exchange, answer: Answer) -> None:
    """As `error_event_mid_stream` with an `event: error` line, as Groq sends."""
    await _error_at_strike(out, answer, b"event: error\n" + _ERROR)


@stream_only
async def error_event_then_done(out: Exchange, answer: Answer) -> None:
    """As `error_event_mid_stream`, followed by `[DONE]`."""
    await _error_at_strike(out, answer, _ERROR + DONE)


async def _error_at_strike(out: Exchange, answer: Answer, error: bytes) -> None:
    before, _ = split_at_strike(answer.events(), answer.script)
    await start_stream(out, answer)
    await more_events(out, answer, before)
    await out.body(error)
    await out.end(complete=False)


@stream_only
async def other_object_mid_stream(out: Exchange, answer: Answer) -> None:
    """An event of JSON that is no chunk (`{"type":"ping"}`, a number, a list) before the content."""
    strange = b'data: {"type":"ping"}\n\ndata: 7\n\ndata: []\n\n'
    events = answer.events()
    await _bytes(out, answer, [(strange, None), *((event_bytes(event), event) for event in events)])


FAULTS = (
    sse_comments,
    sse_crlf,
    sse_no_space,
    sse_ids,
    sse_ids_and_comments,
    sse_retry,
    sse_ping_events,
    sse_empty_data,
    sse_event_names,
    sse_multiline_data,
    sse_byte_order_mark,
    sse_split_everywhere,
    sse_all_in_one,
    sse_no_last_blank_line,
    done_suffix,
    done_twice,
    content_after_done,
    empty_choices_first,
    no_role_first,
    role_everywhere,
    finish_empty_string,
    finish_missing,
    finish_unknown,
    error_event_first,
    error_event_mid_stream,
    error_event_named,
    error_event_then_done,
    other_object_mid_stream,
)
