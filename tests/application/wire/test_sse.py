"""Server-sent events as bytes: where one ends and what its lines say."""

import pytest

from application.wire.sse import SseEvent, end_of_event, put_together, take_apart


@pytest.mark.parametrize(
    ("buffer", "end"),
    [
        (b"data: a\n\nb", 9),
        (b"data: a\r\n\r\nb", 11),
        (b"data: a\r\rb", 9),
        (b"data: a\n\r\nb", 10),
        (b"data: a\r\n\nb", 10),
        (b"data: a\n\rb", 9),
        (b"data: a\r\nb: c\n", -1),
        (b"data: a\n", -1),
        (b"data: a\r\n\r", -1),
        (b"data: a\r\r", -1),
        (b"", -1),
    ],
)
def test_an_event_ends_with_an_empty_line(buffer: bytes, end: int) -> None:
    """LF, CRLF, CR and mixtures; a CR at the very end may still get its LF."""
    assert end_of_event(buffer, 0) == end
    assert end_of_event(bytearray(buffer), 0) == end


def test_the_search_starts_where_it_is_told_to() -> None:
    """So that bytes that were looked at are not looked at again."""
    assert end_of_event(b"a\n\nb\n\n", 3) == 6


def test_lines_are_taken_apart() -> None:
    """Data lines are joined, names and comments kept, identifiers and noise left out."""
    event = take_apart(b"\n: hi\r\nevent: e\r\nid: 1\r\ndata: a\r\ndata:b\r\nretry: 1\r\nnoise\r\n\r\n")
    assert event == SseEvent(
        data=b"a\nb", name=b"e", safe=[b": hi", b"event: e"], newline=b"\r\n", altered=True
    )


def test_an_event_of_safe_lines_is_not_altered() -> None:
    """It can pass as it came."""
    assert take_apart(b": hi\ndata: a\n\n") == SseEvent(
        data=b"a", name=b"", safe=[b": hi"], newline=b"\n", altered=False
    )
    assert take_apart(b"data: a").newline == b"\n"


def test_an_event_is_put_together_with_its_own_line_ends() -> None:
    """One line of data for each line of the payload."""
    event = SseEvent(data=None, name=b"", safe=[b": hi"], newline=b"\r\n", altered=True)
    assert put_together(event, b"a\nb") == b": hi\r\ndata: a\r\ndata: b\r\n\r\n"
    assert put_together(event, None) == b": hi\r\n\r\n"
