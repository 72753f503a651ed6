"""Server-sent events as bytes: where one ends, and what its lines say.

Line ends are LF, CRLF or CR, as the standard has them; an event ends with an empty line.
"""

import re
from typing import Final

import msgspec

_LINE_END: Final = rb"(?>\r\n|\n|\r)"
_EVENT_END: Final = re.compile(_LINE_END + _LINE_END)
_LINE: Final = re.compile(_LINE_END)
_LINE_ENDS: Final = b"\r\n"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class SseEvent(msgspec.Struct, gc=False):
    """One event, taken apart. `safe` has the lines that may go to a client, without those of data."""

    data: bytes | None  #: the data lines joined; `None` if there was none
    name: bytes  #: of the `event:` line, or empty
    safe: list[bytes]
    newline: bytes
    altered: bool  #: lines were left out of `safe`, so the event cannot pass as it came


def end_of_event(buffer: bytes | bytearray, start: int) -> int:
    """The index after the first event that ends at or after `start`, or -1.

    An end on a CR that is the last byte waits for the next one, which may be the LF that belongs to it.
    """
    match = _EVENT_END.search(buffer, start)
    if match is None or (match.end() == len(buffer) and buffer[-1] == _LINE_ENDS[0]):
        return -1
    return match.end()


def take_apart(event: bytes) -> SseEvent:
    """Read the lines of an event.

    `id` and `retry` lines make a strict client fail on a later comment: they go, with every line that is none of a stream
    and with names and comments that may be no UTF-8.
    """
    body = event.lstrip(_LINE_ENDS)
    data: list[bytes] = []
    name = b""
    safe: list[bytes] = []
    altered = len(body) < len(event)
    end = _LINE.search(body)
    for line in _LINE.split(body):
        field, _, value = line.partition(b":")
        if not line:
            continue
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field in (b"", b"event") and line.isascii():  # a comment starts with the colon
            name = value.removeprefix(b" ") if field else name
            safe.append(line)
        else:
            altered = True
    return SseEvent(
        data=b"\n".join(data) if data else None,
        name=name,
        safe=safe,
        newline=end.group() if end else b"\n",
        altered=altered,
    )


def put_together(event: SseEvent, data: bytes | None) -> bytes:
    """The bytes of an event with these safe lines and one line of data."""
    lines = list(event.safe)
    if data is not None:
        lines.extend(b"data: " + line for line in data.split(b"\n"))
    return event.newline.join(lines) + event.newline + event.newline
