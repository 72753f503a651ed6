"""Streams as bytes: pieces, line ends, what is no stream, and what is too long."""

import pytest

from application.dialects.anthropic.upstream.dialect import AnthropicUpstream
from application.dialects.anthropic.upstream.events import EventReader
from tests.application.dialects.anthropic.upstream.replay import (
    START,
    STOP,
    Replayed,
    begin,
    end,
    replay,
    text,
    wire,
)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_line_end_of_the_standard(newline: str) -> None:
    """One byte at a time."""
    whole = wire(START, *text(0, "é\U0001f600"), end(), STOP, newline=newline)
    answer = Replayed([bytes([byte]) for byte in whole])
    assert answer.message["content"] == "é\U0001f600"
    assert answer.end.complete


def test_comments_pings_blanks_and_the_other_dialects_last_word_say_nothing() -> None:
    """They come from providers and from what lies between."""
    whole = b": hello\n\nevent: ping\ndata: {}\n\n" + wire(
        START, {"type": "vendor_event"}, *text(0, "A"), end()
    )
    answer = Replayed([b"\xef\xbb\xbf\n" + whole + b"data:\n\ndata: [DONE]\n\n"])
    assert answer.message["content"] == "A"
    assert answer.end.complete


def test_an_event_without_its_name_is_known_by_its_type() -> None:
    """And one without its type by its name."""
    named = wire(START, *text(0, "A"), end(), STOP)
    assert Replayed([named.replace(b"event: ", b": ")]).message["content"] == "A"
    last = b"event: message_stop\ndata: {}\n\n"
    assert Replayed([wire(START, *text(0, "A")), last]).end.complete


@pytest.mark.parametrize("document", [b'{"type":"error","error":{"type":"api_error"}}', b"<html>", b"[1]"])
def test_a_document_instead_of_a_stream_is_a_fault(document: bytes) -> None:
    """Its beginning is kept for whoever classifies it, in whatever pieces it came."""
    answer = Replayed([bytes([byte]) for byte in document])
    assert (answer.stream.fault, answer.stream.error_body, answer.stream.chunks) == ("not_sse", document, 0)


def test_garbage_is_a_fault() -> None:
    """An event that is no object."""
    assert Replayed([wire(START, *text(0, "A")), b"data: nonsense\n\n"]).end.fault == "garbage"
    assert Replayed([wire(START), b"data: [1]\n\n"]).end.fault == "garbage"


def test_an_event_without_an_end_is_a_fault() -> None:
    """Before it fills the memory."""
    stream = AnthropicUpstream().stream(alias="a", created_s=1)
    stream.feed(wire(START))
    for _ in range(20):
        stream.feed(b"data: " + b"x" * 65_536)
    assert stream.fault == "event_too_long"
    assert stream.finish().chunks == []


def test_a_stream_without_an_end_is_a_fault() -> None:
    """As is one whose events are all small."""
    reader = EventReader(stream_bytes_max=100)
    assert len(reader.feed(wire(STOP))) == 1
    assert reader.feed(wire(START)) == []
    assert reader.fault == "stream_too_long"
    assert reader.feed(wire(STOP)) == []
    assert reader.finish() is None


def test_of_a_document_no_more_is_kept_than_is_read() -> None:
    """However long it is."""
    answer = Replayed([b'{"error":"' + b"x" * 10_000, b"x" * 10_000, b"x" * 10_000])
    assert len(answer.stream.error_body) == 16 * 1024


def test_blocks_that_are_never_closed_are_a_fault() -> None:
    """One is open at a time; some hundred are an attack."""
    answer = replay(START, *(begin(index, "text") for index in range(200)), end(), STOP)
    assert answer.end.fault == "garbage"


def test_the_text_of_a_long_stream_is_not_kept() -> None:
    """Its length is."""
    answer = replay(START, *text(0, *["x" * 1_000] * 1_000), end(), STOP)
    spoken = answer.stream.spoken()
    assert spoken.chars_total == 1_000_000
    assert len(spoken.text) < 100_000
