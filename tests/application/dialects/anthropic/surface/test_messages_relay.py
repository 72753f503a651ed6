"""A provider's own events on their way to a client: bytes stay, the end waits, figures are merged."""

import inspect
import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.dialects.anthropic.surface.relay import MessagesRelay
from application.dialects.port import Relay
from application.wire.relay import Tail


def event(kind: str, newline: str = "\n", **members: Any) -> bytes:
    data = json.dumps({"type": kind} | members, ensure_ascii=False)
    return f"event: {kind}{newline}data: {data}{newline}{newline}".encode()


def start(**usage: Any) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "up", "content": []}
    return event("message_start", message=message | {"stop_reason": None, "usage": usage})


def text(said: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": said})


def ending(reason: str | None = "end_turn", **usage: Any) -> bytes:
    return event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)


START = start(input_tokens=10, cache_read_input_tokens=3, output_tokens=1)
OPEN = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
CLOSE = event("content_block_stop", index=0)
PING = event("ping")
END = ending(output_tokens=5)
STOP = event("message_stop")
WHOLE = START + OPEN + PING + text("Hé") + CLOSE + END + STOP


def relayed(*pieces: bytes, **limits: int) -> tuple[bytes, Tail, MessagesRelay]:
    relay = MessagesRelay(**limits)
    passed = b"".join(relay.feed(piece) for piece in pieces)
    return passed, relay.finish(), relay


def test_it_is_a_relay() -> None:
    """The port's shape."""
    port: Relay = MessagesRelay()
    assert port.finish().fault == "truncated"


def test_bytes_pass_and_the_end_waits() -> None:
    """The event that says why the answer stopped, and the last one, are owed until the charge is durable."""
    passed, tail, relay = relayed(WHOLE)
    assert passed == START + OPEN + PING + text("Hé") + CLOSE
    assert tail == Tail(END + STOP, complete=True, fault=None)
    assert (relay.done, relay.chunks, relay.fault) == (True, 3, None)
    assert relay.spoken().text == "Hé"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_cut_gives_the_same(newline: str) -> None:
    """Byte by byte, within characters and line ends."""
    stream = WHOLE.replace(b"\n", newline.encode())
    whole_passed, whole_tail, whole = relayed(stream)
    passed, tail, relay = relayed(*(stream[at : at + 1] for at in range(len(stream))))
    assert passed + tail.data == whole_passed + whole_tail.data == stream
    assert passed == whole_passed
    assert (relay.usage_raw, relay.spoken()) == (whole.usage_raw, whole.spoken())


def usage_of(*events: bytes) -> Any:
    raw = relayed(*events)[2].usage_raw
    return None if raw is None else json.loads(raw)


def test_figures_are_cumulative_and_never_added() -> None:
    """Fact 5: what the last event says counts, larger or smaller; what it leaves out stays from the start."""
    begun = start(
        input_tokens=2_039, cache_read_input_tokens=7, cache_creation_input_tokens=9, output_tokens=1
    )
    end = ending(
        input_tokens=10_423, cache_creation_input_tokens=0, cache_read_input_tokens=None, output_tokens=40
    )
    assert usage_of(begun, ending(None, output_tokens=20), end, STOP) == {
        "input_tokens": 10_423,
        "cache_read_input_tokens": 7,
        "cache_creation_input_tokens": 0,
        "output_tokens": 40,
    }


def test_iterations_are_kept_for_metering() -> None:
    """After a compaction the bill is their sum, which is not at the top."""
    iterations = [{"type": "compaction", "input_tokens": 5}, {"type": "message", "input_tokens": 6}]
    assert usage_of(START, ending(output_tokens=1, iterations=iterations), STOP)["iterations"] == iterations


def test_no_usage_is_none() -> None:
    """Then a local count of what was said stands in."""
    assert usage_of(event("message_start", message={"type": "message"}), text("x"), STOP) is None


def test_a_cut_stream_has_no_figure_of_its_output() -> None:
    """The few tokens that the start tells are a placeholder."""
    assert usage_of(START, text("x")) == {"input_tokens": 10, "cache_read_input_tokens": 3}


def test_pings_pass_at_any_time() -> None:
    """They keep the connection alive also while the end waits."""
    passed, tail, _ = relayed(START, PING, END, PING, STOP)
    assert passed == START + PING + PING
    assert tail.data == END + STOP


def test_the_start_waits_for_something_that_was_generated() -> None:
    """A provider that fails before has told the client nothing, so that another can be asked."""
    relay = MessagesRelay()
    assert relay.feed(b": hello\n\n" + START + PING) == b""
    assert relay.feed(OPEN) == b": hello\n\n" + START + PING + OPEN
    passed, tail, failed = relayed(START, PING, ERROR, STOP)
    assert (passed, tail, failed.chunks) == (b"", Tail(b"", complete=False, fault="error_event"), 0)


def test_what_is_unknown_waits_with_the_start() -> None:
    """The events of another dialect, or of none, are no answer: another provider can be asked."""
    strange = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
    passed, tail, relay = relayed(strange, b"event: ping\ndata: {}\n\n")
    assert (passed, tail.complete, relay.chunks) == (b"", False, 0)


def test_a_start_without_end_is_cut_off() -> None:
    """Nothing is withheld without bounds; another provider can be asked."""
    passed, tail, _ = relayed(*[PING] * 100, OPEN, event_bytes_max=500)
    assert (passed, tail) == (b"", Tail(b"", complete=False, fault="event_too_long"))


def test_an_empty_answer_is_whole() -> None:
    """Its start is let go by its end."""
    passed, tail, _ = relayed(START, END, STOP)
    assert (passed, tail.data, tail.complete) == (START, END + STOP, True)


def test_what_follows_the_end_is_withheld_with_it() -> None:
    """In the order in which it came."""
    late = event("something_new", a=1)
    passed, tail, _ = relayed(START, END, late, ending(None, output_tokens=9), STOP)
    assert passed == START
    assert tail.data == END + late + ending(None, output_tokens=9) + STOP


def test_unknown_events_pass() -> None:
    """Newer providers say more than we know."""
    new = event("something_new", anything={"a": [1]})
    assert relayed(START, new, END, STOP)[0] == START + new


def test_a_missing_stop_is_added() -> None:
    """An answer that said why it stopped is whole; SDKs wait for the last event."""
    _, tail, relay = relayed(START, text("x"), END)
    assert tail == Tail(
        END + b'event: message_stop\ndata: {"type":"message_stop"}\n\n', complete=True, fault=None
    )
    assert not relay.done


@pytest.mark.parametrize("last", [STOP.rstrip(b"\n"), STOP[:-1]])
def test_a_last_event_without_its_empty_line_counts(last: bytes) -> None:
    """Some servers close right behind it."""
    assert relayed(START, END, last)[1].data == END + STOP


def test_nothing_is_read_behind_the_stop() -> None:
    """The upstream said its last word."""
    passed, tail, _ = relayed(START, END + STOP + text("more"), text("more"))
    assert (passed, tail.data) == (START, END + STOP)


def test_a_cut_is_a_fault() -> None:
    """Without a stop reason the answer is not whole, wherever it broke off."""
    for stream in (b"", START, START + text("x"), START + text("x") + CLOSE, START + END[:-9]):
        passed, tail, relay = relayed(stream)
        assert tail == Tail(b"", complete=False, fault="truncated")
        assert relay.fault == "truncated"
        assert END not in passed


ERROR = event("error", error={"type": "overloaded_error", "message": "Overloaded"})


@pytest.mark.parametrize(
    "error",
    [ERROR, ERROR.partition(b"\n")[2], b'data: {"error":{"message":"x"}}\n\n', b"event: error\ndata: x\n\n"],
)
def test_an_error_inside_is_a_fault_and_nothing_more_passes(error: bytes) -> None:
    """A late overload is usual; the withheld end, if there is one, is not sent either."""
    for before in (START + text("x"), START + END):
        passed, tail, relay = relayed(before, error + text("more"), STOP)
        assert tail == Tail(b"", complete=False, fault="error_event")
        assert passed + END in (before + END, before)
        assert relay.error_body in error


@pytest.mark.parametrize("body", [b'{"type":"error"}', b"<html>", b"[1]", b'\xef\xbb\xbf  {"a":1}'])
def test_another_document_is_no_stream(body: bytes) -> None:
    """Its beginning is kept, to classify."""
    passed, tail, relay = relayed(body[:3], body[3:] + b"\n\n", b"more")
    assert (passed, tail.fault) == (b"", "not_sse")
    assert relay.error_body.startswith(body.lstrip(b"\xef\xbb\xbf "))
    assert relay.error_body.endswith(b"more")


@pytest.mark.parametrize("data", [b"data: nonsense\n\n", b"data: [1]\n\n", b"event: x\ndata: 5\n\n"])
def test_events_that_are_no_objects_are_garbage(data: bytes) -> None:
    """No SDK could read on."""
    assert relayed(START, data, text("x"), END, STOP)[1].fault == "garbage"


def test_limits_hold() -> None:
    """An event without end, a stream without end, and an end without end."""
    assert relayed(START, b"data: " + b"x" * 500, event_bytes_max=400)[1].fault == "event_too_long"
    assert relayed(START, text("x" * 500), event_bytes_max=400)[1].fault == "event_too_long"
    assert relayed(START, *[text("x")] * 50, stream_bytes_max=900)[1].fault is not None
    long = [text("x" * 300)] * 200
    assert relayed(START, *long, stream_bytes_max=20_000)[1].fault == "stream_too_long"
    assert relayed(START, END, *long, event_bytes_max=900)[1].fault == "event_too_long"


def test_lines_that_break_clients_go() -> None:
    """An id or a retry time makes a later comment of ours an event for some."""
    odd = text("x").replace(b"event:", b"id: 5\nretry: 3\nevent:")
    assert relayed(START, odd, END, STOP)[0] == START + text("x")


def test_a_missing_name_is_added() -> None:
    """SDKs skip events without one."""
    nameless = text("x").partition(b"\n")[2]
    assert relayed(START, nameless, END, STOP)[0] == START + text("x")


def test_comments_pass_and_empty_events_do_not() -> None:
    """A comment keeps the connection alive."""
    comment = b": waiting\n\n"
    assert relayed(START, comment, b"event: x\n\n", b"data:\n\n", END, STOP)[0] == START + comment


def test_a_done_of_another_dialect_is_no_event_here() -> None:
    """After the end it is one, before it is nothing."""
    done = b"data: [DONE]\n\n"
    passed, tail, relay = relayed(START, done, END, done, text("more"))
    assert (passed, relay.done, tail.complete) == (START, True, True)
    assert tail.data == END


def test_a_cut_character_is_mended() -> None:
    """Clients' parsers refuse what is no UTF-8."""
    broken = text("é").replace("é".encode(), b"\xc3")
    assert relayed(START, broken, END, STOP)[0] == START + text("�")


def test_our_cost_is_not_told() -> None:
    """A router's own charge in the figures is between it and the operator."""
    costly = ending(output_tokens=5, cost=0.01)
    passed, tail, relay = relayed(START, costly, STOP)
    assert b"cost" not in passed + tail.data
    assert json.loads(relay.usage_raw or b"")["cost"] == 0.01


def test_what_the_model_generated_is_gathered() -> None:
    """Thoughts, texts, calls and their arguments; not what the provider's own tools found."""
    call = {"type": "tool_use", "id": "t", "name": "weather", "input": {}}
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [], "text": "found"}
    spoken = relayed(
        START,
        event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm "}),
        text("Yes "),
        event("content_block_start", index=1, content_block=call),
        event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": "{}"}),
        event("content_block_start", index=2, content_block=found),
        END,
    )[2].spoken()
    assert spoken.text == "hm Yes weather{}"


def test_a_message_that_is_whole_at_its_start_waits_too() -> None:
    """After a call of a tool inside a container, an answer can be one event and a stop."""
    message = {"type": "message", "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"}
    only = event("message_start", message=message)
    passed, tail, relay = relayed(only, STOP)
    assert (passed, tail.data, relay.spoken().text) == (b"", only + STOP, "x")
    assert relay.chunks == 1  # there is an answer, though nothing of it may go yet


def test_figures_that_cannot_be_written_are_none() -> None:
    """Nesting that could be read, but is asked for where the stack is almost full."""
    nested = b'{"a":' * 400 + b"1" + b"}" * 400
    relay = MessagesRelay()
    relay.feed(b'data: {"type":"message_delta","usage":' + nested + b"}\n\n")

    def at_depth(frames: int) -> bytes | None:
        return at_depth(frames - 1) if frames else relay.usage_raw

    assert relay.usage_raw == nested
    assert at_depth(sys.getrecursionlimit() - len(inspect.stack(0)) - 100) in (None, nested)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "delta",
                    "text",
                    "stop_reason",
                    "message",
                    "content",
                    "usage",
                    "content_block",
                    "input",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
KINDS = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
    "ping",
]
PAYLOAD = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS) | ODD},
    optional={"delta": ODD, "message": ODD, "content_block": ODD, "usage": ODD, "error": st.none() | ODD},
)
EVENT = st.sampled_from([START, OPEN, text("é"), END, STOP, PING, ERROR]) | PAYLOAD.map(
    lambda payload: b"event: e\ndata: " + json.dumps(payload).encode() + b"\n\n"
)
STREAM = st.lists(EVENT | st.binary(max_size=12), max_size=8).map(b"".join)


@settings(max_examples=250, deadline=None)
@given(STREAM, st.data())
def test_no_stream_raises_and_no_cut_matters(stream: bytes, data: st.DataObject) -> None:
    """Whatever comes, in whatever pieces: the same bytes, figures, text and fault."""
    whole = relayed(stream)
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
    cut = relayed(*pieces)
    assert cut[0] + cut[1].data == whole[0] + whole[1].data
    assert (cut[1].complete, cut[1].fault) == (whole[1].complete, whole[1].fault)
    assert (cut[2].usage_raw, cut[2].spoken()) == (whole[2].usage_raw, whole[2].spoken())
    assert cut[1].complete is (cut[1].fault is None)
