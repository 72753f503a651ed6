"""Streams in unusual forms: what other providers, proxies and bugs make of server-sent events."""

import json

import pytest

from sandbox.faults import events
from tests.sandbox.conftest import Running
from tests.sandbox.faults.provoke import TOKENS, Claim, as_good, begun, cases, provoke, served, whole
from tests.sandbox.rawclient import Answer

EVENTS = TOKENS + 4  #: role, content, finish, usage, [DONE]


def blocks(answer: Answer) -> list[bytes]:
    return answer.body.split(b"\n\n")[:-1]


def good_and(*counts: tuple[bytes, int]) -> Claim:
    """A stream whose data is right, and which holds each of the given bytes so many times."""

    def claim(answer: Answer) -> None:
        as_good(answer)
        assert [(needle, answer.body.count(needle)) for needle, _ in counts] == list(counts)

    return claim


def crlf(answer: Answer) -> None:
    as_good(answer)
    assert answer.body.count(b"\r\n") == answer.body.count(b"\n") == 2 * EVENTS


def no_space(answer: Answer) -> None:
    as_good(answer)
    assert b"data: " not in answer.body
    assert answer.body.startswith(b"data:{")


def ids(answer: Answer) -> None:
    as_good(answer)
    assert [block.split(b"\n")[0] for block in blocks(answer)] == [
        b"id: %d" % number for number in range(EVENTS)
    ]


def ids_and_comments(answer: Answer) -> None:
    as_good(answer)
    assert [block[:4] for block in blocks(answer)[::2]] == [b"id: "] * EVENTS
    assert blocks(answer)[1::2] == [b": keep-alive"] * EVENTS


def retry(answer: Answer) -> None:
    as_good(answer)
    assert blocks(answer)[0] == b"retry: 3000"


def empty_data(answer: Answer) -> None:
    assert answer.events[::2] == [""] * EVENTS
    assert answer.text == answer.good.text


def multiline(answer: Answer) -> None:
    texts = [
        b"".join(line.removeprefix(b"data: ") for line in block.split(b"\n")) for block in blocks(answer)
    ]
    assert all(block.count(b"data: ") == 2 for block in blocks(answer)[:-1])
    chunks = [json.loads(text) for text in texts[:-1]]
    content = [choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]]
    assert "".join(content) == answer.good.text


def byte_order_mark(answer: Answer) -> None:
    as_good(answer)
    assert answer.body.startswith(b"\xef\xbb\xbfdata: ")


def split(answer: Answer) -> None:
    whole(answer)
    assert answer.rest.count(b"\r\n7\r\n") >= len(answer.body) // 7 - 2
    assert answer.usages == answer.good.usages


def one_chunk(answer: Answer) -> None:
    whole(answer)
    assert int(answer.rest.partition(b"\r\n")[0], 16) == len(answer.body)


def no_last_blank_line(answer: Answer) -> None:
    assert answer.body.endswith(b"data: [DONE]")
    assert answer.text == answer.good.text


def suffix(answer: Answer) -> None:
    assert answer.events[-1] == "[DONE]x"
    assert answer.text == answer.good.text


def done_twice(answer: Answer) -> None:
    as_good(answer)
    assert answer.events[-2:] == ["[DONE]"] * 2


def after_done(answer: Answer) -> None:
    at = answer.events.index("[DONE]")
    assert at == EVENTS - 1
    assert len(answer.events[at + 1 :]) == 3
    assert answer.pieces == TOKENS + 3
    assert served(answer)["tokens_sent"] == TOKENS


def empty_choices(answer: Answer) -> None:
    assert answer.chunks[0]["choices"] == []
    assert (answer.chunks[0]["object"], answer.chunks[0]["model"]) == ("", "")
    as_good(answer)


def roles(answer: Answer) -> list[object]:
    return [choice["delta"].get("role") for chunk in answer.chunks for choice in chunk["choices"]]


def no_role(answer: Answer) -> None:
    as_good(answer)
    assert set(roles(answer)) == {None}


def role_everywhere(answer: Answer) -> None:
    as_good(answer)
    assert roles(answer) == ["assistant"] * (TOKENS + 2)


def empty_finish(answer: Answer) -> None:
    as_good(answer)
    assert answer.finishes == [""] * (TOKENS + 1) + ["stop"]


def no_finish(answer: Answer) -> None:
    assert set(answer.finishes) == {None}
    assert answer.text == answer.good.text
    assert answer.done


def unknown_finish(answer: Answer) -> None:
    assert answer.finishes[-1] == "eos"
    assert answer.done


def error_first(answer: Answer) -> None:
    (data,) = answer.events
    assert json.loads(data)["error"]["code"] == "server_error"
    assert served(answer)["usage"] is None


def error_mid_stream(*after: str, named: bool = False) -> Claim:
    def claim(answer: Answer) -> None:
        begun(answer, TOKENS // 2)
        at = TOKENS // 2 + 1
        assert json.loads(answer.events[at])["error"]["code"] == "server_error"
        assert tuple(answer.events[at + 1 :]) == after
        assert (b"event: error\n" in answer.body) is named

    return claim


def other_objects(answer: Answer) -> None:
    as_good(answer)
    assert answer.events[:3] == ['{"type":"ping"}', "7", "[]"]


CLAIMS: dict[str, Claim] = {
    "sse_comments": good_and(
        (b": keep-alive\n\n", EVENTS // 2), (b": OPENROUTER PROCESSING\n\n", EVENTS // 2)
    ),
    "sse_crlf": crlf,
    "sse_no_space": no_space,
    "sse_ids": ids,
    "sse_ids_and_comments": ids_and_comments,
    "sse_retry": retry,
    "sse_ping_events": good_and((b"event: ping\n\n", EVENTS)),
    "sse_empty_data": empty_data,
    "sse_event_names": good_and((b"event: chat.completion.chunk\ndata: ", EVENTS)),
    "sse_multiline_data": multiline,
    "sse_byte_order_mark": byte_order_mark,
    "sse_split_everywhere": split,
    "sse_all_in_one": one_chunk,
    "sse_no_last_blank_line": no_last_blank_line,
    "done_suffix": suffix,
    "done_twice": done_twice,
    "content_after_done": after_done,
    "empty_choices_first": empty_choices,
    "no_role_first": no_role,
    "role_everywhere": role_everywhere,
    "finish_empty_string": empty_finish,
    "finish_missing": no_finish,
    "finish_unknown": unknown_finish,
    "error_event_first": error_first,
    "error_event_mid_stream": error_mid_stream(),
    "error_event_named": error_mid_stream(named=True),
    "error_event_then_done": error_mid_stream("[DONE]"),
    "other_object_mid_stream": other_objects,
}


@pytest.mark.parametrize(("name", "kind"), cases(events.FAULTS))
def test_the_wire_shows_the_fault(shared: Running, name: str, kind: str) -> None:
    """A 200 stream, well framed to its end; only the events are what the name says."""
    answer = provoke(shared, name, kind)
    assert answer.status == 200
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert answer.ended
    CLAIMS[name](answer)
