"""The stream of a message as chunks of a chat completion: the state machine and the oddities of real streams."""

import json
from typing import Any

import pytest

from application.dialects.anthropic.upstream.tools import ANSWER_TOOL
from application.dialects.anthropic.usage import figures
from application.dialects.port import Json
from application.wire.usage import Reading
from tests.application.dialects.anthropic.upstream.replay import (
    START,
    STOP,
    Replayed,
    begin,
    call,
    end,
    piece,
    replay,
    stop,
    text,
    wire,
)

ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def test_a_plain_stream() -> None:
    """Role, content, the end, usage; no chunk but those of the end is withheld."""
    answer = replay(START, *text(0, "One", "two"), end(), STOP)
    assert answer.deltas == [{"role": "assistant", "content": ""}, {"content": "One"}, {"content": "two"}, {}]
    assert len(answer.early) == 3
    assert answer.finish == "stop"
    assert (answer.end.complete, answer.end.fault, answer.stream.done) == (True, None, True)


def test_every_chunk_says_whose_it_is() -> None:
    """The id of the message, the client's name for the model."""
    for chunk in replay(START, *text(0, "Hi"), end(), STOP).chunks:
        assert (chunk["id"], chunk["model"], chunk["created"]) == ("msg_1", "alias", 1_700_000_000)


def test_the_usage_comes_last_and_alone() -> None:
    """From the start, and what the end says over it."""
    answer = replay(START, *text(0, "Hi"), end(), STOP)
    assert answer.chunks[-1]["choices"] == []
    assert answer.usage == {
        "prompt_tokens": 9,
        "completion_tokens": 15,
        "total_tokens": 24,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert answer.stream.usage_raw == b'{"input_tokens":9,"output_tokens":15}'


def test_nothing_is_told_before_something_was_generated() -> None:
    """A provider that fails right after the start can be left for another."""
    answer = replay(START, {"type": "ping"}, ERROR)
    assert answer.chunks == []
    assert answer.stream.chunks == 0
    assert answer.stream.fault == "error_event"
    assert json.loads(answer.stream.error_body) == ERROR


def test_a_late_error_is_a_fault_and_finishes_nothing() -> None:
    """What was said stays said; no finishing chunk, which SDKs take for a whole answer."""
    answer = replay(START, *text(0, "Hi"), ERROR, end(), STOP)
    assert answer.end.chunks == []
    assert (answer.end.complete, answer.end.fault) == (False, "error_event")
    assert answer.message == {"role": "assistant", "content": "Hi"}
    assert answer.finish is None


def test_an_error_without_its_type_is_known_by_the_events_name() -> None:
    """Or by its member."""
    for event in (b'event: error\ndata: "Overloaded"\n\n', b'data: {"error":{"message":"x"}}\n\n'):
        assert Replayed([wire(START), event]).stream.fault == "error_event"


# --- tool calls


def test_calls_are_counted_by_themselves() -> None:
    """Their index is not that of the block; the first chunk has id, type, name and no arguments."""
    answer = replay(
        START,
        *text(0, "Looking"),
        *call(1, "a", "", '{"x":', "1}"),
        *call(2, "b", '{"y":2}', call_id="toolu_2"),
        end("tool_use"),
        STOP,
    )
    calls = [delta["tool_calls"][0] for delta in answer.deltas if "tool_calls" in delta]
    assert calls[0] == {
        "index": 0,
        "id": "toolu_1",
        "type": "function",
        "function": {"name": "a", "arguments": ""},
    }
    assert calls[1] == {"index": 0, "function": {"arguments": '{"x":'}}
    assert [(found["id"], found["function"]) for found in answer.message["tool_calls"]] == [
        ("toolu_1", {"name": "a", "arguments": '{"x":1}'}),
        ("toolu_2", {"name": "b", "arguments": '{"y":2}'}),
    ]
    assert answer.finish == "tool_calls"


@pytest.mark.parametrize("fragments", [(), ("",), ("", "")])
def test_a_call_without_arguments_has_an_empty_object(fragments: tuple[str, ...]) -> None:
    """None came, so `{}` goes with the end of the block; clients parse what they get."""
    answer = replay(START, *call(0, "now", *fragments), end("tool_use"), STOP)
    assert answer.message["tool_calls"][0]["function"]["arguments"] == "{}"
    assert len(answer.early) == 3


def test_arguments_that_came_with_the_start_are_told() -> None:
    """As some compatible providers send them."""
    given = begin(0, "tool_use", id="t", name="f", input={"x": 1})
    answer = replay(START, given, stop(0), end("tool_use"), STOP)
    assert answer.message["tool_calls"][0]["function"]["arguments"] == '{"x":1}'


def test_a_call_whose_block_was_not_closed_is_closed_with_the_answer() -> None:
    """The end of the message ends it."""
    answer = replay(START, *call(0, "now")[:-1], end("tool_use"), STOP)
    assert answer.message["tool_calls"][0]["function"]["arguments"] == "{}"


def test_what_the_provider_ran_by_itself_is_not_told() -> None:
    """Neither its calls nor their results; what was generated for it is counted."""
    answer = replay(
        START,
        begin(0, "server_tool_use", id="s", name="web_search", input={}),
        piece(0, "input_json_delta", partial_json='{"q":1}'),
        stop(0),
        begin(1, "web_search_tool_result", tool_use_id="s", content=[{"title": "T"}]),
        stop(1),
        begin(2, "compaction", content=None),
        piece(2, "compaction_delta", content="Summary"),
        stop(2),
        begin(3, "text", text=""),
        piece(3, "citations_delta", citation={"cited_text": "T"}),
        piece(3, "text_delta", text="Found"),
        stop(3),
        end(),
        STOP,
    )
    assert answer.message == {"role": "assistant", "content": "Found"}
    assert answer.finish == "stop"
    assert answer.stream.spoken().text == 'web_search{"q":1}SummaryFound'


def test_an_answer_that_is_given_to_the_tool_is_content() -> None:
    """In its fragments."""
    answer = replay(START, *call(0, ANSWER_TOOL, '{"a":', "1}"), end("tool_use"), STOP)
    assert answer.message == {"role": "assistant", "content": '{"a":1}'}
    assert answer.finish == "stop"
    empty = replay(START, *call(0, ANSWER_TOOL), end("tool_use"), STOP)
    assert empty.message["content"] == "{}"


# --- thinking


def test_thinking_is_told_with_its_signatures() -> None:
    """What the openai SDK accumulates is what a client can send back."""
    answer = replay(
        START,
        begin(0, "thinking", thinking="", signature=""),
        piece(0, "thinking_delta", thinking="H"),
        piece(0, "thinking_delta", thinking="m"),
        piece(0, "signature_delta", signature="s1"),
        stop(0),
        begin(1, "redacted_thinking", data="xyz"),
        stop(1),
        begin(2, "thinking", thinking=""),
        piece(2, "signature_delta", signature="s2"),
        stop(2),
        *text(3, "A"),
        end(),
        STOP,
    )
    assert answer.message == {
        "role": "assistant",
        "content": "A",
        "reasoning_content": "Hm",
        "thinking_blocks": [
            {"index": 0, "type": "thinking", "thinking": "Hm", "signature": "s1"},
            {"index": 1, "type": "redacted_thinking", "data": "xyz"},
            {"index": 2, "type": "thinking", "signature": "s2"},
        ],
    }
    assert answer.stream.spoken().text == "HmA"


def test_what_was_streamed_can_be_sent_back(body: Any) -> None:
    """The blocks arrive upstream as they were told."""
    thought = [
        begin(0, "thinking", thinking=""),
        piece(0, "thinking_delta", thinking="Hm"),
        piece(0, "signature_delta", signature="s1"),
        stop(0),
    ]
    told = replay(START, *thought, *call(1, "look", '{"q":1}'), end("tool_use"), STOP).message
    messages = [
        {"role": "user", "content": "Hi"},
        told,
        {"role": "tool", "tool_call_id": "toolu_1", "content": "x"},
    ]
    assert body(messages=messages)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "s1"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"q": 1}},
    ]


# --- starts


def test_a_start_that_comes_twice_counts_once() -> None:
    """Some gateways repeat it, at once or later; its usage overwrites nothing then."""
    later = json.loads(json.dumps(START))
    later["message"]["usage"] = {"input_tokens": 1, "output_tokens": 1}
    answer = replay(START, START, *text(0, "A")[:-1], later, piece(0, "text_delta", text="B"), end(), STOP)
    assert answer.end.complete
    assert answer.message == {"role": "assistant", "content": "AB"}
    assert answer.usage is not None
    assert answer.usage["prompt_tokens"] == 9


def test_another_message_spliced_into_the_answer_cuts_it() -> None:
    """A connection was lost upstream and begun anew: what was told cannot be taken back, so nothing is finished."""
    other = {"type": "message_start", "message": {"id": "msg_2", "usage": {"input_tokens": 9}}}
    answer = replay(
        START, *call(0, "f", '{"x":')[:-1], other, *call(0, "f", '{"x":1}', call_id="t2"), end("tool_use"), STOP
    )  # fmt: skip
    assert (answer.end.complete, answer.end.fault, answer.end.chunks) == (False, "truncated", [])
    assert [chunk["id"] for chunk in answer.early] == ["msg_1"] * 3
    assert answer.finish is None


def test_another_message_may_replace_one_that_said_nothing() -> None:
    """No client has seen it."""
    other = {"type": "message_start", "message": {"id": "msg_2", "usage": {"input_tokens": 11}}}
    answer = replay(START, other, *text(0, "A"), end(), STOP)
    assert answer.end.complete
    assert {chunk["id"] for chunk in answer.chunks} == {"msg_2"}
    assert answer.usage is not None
    assert answer.usage["prompt_tokens"] == 11


def test_nothing_is_read_after_the_last_word() -> None:
    """Whatever comes behind it."""
    answer = replay(START, *text(0, "A"), end(), STOP, START, *text(0, "B"), ERROR)
    assert answer.message["content"] == "A"
    assert (answer.end.complete, answer.stream.fault) == (True, None)


# --- ends


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
    ],
)
def test_why_it_ended(stop_reason: str, finish: str) -> None:
    """As of a whole answer."""
    assert replay(START, *text(0, "A"), end(stop_reason), STOP).finish == finish


def test_a_refusal_tells_its_explanation() -> None:
    """With the end, if the provider gives one; an answer of nothing else is an answer."""
    details = {"type": "refusal", "category": "bio", "explanation": "Blocked."}
    answer = replay(START, end("refusal", stop_details=details), STOP)
    assert answer.message == {"role": "assistant", "content": "", "refusal": "Blocked."}
    assert answer.early == []
    assert answer.stream.chunks > 0
    assert replay(START, end("refusal", stop_details=None), STOP).message == {
        "role": "assistant",
        "content": "",
    }


def test_a_stream_without_its_last_event_is_whole() -> None:
    """Why it ended was said, and its usage with it."""
    answer = replay(START, *text(0, "A"), end())
    assert (answer.end.complete, answer.stream.done, answer.finish) == (True, False, "stop")


def test_a_last_event_without_its_empty_line_counts() -> None:
    """A cut one does not."""
    whole = wire(START, *text(0, "A"), end())
    assert Replayed([whole[:-2]]).end.complete
    assert Replayed([whole[:-3]]).end.fault == "truncated"
    unended = Replayed([wire(START, *text(0, "A")[:-1])[:-2]])
    assert (unended.end.fault, unended.end.chunks) == ("truncated", [])


@pytest.mark.parametrize("events", [[], [START], [START, *text(0, "A")], [START, {"type": "ping"}]])
def test_a_stream_that_stops_before_its_end_is_cut(events: list[Json]) -> None:
    """Closing looks complete to SDKs, so nothing that finishes is given."""
    answer = replay(*events)
    assert (answer.end.complete, answer.end.fault, answer.end.chunks) == (False, "truncated", [])


def test_the_usage_of_a_cut_stream_lacks_its_output() -> None:
    """So that what was generated is counted, and not the placeholder of the start."""
    answer = replay(START, *text(0, "A long answer"))
    assert answer.stream.usage_raw == b'{"input_tokens":9}'
    reading = Reading(json.loads(answer.stream.usage_raw))
    figures(reading)
    assert reading.flags == ["output_missing"]
    assert answer.stream.spoken().text == "A long answer"


def test_usage_may_be_missing_altogether() -> None:
    """Then none is told."""
    bare = {"type": "message_start", "message": {"id": "msg_1"}}
    last = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    answer = replay(bare, *text(0, "A"), last, STOP)
    assert answer.end.complete
    assert (answer.usage, answer.stream.usage_raw) == (None, None)


def test_a_compaction_is_told_as_it_is_charged() -> None:
    """One arithmetic."""
    last = end()
    last["usage"] = {
        "input_tokens": 20,
        "output_tokens": 2,
        "iterations": [
            {"type": "compaction", "input_tokens": 5, "output_tokens": 80, "cache_read_input_tokens": 5000},
            {"type": "message", "input_tokens": 20, "output_tokens": 2},
        ],
    }
    usage = replay(START, *text(0, "A"), last, STOP).usage
    assert usage is not None
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (5025, 82)
