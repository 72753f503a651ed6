"""Cuts a provider's stream into events, whatever pieces it comes in. Memory is bounded by one unfinished event.

It reads as `application.wire.relay` does: a byte order mark and blanks may come first, an answer that is a document and no
stream is told apart, and an event that only lacks its empty line at the end counts.
"""

from typing import Final

from application.wire.chunk import loose_object
from application.wire.relay import EVENT_BYTES_MAX, STREAM_BYTES_MAX, Fault
from application.wire.sse import BYTE_ORDER_MARK, SseEvent, end_of_event, take_apart

STRAY_BYTES_MAX: Final = 16 * 1024
_OTHER_DOCUMENTS: Final = (b"{", b"[", b"<")
_BLANKS_MAX: Final = 64


def _event(event: bytes) -> SseEvent:
    """The event; one of a name and one line of data, as nearly all are, at a third of what any other costs."""
    name, _, rest = event.partition(b"\n")
    if (
        name.startswith(b"event: ")
        and rest.startswith(b"data: ")
        and rest.find(b"\n") == len(rest) - 2
        and name.isascii()
        and b"\r" not in event
    ):
        return SseEvent(data=rest[6:-2], name=name[7:], safe=[], newline=b"\n", altered=False)
    return take_apart(event)


class EventReader:
    """Feed it pieces; it gives events in order. After a fault it gives none."""

    def __init__(
        self, *, event_bytes_max: int = EVENT_BYTES_MAX, stream_bytes_max: int = STREAM_BYTES_MAX
    ) -> None:
        self.fault: Fault | None = None
        self.stray = b""  #: the start of a document that is no stream
        self._event_bytes_max = event_bytes_max
        self._stream_bytes_max = stream_bytes_max
        self._received_bytes = 0
        self._begun = False
        self._pending = bytearray()
        self._look_at = 0  # nothing before it in what is pending ends an event

    def feed(self, piece: bytes) -> list[SseEvent]:
        if self.fault is not None:
            if self.fault == "not_sse":
                self.stray += piece[: STRAY_BYTES_MAX - len(self.stray)]
            return []
        self._received_bytes += len(piece)
        self._pending += piece
        if self._received_bytes > self._stream_bytes_max:
            self._fail("stream_too_long")
        elif not self._begun:
            self._begin()
        return self._events() if self._begun and self.fault is None else []

    def finish(self) -> SseEvent | None:
        """The stream closed: what was left, if it is a whole event but for its empty line."""
        last, self._pending = take_apart(bytes(self._pending)), bytearray()
        if self.fault is not None or last.data is None or loose_object(last.data) is None:
            return None
        return last

    def _begin(self) -> None:
        """See what the first bytes are, once they are more than blanks and a part of a mark."""
        start = bytes(self._pending[:_BLANKS_MAX]).removeprefix(BYTE_ORDER_MARK).lstrip()
        if len(self._pending) < _BLANKS_MAX and BYTE_ORDER_MARK.startswith(start):
            return
        whole = bytes(self._pending).removeprefix(BYTE_ORDER_MARK).lstrip()
        self._begun = True
        if start.startswith(_OTHER_DOCUMENTS):
            self._fail("not_sse")
            self.stray = whole[:STRAY_BYTES_MAX]
        else:
            self._pending = bytearray(whole)

    def _events(self) -> list[SseEvent]:
        pending = self._pending
        events: list[SseEvent] = []
        start = 0
        while (end := end_of_event(pending, max(start, self._look_at))) >= 0:
            events.append(_event(bytes(pending[start:end])))
            start, self._look_at = end, 0
        if start:
            del pending[:start]
        self._look_at = max(len(pending) - 3, 0)
        if len(pending) > self._event_bytes_max:
            self._fail("event_too_long")
        return events

    def _fail(self, fault: Fault) -> None:
        self.fault = fault
        self._pending.clear()
