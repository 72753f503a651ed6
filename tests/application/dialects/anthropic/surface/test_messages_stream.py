"""Chat chunks as a message's events: the exact sequence, and every trap that translators fell into."""

import json
from typing import Any

import anthropic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.dialects.anthropic.surface.surface import MessagesSurface
from application.dialects.port import Surface, SurfaceStream
from tests.application.dialects.anthropic.surface.oracle import accumulated, assert_in_order, events_of

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
USAGE_CHUNK = {"id": "chatcmpl-1", "choices": [], "usage": USAGE}


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(
    index: int | None = None, arguments: str = "", *, call_id: str | None = None, name: str | None = None
) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    piece: dict[str, Any] = {"function": function} | ({"id": call_id, "type": "function"} if call_id else {})
    return chunk(tool_calls=[piece | ({} if index is None else {"index": index})])


def written(*chunks: dict[str, Any]) -> bytes:
    stream = MessagesSurface().stream(request={"model": "alias"})
    return b"".join(stream.write(piece) for piece in chunks) + stream.end()


def content_of(*chunks: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks that a user of the SDK gets, once the events were found in order."""
    stream = written(*chunks)
    assert_in_order(events_of(stream))
    message = accumulated(stream)
    return [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in message.content]


def test_it_is_a_surface() -> None:
    """The ports' shapes."""
    surface: Surface = MessagesSurface()
    stream: SurfaceStream = surface.stream(request={"model": "alias"})
    assert stream.end()


def test_the_sequence_is_exact() -> None:
    """Every event, its name, its index and all of its members, as the SDKs and Claude Code expect them."""
    stream = written(chunk(role="assistant", content=""), chunk(content="Hi"), chunk("stop"), USAGE_CHUNK)
    none = {
        "input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
    }
    assert events_of(stream) == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "alias",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": none,
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {
                "input_tokens": 60,
                "cache_creation_input_tokens": 10,
                "cache_read_input_tokens": 30,
                "output_tokens": 20,
                "output_tokens_details": {"thinking_tokens": 5},
            },
        },
        {"type": "message_stop"},
    ]


def test_the_fragment_that_opens_a_block_is_in_it() -> None:
    """Trap 1: arguments in the chunk that begins a call, and text in the first chunk, come after their start."""
    assert content_of(chunk(content="Look: "), call(0, '{"city":"Oslo"}', call_id="a", name="weather")) == [
        {"type": "text", "text": "Look: "},
        {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Oslo"}},
    ]


@pytest.mark.parametrize("member", ["reasoning_content", "reasoning"])
def test_thoughts_have_a_block_of_their_own(member: str) -> None:
    """Trap 2: one message start, a thinking block with thinking deltas, then a text block."""
    stream = written(
        chunk(role="assistant", **{member: "I"}), chunk(**{member: " see"}), chunk(content="Yes")
    )
    assert [event["type"] for event in events_of(stream)].count("message_start") == 1
    assert content_of(chunk(**{member: "I"}), chunk(**{member: " see"}), chunk(content="Yes")) == [
        {"type": "thinking", "thinking": "I see", "signature": ""},
        {"type": "text", "text": "Yes"},
    ]


def test_thoughts_after_text_open_another_block() -> None:
    """Thinking deltas never go into an open text block, whatever the order is."""
    kinds = [
        block["type"]
        for block in content_of(chunk(content="a"), chunk(reasoning_content="b"), chunk(content="c"))
    ]
    assert kinds == ["text", "thinking", "text"]


def test_chunks_without_choices_come_first_and_last() -> None:
    """Trap 3: Azure's filter results open a stream and usage closes it; neither is content, both are read."""
    filtered = {"id": "", "choices": [], "prompt_filter_results": []}
    stream = written(filtered, chunk(content="x"), chunk("stop"), USAGE_CHUNK)
    events = events_of(stream)
    assert_in_order(events)
    assert events[0]["message"]["id"] == "msg_1"
    assert events[-2]["usage"]["output_tokens"] == 20


def test_a_call_stops_for_its_tool_even_when_the_provider_says_stop() -> None:
    """Trap 4: a client that reads `end_turn` would not make the call."""
    message = accumulated(written(call(0, "{}", call_id="a", name="f"), chunk("stop")))
    assert message.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("finish", "called", "stop"),
    [
        ("stop", False, "end_turn"),
        ("tool_calls", True, "tool_use"),
        ("tool_calls", False, "end_turn"),
        ("function_call", True, "tool_use"),
        ("length", False, "max_tokens"),
        ("length", True, "max_tokens"),
        ("content_filter", False, "refusal"),
        ("content_filter", True, "refusal"),
        (None, False, "end_turn"),
        ("unheard-of", False, "end_turn"),
    ],
)
def test_every_finish_reason_has_a_stop_reason(finish: str | None, called: bool, stop: str) -> None:
    """A call that was cut short or filtered is not to be made, so it is no `tool_use`."""
    chunks = [call(0, '{"a":', call_id="a", name="f")] if called else [chunk(content="x")]
    assert events_of(written(*chunks, chunk(finish)))[-2]["delta"]["stop_reason"] == stop


def test_a_refusal_is_text_and_says_so() -> None:
    """What the model refused with is shown, under the stop reason for refusals."""
    stream = written(chunk(refusal="I will"), chunk(refusal=" not."), chunk("stop"))
    assert accumulated(stream).stop_reason == "refusal"
    assert accumulated(stream).content[0].to_dict() == {"type": "text", "text": "I will not."}


def test_no_empty_text_block_leads() -> None:
    """Trap 5: the empty content that opens most streams, before a call too, is no block."""
    assert content_of(chunk(role="assistant", content=""), call(0, "{}", call_id="a", name="f")) == [
        {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    ]


def test_usage_after_the_finish_is_waited_for() -> None:
    """Trap 5: the finishing chunk writes no end; the figures of a later chunk are in it."""
    stream = MessagesSurface().stream(request={"model": "alias"})
    before = stream.write(chunk(content="x")) + stream.write(chunk("stop"))
    assert b"message_delta" not in before
    assert b"content_block_stop" not in before
    assert stream.write(USAGE_CHUNK) == b""
    assert json.loads(stream.end().split(b"data: ")[2].split(b"\n")[0])["usage"]["input_tokens"] == 60


def test_usage_on_the_finishing_chunk_is_read() -> None:
    """Mistral, DeepSeek and others have it there."""
    stream = written(chunk(content="x"), chunk("stop") | {"usage": USAGE})
    assert events_of(stream)[-2]["usage"]["cache_read_input_tokens"] == 30


def test_the_last_figures_count() -> None:
    """Some providers tell them in every chunk, growing."""
    early = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    stream = written(chunk(content="x") | {"usage": early}, chunk("stop"), USAGE_CHUNK)
    assert events_of(stream)[-2]["usage"]["output_tokens"] == 20


def test_parallel_calls_that_interleave_are_kept_apart() -> None:
    """Trap 6: pieces of two calls and a text in between, one open block at a time, nothing lost."""
    chunks = [
        call(0, '{"a":"', call_id="one", name="f"),
        call(1, '{"b":', call_id="two", name="g"),
        call(0, 'x{\\"'),
        chunk(content="meanwhile"),
        call(1, "[1,"),
        call(0, '\\\\"}'),
        call(1, "2]}"),
    ]
    assert content_of(*chunks) == [
        {"type": "tool_use", "id": "one", "name": "f", "input": {"a": 'x{"\\'}},
        {"type": "tool_use", "id": "two", "name": "g", "input": {"b": [1, 2]}},
        {"type": "text", "text": "meanwhile"},
    ]


def test_calls_one_after_another_do_not_wait() -> None:
    """A call is closed by the next one as soon as its arguments are whole; fragments go on at once."""
    stream = MessagesSurface().stream(request={"model": "alias"})
    stream.write(call(0, '{"a":', call_id="one", name="f"))
    assert b'"partial_json":"1}"' in stream.write(call(0, "1}"))
    next_call = stream.write(call(1, "{", call_id="two", name="g"))
    assert b"content_block_stop" in next_call
    assert b'"partial_json":"{"' in next_call


def test_thoughts_of_others_have_no_signature() -> None:
    """Trap 7: the member is there, since types require it, and empty, so that it can be told and taken out again."""
    assert content_of(chunk(reasoning_content="x"))[0]["signature"] == ""


def test_a_call_without_arguments_has_an_empty_input() -> None:
    """No delta is sent for it; the block's own `{}` stands."""
    assert content_of(call(0, "", call_id="a", name="f"), chunk("tool_calls")) == [
        {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    ]


def test_calls_under_one_index_are_told_by_their_ids() -> None:
    """Some providers give every parallel call the index 0."""
    assert [
        block["id"]
        for block in content_of(
            call(0, "{}", call_id="one", name="f"), call(0, '{"x":1}', call_id="two", name="g")
        )
    ] == ["one", "two"]


def test_an_id_that_is_repeated_or_late_begins_no_call() -> None:
    """Others repeat the id on every piece, or say the name once the call has begun."""
    assert content_of(
        call(0, '{"a"', call_id="one"), call(0, ":", call_id="one", name="f"), call(0, "1}", call_id="one")
    ) == [{"type": "tool_use", "id": "one", "name": "f", "input": {"a": 1}}]


def test_calls_without_an_index_are_told_by_their_ids() -> None:
    """A piece without id and index goes to the latest call."""
    assert content_of(
        call(None, '{"a":', call_id="one", name="f"),
        call(None, "1}"),
        call(None, "{}", call_id="two", name="g"),
    ) == [
        {"type": "tool_use", "id": "one", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "two", "name": "g", "input": {}},
    ]


def test_a_call_without_an_id_gets_one() -> None:
    """It is made of the answer's id, so that no two answers of a conversation share it."""
    assert content_of(call(0, "{}", name="f"), call(1, "{}", name="g")) == [
        {"type": "tool_use", "id": "toolu_1_0", "name": "f", "input": {}},
        {"type": "tool_use", "id": "toolu_1_1", "name": "g", "input": {}},
    ]


def test_the_call_of_the_older_member_is_a_call() -> None:
    """`function_call`, which had one call and no id."""
    chunks = [
        chunk(function_call={"name": "f", "arguments": '{"a"'}),
        chunk(function_call={"arguments": ":1}"}),
    ]
    assert content_of(*chunks)[0]["input"] == {"a": 1}


def test_what_follows_whole_arguments_is_dropped() -> None:
    """It is no part of the object, and parsers differ in what they make of it."""
    stream = written(call(0, '{"a":1}', call_id="a", name="f"), call(0, '{"b":2}'))
    deltas = [event["delta"] for event in events_of(stream) if event["type"] == "content_block_delta"]
    assert deltas == [{"type": "input_json_delta", "partial_json": '{"a":1}'}]


def test_content_in_parts_is_read_part_by_part() -> None:
    """Mistral's reasoning models send thoughts and texts in lists."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "Yes"},
    ]
    assert content_of(chunk(content=parts)) == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "Yes"},
    ]


def test_only_the_first_choice_is_shown() -> None:
    """This dialect has one answer."""
    other = {"id": "x", "choices": [{"index": 1, "delta": {"content": "no"}}]}
    assert content_of(chunk(content="yes"), other) == [{"type": "text", "text": "yes"}]


def test_an_answer_without_content_is_an_answer() -> None:
    """Start and end, no block; the same if no chunk came at all."""
    assert content_of(chunk("stop")) == []
    assert content_of() == []


def test_an_error_inside_the_stream_raises_in_the_sdk() -> None:
    """It has the name and the type that the SDK's exceptions are made of."""
    stream = MessagesSurface().stream(request={"model": "alias"})
    begun = stream.write(chunk(content="x"))
    with pytest.raises(anthropic.APIStatusError) as raised:
        accumulated(begun + stream.error("upstream_error", "It broke off."))
    assert raised.value.body == {"type": "error", "error": {"type": "api_error", "message": "It broke off."}}


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WORD = st.sampled_from(["", "f", '{"a":', "1}", "{}", '"', "\\", "]"])
CALL = st.fixed_dictionaries(
    {},
    optional={
        "index": st.sampled_from([0, 1, 2]) | ODD,
        "id": st.sampled_from(["a", "b"]) | ODD,
        "function": st.fixed_dictionaries({}, optional={"name": WORD | ODD, "arguments": WORD | ODD}) | ODD,
    },
)
DELTA = st.fixed_dictionaries(
    {},
    optional={
        "content": WORD | ODD,
        "reasoning_content": WORD | ODD,
        "refusal": ODD,
        "tool_calls": st.lists(CALL, max_size=3) | ODD,
        "function_call": ODD,
    },
)
CHUNK = st.fixed_dictionaries(
    {},
    optional={
        "id": ODD,
        "usage": ODD | st.dictionaries(st.sampled_from(list(USAGE)), ODD),
        "choices": st.lists(
            st.fixed_dictionaries({}, optional={"index": ODD, "delta": DELTA | ODD, "finish_reason": ODD})
        )
        | ODD,
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CHUNK, max_size=8))
def test_no_chunk_however_odd_breaks_the_sequence(chunks: list[dict[str, Any]]) -> None:
    """Nothing raises, and what comes out is a valid stream in order."""
    events = events_of(written(*chunks))
    assert_in_order(events)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_interleaving_of_calls_loses_a_piece(data: st.DataObject) -> None:
    """Three calls cut at any places and dealt in any order that keeps each one's own: the same calls come out."""
    inputs = [{"k": data.draw(st.text(max_size=6)), "n": [index]} for index in range(3)]
    waiting: list[list[dict[str, Any]]] = []
    for index, value in enumerate(inputs):
        text = json.dumps(value)
        cut = data.draw(st.integers(0, len(text)))
        waiting.append(
            [
                call(index, text[:cut], call_id=f"id{index}", name="f"),
                *(call(index, letter) for letter in text[cut:]),
            ]
        )
    chunks = []
    while any(waiting):
        chunks.append(data.draw(st.sampled_from([pieces for pieces in waiting if pieces])).pop(0))
    stream = written(*chunks)
    events = events_of(stream)
    assert_in_order(events)
    got: dict[str, str] = {}
    for event in events:
        if event["type"] == "content_block_start":
            current = event["content_block"]["id"]
            got[current] = ""
        elif event["type"] == "content_block_delta":
            got[current] += event["delta"]["partial_json"]
    assert {name: json.loads(text) for name, text in got.items()} == {
        f"id{index}": value for index, value in enumerate(inputs)
    }
