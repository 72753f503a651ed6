"""The native stream of responses: its traps, one by one, and odd input."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.dialects.openai.event_relay import EventRelay
from application.dialects.openai.responses.answer import read_response, response_text
from application.dialects.openai.responses.reader import ResponsesReader
from application.dialects.openai.responses.relay import ResponsesRelay
from application.dialects.openai.usage import figures, reading_of
from application.wire.relay import Tail
from tests.application.dialects.openai.odd_json import mutated, pieces, values

Json = dict[str, Any]
USAGE: Json = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 6,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 16,
}


def event(kind: str, number: int = 0, **members: Any) -> bytes:
    document = {"type": kind, "sequence_number": number, **members}
    return f"event: {kind}\ndata: {json.dumps(document)}\n\n".encode()


CREATED = event("response.created", 0, response={"id": "r", "usage": None})
DELTA = event("response.output_text.delta", 1, output_index=0, delta="hé")
ITEM = event(
    "response.output_item.done",
    2,
    output_index=0,
    item={"type": "message", "content": [{"type": "output_text", "text": "hé"}]},
)


def end(kind: str = "response.completed", **response: Any) -> bytes:
    return event(kind, 3, response={"id": "r", "output": [], "usage": USAGE, **response})


def relayed(parts: list[bytes]) -> tuple[bytes, Tail, ResponsesRelay]:
    relay = ResponsesRelay()
    sent = b"".join(relay.feed(part) for part in parts)
    return sent, relay.finish(), relay


def payload(data: bytes) -> Json:
    document: Json = json.loads(data.split(b"data: ")[1])
    return document


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete"])
def test_the_last_event_is_withheld_and_its_usage_read(kind: str) -> None:
    """Reading it of `completed` only has cost others money: an `incomplete` was charged just as well."""
    sent, tail, relay = relayed([CREATED + DELTA + ITEM + end(kind)])
    assert sent == CREATED + DELTA + ITEM
    assert tail.complete
    assert payload(tail.data)["type"] == kind
    reading = reading_of(relay.usage_raw)
    assert reading is not None
    assert figures(reading).output == 6
    assert relay.done


def test_the_start_is_withheld_until_something_was_generated() -> None:
    """Another provider may be asked until then; a comment before does not count, and what ends at once comes whole."""
    relay = ResponsesRelay()
    quiet = CREATED + b": waiting\n\n" + event("response.in_progress", 1, response={"id": "r"})
    assert relay.feed(quiet) == b""
    assert relay.feed(DELTA) == quiet + DELTA
    assert relay.feed(ITEM) == ITEM
    sent, tail, _ = relayed([CREATED, end()])
    assert sent == b""
    assert tail.data.startswith(CREATED)


@pytest.mark.parametrize("kind", ["ping", "message_start", "keepalive"])
def test_events_of_no_answer_are_none(kind: str) -> None:
    """Pings, and the events of another dialect: nothing goes on, so that another provider can be asked."""
    passed, tail, relay = relayed([event(kind)])
    assert (passed, tail.complete, relay.chunks) == (b"", False, 0)


def test_a_start_without_end_is_cut_off() -> None:
    """Memory is bounded."""
    relay = EventRelay(ResponsesReader(), event_bytes_max=500)
    for _ in range(20):
        relay.feed(CREATED)
    assert relay.fault == "event_too_long"


def test_missing_cache_writes_are_added_as_zero() -> None:
    """SDKs require the figure; most recordings lack it. Everything else of the event stays."""
    _, tail, relay = relayed([CREATED + DELTA + end()])
    response = payload(tail.data)["response"]
    assert response["usage"]["input_tokens_details"] == {"cached_tokens": 4, "cache_write_tokens": 0}
    assert {**response, "usage": USAGE} == payload(end())["response"]
    assert json.loads(relay.usage_raw or b"") == USAGE


def test_a_complete_usage_leaves_the_event_as_it_came() -> None:
    """Byte for byte."""
    usage = {**USAGE, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0}}
    last = end(usage=usage)
    assert relayed([CREATED + DELTA + last])[1].data == last


def test_an_upstreams_cost_is_taken_out() -> None:
    """Customers never see what we pay; the raw object keeps it."""
    _, tail, relay = relayed([end(usage={**USAGE, "cost": 0.1, "cost_in_usd_ticks": 5, "is_byok": False})])
    assert b"cost" not in tail.data
    assert b"cost_in_usd_ticks" in (relay.usage_raw or b"")


def test_unknown_events_and_comments_pass_unchanged() -> None:
    """The dialect grows faster than its readers."""
    odd = event("response.steered.somehow", 2, anything=[1]) + b": waiting\n\n" + event("keepalive", 4)
    sent, _, _ = relayed([CREATED + odd + end()])
    assert sent == CREATED + odd


def test_lines_that_kill_sdks_are_taken_out() -> None:
    """`id` and `retry` lines, and events without data."""
    sent, tail, _ = relayed(
        [b"id: 7\nretry: 5\n" + CREATED + b"event: ping\n\n" + b"data:\n\n" + DELTA + end()]
    )
    assert sent == CREATED + DELTA
    assert tail.complete


def test_what_follows_the_last_event_is_left_out() -> None:
    """OpenRouter adds a `[DONE]` that the dialect does not have."""
    _, tail, relay = relayed([CREATED + end() + b"data: [DONE]\n\n"])
    assert tail.complete
    assert b"[DONE]" not in tail.data
    assert relay.done


def test_out_of_money_inside_a_200_is_a_fault_with_a_body_to_classify() -> None:
    """`error` and then `response.failed`: neither reaches the client, the failed response's usage is still read."""
    error = event(
        "error", 1, error={"type": "insufficient_quota", "code": "insufficient_quota", "message": "m"}
    )
    failed = end("response.failed", error={"code": "server_error", "message": "later"})
    for parts in ([CREATED + error + failed], [CREATED, error, failed]):
        sent, tail, relay = relayed(parts)
        assert sent == b""
        assert tail == Tail(b"", complete=False, fault="error_event")
        assert json.loads(relay.error_body)["error"]["code"] == "insufficient_quota"
        assert relay.usage_raw is not None
        assert relay.chunks == 0


def test_a_failed_response_alone_is_a_fault() -> None:
    """Its error stands inside the response, and may come after text."""
    sent, tail, relay = relayed(
        [CREATED + DELTA + end("response.failed", error={"code": "server_error", "message": "m"})]
    )
    assert sent == CREATED + DELTA
    assert tail.fault == "error_event"
    assert json.loads(relay.error_body) == {"error": {"code": "server_error", "message": "m"}}
    assert relay.chunks == 1


def test_an_old_error_event_is_brought_to_the_same_shape() -> None:
    """Its members stand on the top level."""
    _, _, relay = relayed([event("error", 1, code="rate_limit_exceeded", message="m", param=None)])
    assert json.loads(relay.error_body)["error"]["code"] == "rate_limit_exceeded"


def test_a_stream_without_its_last_event_is_truncated() -> None:
    """A client would take it for complete."""
    _, tail, _ = relayed([CREATED + DELTA])
    assert tail.fault == "truncated"


def test_a_last_event_that_only_lacks_its_empty_line_counts() -> None:
    """A cut one does not."""
    assert relayed([CREATED + end()[:-2]])[1].complete
    assert relayed([CREATED + end()[:-20]])[1].fault == "truncated"


def test_another_document_is_no_stream() -> None:
    """It is kept to be classified."""
    _, tail, relay = relayed([b'{"error":', b'{"message":"x"}}'])
    assert tail.fault == "not_sse"
    assert relay.error_body == b'{"error":{"message":"x"}}'


def test_garbage_in_an_event_ends_the_stream() -> None:
    """Nothing passes from there on."""
    sent, tail, _ = relayed([CREATED + DELTA + b"data: {oops\n\n" + end()])
    assert sent == CREATED + DELTA
    assert tail.fault == "garbage"


def test_lines_and_streams_without_end_are_cut_off() -> None:
    """Memory is bounded."""
    relay = EventRelay(ResponsesReader(), event_bytes_max=100)
    relay.feed(b"data: " + b"x" * 200)
    assert relay.fault == "event_too_long"
    relay = EventRelay(ResponsesReader(), stream_bytes_max=500)
    for _ in range(100):
        relay.feed(DELTA)
    assert relay.fault == "stream_too_long"


def test_spoken_text_counts_once_whether_it_came_in_pieces_or_whole() -> None:
    """An item without deltas counts when it is done."""
    assert relayed([DELTA + ITEM + end()])[2].spoken().text == "hé"
    assert relayed([ITEM + end()])[2].spoken().text == "hé"


def test_our_own_error_continues_the_numbers_and_is_an_sdks_cue() -> None:
    """`event: error` with a member `error`."""
    _, _, relay = relayed([CREATED + DELTA])
    told = relay.error("upstream_error", "It broke.")
    assert told.startswith(b"event: error\n")
    document = payload(told)
    assert document["sequence_number"] == 2
    assert document["error"]["code"] == document["code"] == "upstream_error"


def test_a_whole_failed_response_is_a_fault_with_usage() -> None:
    """Status 200 or not."""
    body = json.dumps({"status": "failed", "error": {"code": "server_error"}, "output": [], "usage": USAGE})
    read = read_response(body.encode())
    assert (read.fault, read.body) == ("error_body", b"")
    assert read.usage_raw is not None


def test_azures_caching_figures_are_checked_like_all() -> None:
    """More cached than there is counts as all of it."""
    reading = reading_of(b'{"input_tokens":5,"output_tokens":1,"input_tokens_details":{"cached_tokens":9}}')
    assert reading is not None
    assert figures(reading).cached == 5
    assert "cached_over_prompt" in reading.flags


def test_long_cache_writes_are_told_apart() -> None:
    """They have another price."""
    details = {
        "cache_write_tokens": 8,
        "cache_write_tokens_details": {"ttl_12h_tokens": 3, "ttl_30m_tokens": 5},
    }
    reading = reading_of(
        json.dumps({"input_tokens": 9, "output_tokens": 0, "input_tokens_details": details}).encode()
    )
    assert reading is not None
    read = figures(reading)
    assert (read.fresh, read.written, read.written_long) == (1, 8, 3)


@given(st.data())
def test_any_cutting_of_any_stream_gives_the_same(data: st.DataObject) -> None:
    """However odd its events, nothing raises."""
    documents = [payload(each) for each in (CREATED, DELTA, ITEM, end())]
    body = b"".join(
        f"event: {document['type']}\ndata: {json.dumps(data.draw(mutated(document)))}\n\n".encode()
        for document in documents
    )
    sent, tail, relay = relayed([body])
    again, tail_again, relay_again = relayed(data.draw(pieces(body)))
    assert (again, tail_again, relay_again.error_body) == (sent, tail, relay.error_body)
    assert relay_again.spoken() == relay.spoken()


@given(st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
def test_no_answer_raises(body: bytes) -> None:
    """Whatever it is, it is read or it is a fault."""
    read = read_response(body)
    response_text(body)
    assert (read.fault is None) is bool(read.body)


def test_the_tier_that_answered_and_hosted_calls_are_told() -> None:
    """Prices go by the tier of the answer, and each hosted call may have a fee."""
    item = {"type": "web_search_call", "id": "w"}
    own = {"type": "function_call", "name": "f"}
    events = b"".join(
        event("response.output_item.done", 2, output_index=index, item=each)
        for index, each in enumerate((item, own, item))
    )
    _, _, relay = relayed([CREATED + events + end(service_tier="flex")])
    assert relay.service_tier == "flex"
    assert relay.hosted_calls == {"web_search_call": 2}
    read = read_response(json.dumps({"output": [item, own], "service_tier": "priority"}).encode())
    assert (read.service_tier, read.hosted_calls) == ("priority", {"web_search_call": 1})


def test_events_that_only_a_lenient_parser_takes_pass() -> None:
    """Half of a character pair, an odd number; the text counts."""
    odd = b'data: {"type":"response.output_text.delta","output_index":0,"delta":"\\ud800"}\n\n'
    odd += b'data: {"type":"response.output_text.delta","output_index":0,"x":NaN,"y":"\\ud800"}\n\n'
    sent, tail, relay = relayed([CREATED + odd + end()])
    assert sent == CREATED + odd
    assert tail.complete
    assert relay.spoken().chars_total == 1
    assert response_text(b'{"output":[{"content":[5,{"text":"x"}]}]}').text == "x"
    assert read_response(b'{"output":[],"x":"\\ud800"}').fault is None
    assert read_response(b'{"output":[],"x":"\\ud800","y":NaN}').fault is None


def test_a_long_answer_is_heard_whole() -> None:
    """Pieces are joined on the way, items beyond a number count when they are done."""
    deltas = b"".join(
        event("response.output_text.delta", 1, output_index=index, delta="ab") for index in range(1_100)
    )
    _, _, relay = relayed([deltas + end()])
    assert relay.spoken().chars_total == 2_200


def test_a_response_whose_usage_cannot_be_read_passes() -> None:
    """It has none."""
    last = event("response.completed", 3, response={"usage": 5})
    _, tail, relay = relayed([DELTA + last])
    assert tail.data == last
    assert relay.usage_raw is None
    assert reading_of(None) is None
    assert reading_of(b"{") is None


def test_fed_on_after_the_end_or_a_fault_nothing_comes() -> None:
    """A mark of the byte order before the first event is no fault, and goes."""
    relay = ResponsesRelay()
    assert relay.feed(b"\xef\xbb") == b""
    assert relay.feed(b"\xbf" + DELTA) == DELTA
    relay.feed(end())
    assert relay.feed(DELTA) == b""
    assert relay.finish().complete


def test_a_done_before_the_last_event_is_no_end() -> None:
    """The dialect ends by its own events."""
    sent, tail, _ = relayed([CREATED + b"data: [DONE]\n\n" + DELTA])
    assert sent == CREATED + DELTA
    assert tail.fault == "truncated"


def test_a_response_that_cannot_be_read_passes_as_it_came() -> None:
    """A text in it is no text; nobody can tell its usage."""
    last = b'data: {"type":"response.completed","response":{"service_tier":"\\ud800","usage":{}}}\n\n'
    _, tail, relay = relayed([last])
    assert tail.data == last
    assert relay.usage_raw is None


def test_figures_that_do_not_add_up_are_flagged() -> None:
    """They are charged as they stand."""
    reading = reading_of(json.dumps({**USAGE, "total_tokens": 99}).encode())
    assert reading is not None
    assert figures(reading).output == 6
    assert reading.flags == ["total_mismatch"]
