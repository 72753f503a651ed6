"""Cuts a stream of Gemini's into the responses in it: server-sent events, or one JSON array if `alt=sse` was ignored.

Faults are those of `application.wire.relay`, found wherever the pieces are cut. Memory is one unfinished event. It may be
large: a picture comes in one event (recorded: 2 MB, its signature 3 MB more).
"""

import re
from typing import Final

from application.wire.chunk_meter import ERROR_BYTES_MAX
from application.wire.relay import STREAM_BYTES_MAX, Fault
from application.wire.sse import BYTE_ORDER_MARK, end_of_event, take_apart

EVENT_BYTES_MAX: Final = 16 * 1024 * 1024
_DONE: Final = b"[DONE]"
_DATA: Final = b"data: {"
_EVENT_ENDS: Final = (b"\r\n\r\n", b"\n\n")
_LINES: Final = 2  #: of such an event, the empty one among them
_OTHER_DOCUMENTS: Final = (b"{", b"<")
_OUTSIDE: Final = re.compile(rb'["{}\[\]]')
_INSIDE: Final = re.compile(rb'["\\]')
_BETWEEN: Final = re.compile(rb"[ \t\r\n,]*")


class Frames:
    """Cuts one stream; after a `fault` or the end nothing more comes out of it."""

    def __init__(
        self, *, event_bytes_max: int = EVENT_BYTES_MAX, stream_bytes_max: int = STREAM_BYTES_MAX
    ) -> None:
        self.done = False
        self.fault: Fault | None = None
        self.error_body = b""  #: an `error` event, or the start of a document that is no stream
        self.received_bytes = 0
        self._event_bytes_max = event_bytes_max
        self._stream_bytes_max = stream_bytes_max
        self._pending = bytearray()
        self._begun = False
        self._array: _Elements | None = None

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes; the payloads that they complete. Never raises."""
        self.received_bytes += len(piece)
        if self.fault == "not_sse":
            self.error_body += piece[: ERROR_BYTES_MAX - len(self.error_body)]
        if self.fault is not None or self.done:
            return []
        if self.received_bytes > self._stream_bytes_max:
            self._fail("stream_too_long")
            return []
        if not self._begun:
            self._pending += piece
            return self._start()
        return self._next(piece)

    def close(self) -> list[bytes]:
        """The stream ended: the payload of an event that only lacks its empty line."""
        last, self._pending = bytes(self._pending), bytearray()
        if self.fault is not None or self.done or self._array is not None or not last.strip():
            return []
        payload = self._payload(last)
        return [] if payload is None else [payload]

    def _fail(self, fault: Fault) -> None:
        self.fault = fault
        self._pending.clear()

    def _start(self) -> list[bytes]:
        """Look at what comes first, once it is more than blanks and a part of a byte order mark."""
        whole = _bare(bytes(self._pending))
        self._pending = bytearray(whole)
        if BYTE_ORDER_MARK.startswith(whole):
            return []
        self._pending.clear()
        self._begun = True
        if whole.startswith(_OTHER_DOCUMENTS):
            self._fail("not_sse")
            self.error_body = whole[:ERROR_BYTES_MAX]
            return []
        if whole.startswith(b"["):
            self._array = _Elements(self._event_bytes_max)
            whole = whole[1:]
        return self._next(whole)

    def _next(self, piece: bytes) -> list[bytes]:
        if self._array is not None:
            payloads = self._array.feed(piece)
            self.done, self.fault = self._array.done, self._array.fault
            return payloads
        return self._events(piece)

    def _events(self, piece: bytes) -> list[bytes]:
        """Looks at new bytes only, however slow they drip."""
        if not self._pending and len(piece) <= self._event_bytes_max:
            plain = _plain(piece)
            if plain is not None:
                return [plain]
        payloads: list[bytes] = []
        look_at = max(len(self._pending) - 3, 0)
        self._pending += piece
        start = 0
        while self.fault is None and not self.done:
            end = end_of_event(self._pending, look_at)
            size = (len(self._pending) if end < 0 else end) - start
            if size > self._event_bytes_max:
                self._fail("event_too_long")
                return payloads
            if end < 0:
                break
            payload = self._payload(bytes(self._pending[start:end]))
            if payload is not None:
                payloads.append(payload)
            start = look_at = end
        del self._pending[:start]
        return payloads

    def _payload(self, event: bytes) -> bytes | None:
        parts = take_apart(event)
        if parts.data is None or not parts.data.strip() or parts.name == b"ping":
            return None
        if parts.data.startswith(_DONE):
            self.done = True
            return None
        if parts.name == b"error":
            self._fail("error_event")
            self.error_body = parts.data[:ERROR_BYTES_MAX]
            return None
        return parts.data


def _plain(piece: bytes) -> bytes | None:
    """The payload of a piece that is one event of one line, as nearly all are: found at the speed of a byte search."""
    if not piece.startswith(_DATA):
        return None
    end = next((end for end in _EVENT_ENDS if piece.endswith(end)), b"")
    if not end or piece.count(b"\n") != _LINES or piece.count(b"\r") != end.count(b"\r"):
        return None
    return piece[len(_DATA) - 1 : -len(end)]


def _bare(start: bytes) -> bytes:
    """`start` without the blanks and byte order marks before it, however many."""
    while (stripped := start.lstrip().removeprefix(BYTE_ORDER_MARK)) != start:
        start = stripped
    return start


class _Elements:
    """Cuts the inside of one JSON array into the objects in it."""

    def __init__(self, element_bytes_max: int) -> None:
        self.done = False
        self.fault: Fault | None = None
        self._bytes_max = element_bytes_max
        self._element = bytearray()
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def feed(self, piece: bytes) -> list[bytes]:
        elements: list[bytes] = []
        at = 0
        while at < len(piece) and self.fault is None and not self.done:
            at = self._inside(piece, at, elements) if self._depth else self._between(piece, at)
        return elements

    def _between(self, piece: bytes, at: int) -> int:
        found = _BETWEEN.match(piece, at)
        at = found.end() if found else at
        mark = piece[at : at + 1]
        if mark == b"]":
            self.done = True
        elif mark == b"{":
            self._element += mark
            self._depth = 1
        elif mark:
            self.fault = "garbage"
        return at + 1

    def _inside(self, piece: bytes, at: int, elements: list[bytes]) -> int:
        """Read on to the next byte that means something, and take it."""
        if self._escaped:
            self._escaped = False
            return self._take(piece, at, at + 1)
        found = (_INSIDE if self._quoted else _OUTSIDE).search(piece, at)
        if found is None:
            return self._take(piece, at, len(piece))
        at = self._take(piece, at, found.end())
        mark = found.group()
        if mark == b'"':
            self._quoted = not self._quoted
        elif mark == b"\\":
            self._escaped = True
        else:
            self._depth += 1 if mark in b"{[" else -1
            if self._depth == 0 and self.fault is None:
                elements.append(bytes(self._element))
                self._element.clear()
        return at

    def _take(self, piece: bytes, start: int, end: int) -> int:
        self._element += piece[start:end]
        if len(self._element) > self._bytes_max:
            self.fault = "event_too_long"
            self._element.clear()
        return end
