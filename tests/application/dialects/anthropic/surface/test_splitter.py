"""Cutting a stream into events."""

from application.dialects.anthropic.surface.splitter import EventSplitter


def test_events_are_whole_and_keep_their_bytes() -> None:
    """Whatever their line ends are; what is not whole is the rest."""
    splitter = EventSplitter(event_bytes_max=100)
    assert splitter.feed(b"\xef\xbb\xbf\n data: a\r\n") == []
    assert splitter.feed(b"\r\nevent: x\ndata: b\n\nda") == [b"data: a\r\n\r\n", b"event: x\ndata: b\n\n"]
    assert splitter.rest() == b"da"


def test_blanks_before_a_stream_do_not_hide_its_first_event() -> None:
    """A provider that queues a request sends some for a while."""
    splitter = EventSplitter(event_bytes_max=100)
    assert splitter.feed(b"\n" * 40) == []
    assert splitter.feed(b"data: 1\n\n") == [b"data: 1\n\n"]


def test_after_a_fault_there_are_no_events() -> None:
    """Also where the rest looks like one."""
    splitter = EventSplitter(event_bytes_max=10)
    assert splitter.feed(b"data: 1\n\ndata: 123456") == [b"data: 1\n\n"]
    assert splitter.fault == "event_too_long"
    assert splitter.feed(b"\n\ndata: 2\n\n") == []
    assert splitter.rest() == b""


def test_what_is_no_stream_is_kept_in_bounds() -> None:
    """Its beginning is enough to classify it."""
    splitter = EventSplitter(event_bytes_max=10)
    assert splitter.feed(b'{"error":' + b"x" * 20_000) == []
    assert splitter.feed(b"more") == []
    assert (splitter.fault, len(splitter.stray)) == ("not_sse", 16 * 1024)
