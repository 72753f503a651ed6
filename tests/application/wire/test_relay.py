"""Relaying a stream: what passes, what is withheld, what is taken out, and what is a fault, in any cutting."""

import itertools
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from application.wire.relay import PING, StreamMeter, Tail, error_event

DONE = b"data: [DONE]\n\n"


def chunk(content: str | None = "hi", *, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    """One event of a stream as OpenAI writes it."""
    delta = {} if content is None else {"content": content}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "choices": [choice]} | more)


def event(document: Any) -> bytes:
    return b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"


USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
USAGE_EVENT = event({"id": "c", "choices": [], "usage": USAGE})
END = chunk(None, finish="stop")


class Run:
    """One stream fed in pieces: what passed before the end, and the tail."""

    def __init__(self, *pieces: bytes, wanted: bool = False, **limits: int) -> None:
        self.meter = StreamMeter(usage_wanted=wanted, **limits)
        self.steps = [self.meter.feed(piece) for piece in pieces]
        self.passed = b"".join(self.steps)
        self.tail: Tail = self.meter.finish()
        self.all = self.passed + self.tail.data


# --- what passes, and what waits for the end


def test_chunks_pass_at_once_and_the_end_waits() -> None:
    """Content is never delayed; from the finishing chunk on, the client waits for `finish`."""
    run = Run(chunk("a"), chunk("b"), END, DONE)
    assert run.steps == [chunk("a"), chunk("b"), b"", b""]
    assert run.tail == Tail(END + DONE, complete=True, fault=None, end_bytes=len(DONE))


@pytest.mark.parametrize(
    "start",
    [b": keep-alive\n\n", b'data: {"type":"message_start"}\n\n', b'data: {"choices":[],"x":1}\n\n'],
    ids=["comment", "another dialect's event", "no choice"],
)
def test_what_says_nothing_waits_for_what_says_something(start: bytes) -> None:
    """Until a choice was told of, another provider may be asked: nothing goes on, and then all of it in order."""
    run = Run(start, start[:5], start[5:], chunk("a"), chunk("b"), END, DONE)
    assert run.steps == [b"", b"", b"", start + start + chunk("a"), chunk("b"), b"", b""]
    silent = Run(start, start)
    assert (silent.passed, silent.meter.chunks, silent.tail.complete) == (b"", 0, False)


def test_a_start_without_end_is_cut_off() -> None:
    """A flood of comments is not kept, and another provider may be asked."""
    run = Run(*([b": keep-alive\n\n"] * 9), chunk("late"), event_bytes_max=100)
    assert (run.all, run.tail.fault, run.meter.chunks) == (b"", "event_too_long", 0)


def test_a_passing_chunk_is_the_very_same_bytes() -> None:
    """Nothing is copied for a chunk in which nothing changes."""
    meter = StreamMeter(usage_wanted=True)
    meter.feed(chunk("first"))
    piece = chunk("b")
    assert meter.feed(piece) is piece


def test_after_the_finish_each_event_releases_the_one_before() -> None:
    """So one event at most is held, and the last is always owed."""
    late = event({"id": "c", "choices": [], "moderation": {}})
    run = Run(END, USAGE_EVENT, late, DONE, wanted=True)
    assert run.steps == [b"", END, USAGE_EVENT, b""]
    assert run.tail.data == late + DONE


def test_a_dropped_event_releases_nothing() -> None:
    """The usage that the client did not ask for cannot push the finish out."""
    run = Run(chunk(), END, USAGE_EVENT, DONE)
    assert run.passed == chunk()
    assert run.tail.data == END + DONE


def test_the_end_waits_for_the_last_of_several_choices() -> None:
    """One of two choices that ended is not the end."""
    first, second = chunk(None, finish="stop"), chunk(None, finish="length", index=1)
    run = Run(chunk("a"), chunk("b", index=1), first, chunk("c", index=1), second, DONE)
    assert run.steps == [chunk("a"), chunk("b", index=1), first, chunk("c", index=1), b"", b""]
    assert run.tail.data == second + DONE


def test_a_choice_that_begins_after_another_ended_is_awaited() -> None:
    """Choices may be answered one after the other."""
    second = chunk(None, finish="stop", index=1)
    run = Run(chunk("a"), END, chunk("b", index=1), second)
    assert run.steps == [chunk("a"), b"", END + chunk("b", index=1), b""]
    assert run.tail == Tail(second + DONE, complete=True, fault=None, end_bytes=len(DONE))


def test_a_late_chunk_of_a_finished_choice_does_not_open_it_again() -> None:
    """OpenRouter sends its usage on a chunk with a choice that already ended."""
    late = chunk("", usage=USAGE)
    run = Run(chunk(), END, late, wanted=True)
    assert run.tail == Tail(late + DONE, complete=True, fault=None, end_bytes=len(DONE))


def test_a_finished_choice_stays_finished_when_others_speak_in_between() -> None:
    """The choices' chunks come in any order, late ones too."""
    late = chunk("", usage=USAGE)
    run = Run(chunk("a"), END, chunk("b", index=1), chunk(None, finish="stop", index=1), late, wanted=True)
    assert run.tail == Tail(late + DONE, complete=True, fault=None, end_bytes=len(DONE))


def test_choices_that_nobody_can_ask_for_are_not_awaited() -> None:
    """An index beyond the most choices passes, and takes no memory."""
    run = Run(
        chunk("a", index=500), chunk("b", index=-1), chunk("c"), END, chunk(None, finish="stop", index=999)
    )
    assert run.tail.complete
    assert Run(chunk("a", index=500), chunk(None, finish="stop", index=500)).tail.complete


def test_a_stream_without_done_gets_one() -> None:
    """Perplexity and Gemini just close; with a finish reason that is the end."""
    run = Run(chunk(), END)
    assert run.tail == Tail(END + DONE, complete=True, fault=None, end_bytes=len(DONE))


def test_done_without_a_finish_reason_is_an_end() -> None:
    """The upstream said so."""
    assert Run(chunk(), DONE).tail == Tail(DONE, complete=True, fault=None, end_bytes=len(DONE))


def test_a_stream_that_closes_without_either_is_truncated() -> None:
    """To SDKs a stream that just ends looks complete: the caller must send an error."""
    run = Run(chunk("a"), chunk("b"))
    assert run.passed == chunk("a") + chunk("b")
    assert run.tail == Tail(b"", complete=False, fault="truncated")


def test_one_choice_of_two_that_never_ended_is_a_truncation() -> None:
    """Half an answer is none."""
    run = Run(chunk("a"), chunk("b", index=1), END)
    assert run.tail.fault == "truncated"
    assert run.tail.data == b""


def test_an_empty_stream_is_truncated() -> None:
    """Nothing came, nothing is owed."""
    assert Run().tail == Tail(b"", complete=False, fault="truncated")
    assert Run(b"").tail == Tail(b"", complete=False, fault="truncated")


@pytest.mark.parametrize(
    "last", [b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\r\n", b"data: [DONE]\r\n\r"]
)
def test_an_end_that_lacks_its_empty_line_counts(last: bytes) -> None:
    """Some upstreams close right after it."""
    run = Run(chunk(), END, last)
    assert run.tail.complete
    assert run.tail.data.startswith(END + b"data:")
    assert run.tail.data.endswith((b"[DONE]\n\n", b"[DONE]\r\n\r\n"))


def test_a_last_chunk_that_lacks_its_empty_line_counts() -> None:
    """With its finish reason and its usage; it is given the line that it lacks."""
    last = chunk(None, finish="stop", usage=USAGE).rstrip()
    run = Run(chunk(), last, wanted=True)
    assert run.tail == Tail(last + b"\n\n" + DONE, complete=True, fault=None, end_bytes=len(DONE))
    assert json.loads(run.meter.usage_raw or b"") == USAGE


def test_a_chunk_that_was_cut_never_reaches_the_client() -> None:
    """Half a chunk would make its parser fail instead of telling it that the upstream broke."""
    run = Run(chunk("a"), chunk("b")[:-20])
    assert run.all == chunk("a")
    assert run.tail.fault == "truncated"


def test_bytes_after_done_are_not_read() -> None:
    """SDKs stop there too."""
    run = Run(chunk() + DONE + chunk("late"), b"data: {\n\n", event({"error": {"message": "x"}}))
    assert run.all == chunk() + DONE
    assert run.tail.complete
    assert run.meter.done


def test_done_with_a_suffix_is_an_end() -> None:
    """SDKs stop at any data that starts with `[DONE]`."""
    end = b"data: [DONE]x\n\n"
    assert Run(chunk(), end).tail == Tail(end, complete=True, fault=None, end_bytes=len(end))


def test_an_event_is_added_before_the_mark_of_the_end() -> None:
    """Also where that mark is not the upstream's, and where it is written in another way."""
    for end, mark in ((DONE, DONE), (b"", DONE), (b"data:[DONE]\r\n\r\n", b"data:[DONE]\r\n\r\n")):
        tail = Run(chunk(), END, end).tail
        assert tail.last_events == END
        assert tail.with_event(USAGE_EVENT) == END + USAGE_EVENT + mark


def test_it_is_known_whether_a_client_was_shown_usage() -> None:
    """Groq's own place, a null and an empty object are no usage where clients look for it."""
    groq = event({"id": "c", "choices": [], "x_groq": {"usage": USAGE}})
    assert Run(chunk(), END, USAGE_EVENT, DONE, wanted=True).meter.usage_shown
    assert Run(chunk(None, finish="stop", usage=USAGE), DONE, wanted=True).meter.usage_shown
    for other in (groq, chunk(usage=None), chunk(usage={})):
        assert not Run(other, END, DONE, wanted=True).meter.usage_shown
    assert not Run(chunk(), END, USAGE_EVENT, DONE).meter.usage_shown


# --- usage


def test_usage_passes_to_a_client_that_asked() -> None:
    """Its own chunk, and the nulls before it, as they came."""
    pieces = [chunk(usage=None), chunk(None, finish="stop", usage=None), USAGE_EVENT, DONE]
    run = Run(*pieces, wanted=True)
    assert run.all == b"".join(pieces)
    assert json.loads(run.meter.usage_raw or b"") == USAGE


def test_usage_does_not_pass_to_a_client_that_did_not_ask() -> None:
    """The chunk of its own is dropped, members are cut out, all other bytes stay."""
    run = Run(chunk(usage=None, obfuscation="x"), chunk("b", finish="stop", usage=USAGE), USAGE_EVENT, DONE)
    assert run.all == chunk(obfuscation="x") + chunk("b", finish="stop") + DONE
    assert json.loads(run.meter.usage_raw or b"") == USAGE


@pytest.mark.parametrize(
    ("payload", "left"),
    [
        (b'{"choices":[{"index":0}],"usage":null}', b'{"choices":[{"index":0}]}'),
        (b'{"usage":null,"choices":[{"index":0}]}', b'{"choices":[{"index":0}]}'),
        (b'{"choices":[{"index":0}],"usage" : null }', b'{"choices":[{"index":0}] }'),
        (b'{"choices":[{"index":0}],"usage":null} ', b'{"choices":[{"index":0}]} '),
        (b'{"choices":[{"index":0}],"usage":null,"p":"}"}', b'{"choices":[{"index":0}],"p":"}"}'),
        (
            b'{"usage":null,"choices":[{"index":0,"x":{"a":1,"usage":null}}]}',
            b'{"choices":[{"index":0,"x":{"a":1,"usage":null}}]}',
        ),
        (
            b'{"usage":null,"choices":[{"index":0,"x":{"usage":null}}]}',
            b'{"choices":[{"index":0,"x":{"usage":null}}]}',
        ),
        (b'{"choices":[{"index":0,"delta":{"content":",\\"usage\\":null"}}]}', None),
        (b'{"choices":[{"index":0,"x":{"usage":null}}]}', None),
        (
            b'{"choices":[],"usage":null,"prompt_filter_results":[]}',
            b'{"choices":[],"prompt_filter_results":[]}',
        ),
        (b'{"choices":[{"index":0}],"usage":{}}', b'{"choices":[{"index":0}]}'),
        (b'{"choices":[{"index":0}],"usage":7}', b'{"choices":[{"index":0}]}'),
        (
            b'{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}],"usage":null}',
            b'{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}',
        ),
        (b'{"choices":[{"index":"0"}],"usage":null}', b'{"choices":[{"index":"0"}]}'),
    ],
)
def test_a_null_usage_is_cut_out_of_the_top_level_only(payload: bytes, left: bytes | None) -> None:
    """However it is spelled, wherever it stands, and nothing that only looks like it."""
    expected = b"data: " + (payload if left is None else left) + b"\n\n"
    assert Run(chunk(), b"data: " + payload + b"\n\n").passed == chunk() + expected
    assert Run(chunk(), b"data: " + payload + b"\r\n\r\n").passed.rstrip() == (chunk() + expected).rstrip()


def test_the_latest_usage_counts() -> None:
    """Perplexity reports on every chunk, cumulatively; adding up would bill many times."""
    run = Run(chunk(usage=USAGE), chunk(usage=USAGE | {"completion_tokens": 5}), chunk(usage=None), END)
    assert json.loads(run.meter.usage_raw or b"")["completion_tokens"] == 5


def test_groqs_usage_beside_the_usual_place_counts_where_there_is_no_other() -> None:
    """Older Groq streams have it under `x_groq` only; it stays there for the client."""
    last = chunk(None, finish="stop", x_groq={"id": "r", "usage": USAGE})
    run = Run(chunk(x_groq={"id": "r"}), last, DONE)
    assert run.all == chunk(x_groq={"id": "r"}) + last + DONE
    assert json.loads(run.meter.usage_raw or b"") == USAGE
    both = Run(chunk(None, finish="stop", x_groq={"usage": {"prompt_tokens": 1}}, usage=USAGE))
    assert json.loads(both.meter.usage_raw or b"") == USAGE


def test_usage_inside_a_choice_counts() -> None:
    """Where an older Kimi had it."""
    end = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]}
    assert json.loads(Run(event(end)).meter.usage_raw or b"") == USAGE


def test_a_client_never_sees_what_the_upstream_charged() -> None:
    """OpenRouter and xAI put our cost into usage; the meter keeps it, the client gets the rest."""
    usage = USAGE | {"cost": 0.01, "cost_details": {"a": 1}, "cost_in_usd_ticks": 5, "is_byok": False}
    run = Run(chunk(None, finish="stop", usage=usage), wanted=True)
    assert run.all == chunk(None, finish="stop", usage=USAGE) + DONE
    assert json.loads(run.meter.usage_raw or b"") == usage


def test_a_stream_without_usage_has_none() -> None:
    """Nothing is made up."""
    assert Run(chunk(), END, DONE).meter.usage_raw is None


# --- the text, for a local count


def test_all_that_the_model_generated_is_gathered() -> None:
    """Content, thoughts, refusals, tool calls, spoken words; a thought under two names once."""
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "fn", "arguments": '{"a":'}}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "think ", "reasoning": "think "},
        {"reasoning": "more "},
        {"content": "answer "},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "deep "}]},
                {"type": "text", "text": "flat "},
            ]
        },
        {"refusal": "no "},
        {"tool_calls": [call, {"index": 0, "function": {"arguments": "1}"}}, {"index": 1}]},
        {"function_call": {"name": "old", "arguments": "{}"}},
        {"audio": {"transcript": " spoken", "data": "AAAA"}},
        {"audio": {"id": "x"}},
    ]
    run = Run(*(event({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas))
    spoken = run.meter.spoken()
    assert spoken.text == 'think more answer deep flat no fn{"a":1}old{} spoken'
    assert spoken.chars_total == len(spoken.text)


def test_chunks_of_odd_types_pass_and_their_text_counts() -> None:
    """Arguments as an object, half a surrogate pair, a choice that is none: a lenient client can read them."""
    odd = [
        event(
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}, 7]},
                    }
                ]
            }
        ),
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}},5,{"delta":9}],"base_resp":{"status_code":0}}\n\n',
        event({"choices": [{"index": "x", "delta": {"content": "c", "tool_calls": 1}, "finish_reason": 3}]}),
        event({"choices": "none", "usage": USAGE}),
        event({"choices": [{"index": "0", "delta": {}, "finish_reason": "stop"}]}),
    ]
    run = Run(*odd, wanted=True)
    assert run.all == b"".join(odd) + DONE
    assert run.tail.complete
    assert run.meter.spoken().text == 'f{"a": 1}?c'
    assert json.loads(run.meter.usage_raw or b"") == USAGE


def test_memory_does_not_grow_with_the_stream() -> None:
    """Twenty thousand chunks, five megabytes, and less than 64 KiB to remember them by."""
    meter = StreamMeter(usage_wanted=False)
    meter.feed(chunk())
    tracemalloc.start()
    try:
        for number in range(20_000):
            meter.feed(chunk(f"word {number} ", obfuscation="x" * 150))
        grown_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert meter.received_bytes > 5_000_000
    assert grown_bytes < 64 * 1024


def test_the_text_of_a_long_stream_is_kept_up_to_a_size_and_counted_beyond() -> None:
    """Memory is constant: 32 KiB of text, however long the stream; the rest is known by its length."""
    meter = StreamMeter(usage_wanted=False)
    for _ in range(20_000):
        meter.feed(chunk("wörd "))
    spoken = meter.spoken()
    assert spoken.chars_total == 100_000
    assert 32 * 1024 - 4 < len(spoken.text.encode()) <= 32 * 1024
    assert spoken.scaled(7) == -(-7 * 100_000 // len(spoken.text))


# --- what kills SDKs


@pytest.mark.parametrize(
    "harmful",
    [
        b"event: ping\n\n",
        b"data:\n\n",
        b"data: \n\n",
        b"event: ping\ndata: {}\n\n",
        b"id: 1\n\n",
        b"retry: 3000\n\n",
        b"\n\n",
        b"noise\n\n",
    ],
)
def test_events_that_kill_sdks_are_dropped(harmful: bytes) -> None:
    """Each of them raises in an SDK, or nothing is lost with it."""
    run = Run(chunk("a"), harmful, chunk("b"), END, DONE)
    assert run.all == chunk("a") + chunk("b") + END + DONE


@pytest.mark.parametrize("line", [b"id: 1", b"retry: 3000", b"id", b"made-up: 1"])
def test_lines_that_kill_sdks_are_taken_out(line: bytes) -> None:
    """With an `id` once sent, the next comment makes a strict client fail."""
    run = Run(line + b"\n" + chunk("a"), chunk("b").rstrip() + b"\n" + line + b"\n\n", END, DONE)
    assert run.all == chunk("a") + chunk("b") + END + DONE


@pytest.mark.parametrize("usage", [b"", b',"usage":null'])
def test_bytes_that_are_no_utf8_are_replaced(usage: bytes) -> None:
    """Servers that cut a character in two make an SDK fail; also where the gateway does not look."""
    sent = b'data: {"choices":[{"index":0,"delta":{"content":"caf\xc3"}}],"note":"\xe2\x82"%b}\n\n' % usage
    got = 'data: {"choices":[{"index":0,"delta":{"content":"caf\ufffd"}}],"note":"\ufffd"}\n\n'
    run = Run(sent)
    assert run.passed.decode() == got
    assert run.meter.spoken().text == "caf\ufffd"
    assert Run(b": \xff\n\n").passed == b""


def test_comments_pass() -> None:
    """Bare ones are safe keep-alives; they come even while the end is withheld."""
    run = Run(b": keep-alive\n\n", chunk(), END, b": still there\n\n", b"id: 3\n: x\n\n", DONE)
    assert run.passed == b": keep-alive\n\n" + chunk() + b": still there\n\n" + b": x\n\n"
    assert run.tail.data == END + DONE


def test_named_events_with_data_pass() -> None:
    """SDKs read their data like any other."""
    named = b"event: message\n" + chunk("a")
    assert Run(named, END).passed == named


def test_other_line_ends_and_spellings_pass_as_they_are() -> None:
    """CRLF, CR, no blank after the colon, data on several lines."""
    spelled = [
        chunk("a").replace(b"\n", b"\r\n"),
        chunk("b").replace(b"\n", b"\r"),
        chunk("c").replace(b"data: ", b"data:"),
        b'data: {"choices":\ndata: [{"index":0,"delta":{"content":"d"}}]}\n\n',
        DONE.replace(b"\n", b"\r\n"),
    ]
    run = Run(*spelled)
    assert run.all == b"".join(spelled)
    assert run.meter.spoken().text == "abcd"


def test_a_rewritten_event_keeps_its_line_ends() -> None:
    """Also when its data stood on several lines."""
    crlf = chunk("a", usage=USAGE).replace(b"\n", b"\r\n")
    assert Run(crlf).passed == chunk("a").replace(b"\n", b"\r\n")
    lines = b'data: {"choices":[{"index":0}],\ndata: "usage":null}\n\n'
    assert Run(lines).passed == b'data: {"choices":[{"index":0}]}\n\n'


def test_a_byte_order_mark_and_blank_lines_before_the_stream_go() -> None:
    """The standard lets a stream start with one; queues send blank lines."""
    assert Run(b"\xef\xbb\xbf\n\n" + chunk() + END).all == chunk() + END + DONE
    assert Run(b"\xef", b"\xbb\xbf", b"\r\n", chunk(), END).all == chunk() + END + DONE
    assert Run(b"\n" * 100, chunk(), END).all == chunk() + END + DONE


def test_the_ping_is_a_bare_comment() -> None:
    """The only keep-alive that both official SDKs survive."""
    assert PING == b": ping\n\n"


# --- faults


@pytest.mark.parametrize(
    "said",
    [
        event(
            {
                "error": {"message": "m", "code": 502},
                "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}],
            }
        ),
        event({"error": "text"}),
        b'event: error\ndata: {"message":"m"}\n\n',
        event({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "m"}}),
        event({"error": {"message": "\ud83d"}}),
    ],
)
def test_an_error_inside_the_stream_is_a_fault_and_stays_inside(said: bytes) -> None:
    """Its text can hold the upstream's secrets: it is kept to be classified, and nothing after it passes."""
    run = Run(chunk("a") + said + chunk("b"), chunk("c"), DONE)
    assert run.all == chunk("a")
    assert (run.tail.complete, run.tail.fault, run.meter.fault) == (False, "error_event", "error_event")
    assert json.loads(run.meter.error_body)


def test_an_error_after_the_finish_takes_the_finish_back() -> None:
    """SDKs take a stream with a finishing chunk for complete."""
    run = Run(chunk(), END, event({"error": {"message": "m"}}))
    assert run.all == chunk()
    assert run.tail.fault == "error_event"


def test_an_absent_error_is_none() -> None:
    """Some upstreams have `"error": null` on every chunk."""
    assert Run(chunk(error=None), chunk(error={}), END).tail.complete


@pytest.mark.parametrize(
    "garbage",
    [b"data: hello\n\n", b"data: {nope}\n\n", b"data: 5\n\n", b"data: \xff\n\n"],
)
def test_data_that_is_no_json_object_is_a_fault(garbage: bytes) -> None:
    """A client's parser would fail on it."""
    run = Run(chunk(), garbage, chunk("b"))
    assert run.all == chunk()
    assert run.tail.fault == "garbage"


@pytest.mark.parametrize(
    "document", [b'{"choices":[]}', b"[1]", b"<html>502</html>", b' \n{"error":{"message":"no"}}']
)
def test_a_document_in_place_of_a_stream_is_a_fault_at_once(document: bytes) -> None:
    """SDKs would see an empty stream without an error; its start is kept to be classified."""
    for size in (1, len(document)):
        pieces = [document[i : i + size] for i in range(0, len(document), size)]
        run = Run(*pieces)
        assert run.all == b""
        assert run.tail.fault == "not_sse"
        assert run.meter.error_body == document.strip()


def test_what_is_kept_of_a_stray_document_is_bounded() -> None:
    """A gigabyte of HTML is not memory."""
    run = Run(b"<" * 10_000, b"x" * 100_000, b"y" * 100_000)
    assert len(run.meter.error_body) == 16 * 1024


def test_an_event_without_end_is_a_fault() -> None:
    """Also when it drips, and whatever its line ends."""
    for piece in (b"data: " + b"x" * 600, b"\r" + b"y" * 600, b":\n" * 300):
        run = Run(chunk("a"), *[piece] * 3, event_bytes_max=1_000)
        assert (run.passed, run.tail.fault) == (chunk("a"), "event_too_long"), piece[:5]


def test_a_stream_without_end_is_a_fault() -> None:
    """An upstream cannot make a client, or us, read for ever."""
    run = Run(*[chunk("a" * 1_000)] * 200, stream_bytes_max=100_000)
    assert run.tail.fault == "stream_too_long"
    assert 80_000 < len(run.passed) < 120_000


def test_text_that_is_neither_events_nor_a_document_ends_as_truncated() -> None:
    """Nothing of it reaches the client."""
    run = Run(b"Internal Server Error\n", b"\x00\x01\xff" * 100)
    assert (run.all, run.tail.fault) == (b"", "truncated")


# --- any bytes, any cutting

STREAM = b"".join(
    [
        b": queued\n\n",
        chunk("", role="assistant"),
        chunk("héé 😀 \u2028", usage=None),
        chunk("a").replace(b"\n", b"\r\n"),
        b"id: 1\n" + chunk("b", usage=None),
        b"event: ping\n\n",
        chunk("c", index=1),
        chunk(None, finish="stop", index=1),
        chunk(None, finish="length", usage=None),
        USAGE_EVENT,
        DONE,
    ]
)


@pytest.mark.parametrize("wanted", [False, True])
def test_every_cutting_in_two_gives_the_same(wanted: bool) -> None:
    """At every byte: inside a character, inside CRLF, inside `[DONE]`."""
    whole = Run(STREAM, wanted=wanted)
    assert whole.tail.complete
    for cut in range(len(STREAM)):
        parts = Run(STREAM[:cut], STREAM[cut:], wanted=wanted)
        assert parts.all == whole.all, cut
        assert parts.meter.usage_raw == whole.meter.usage_raw


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_byte_by_byte_gives_the_same(newline: bytes) -> None:
    """With every kind of line end."""
    stream = STREAM.replace(b"\r\n", b"\n").replace(b"\n", newline)
    whole = Run(stream)
    drip = Run(*(stream[i : i + 1] for i in range(len(stream))))
    assert drip.all == whole.all
    assert drip.meter.spoken() == whole.meter.spoken()
    assert drip.tail.complete


@settings(deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.booleans())
def test_any_cutting_gives_the_same(cuts: list[int], wanted: bool) -> None:
    """Pieces of any sizes, empty ones too."""
    places = [0, *sorted(cuts), len(STREAM)]
    run = Run(*(STREAM[a:b] for a, b in itertools.pairwise(places)), wanted=wanted)
    assert run.all == Run(STREAM, wanted=wanted).all


NOISE = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            b"data: ",
            b"data: {",
            b"}\n\n",
            b"\r",
            b"\n",
            b"\r\n",
            b"event: error\n",
            b"id:1\n",
            b":",
            DONE,
            chunk(),
            END,
            USAGE_EVENT,
        ]
    ),
)


@settings(deadline=None)
@given(st.lists(NOISE, max_size=20), st.booleans())
def test_no_bytes_raise_and_what_passes_is_safe(pieces: list[bytes], wanted: bool) -> None:
    """Whatever an upstream sends: no exception, `[DONE]` only in the tail, and an official SDK can read all of it."""
    run = Run(*pieces, wanted=wanted, event_bytes_max=500)
    assert run.tail.complete == (run.tail.fault is None)
    assert not any(line.startswith((b"id", b"retry", b"event: ping")) for line in run.all.splitlines())
    if b"\r" in run.all:  # mixed line ends, which that SDK reads its own way
        return
    for sent in SSEDecoder().iter_bytes(iter([run.passed])):
        assert isinstance(json.loads(sent.data), dict)
    for sent in SSEDecoder().iter_bytes(iter([run.tail.data])):
        assert sent.data.startswith("[DONE]") or isinstance(json.loads(sent.data), dict)


def test_an_error_event_is_an_envelope_in_a_data_line() -> None:
    """Both SDKs raise on it with code and type."""
    assert error_event("upstream_error", "broke") == (
        b'data: {"error":{"message":"broke","type":"server_error","param":null,"code":"upstream_error"}}\n\n'
    )


def test_received_bytes_and_chunks_are_counted() -> None:
    """For limits and the attempt's record; a chunk of usage alone is none of an answer."""
    run = Run(chunk(), b": x\n\n", END, USAGE_EVENT, DONE)
    assert run.meter.received_bytes == len(chunk() + b": x\n\n" + END + USAGE_EVENT + DONE)
    assert run.meter.chunks == 2
