"""Cuts what an upstream sends in any pieces into whole server-sent events; the bytes of each stay as they came."""

from typing import Final, Literal

from application.wire.sse import BYTE_ORDER_MARK, end_of_event

_OTHER_DOCUMENTS: Final = (b"{", b"[", b"<")
_BLANKS_MAX: Final = 64
_END_BYTES_MAX: Final = 4
_STRAY_BYTES_MAX: Final = 16 * 1024


class EventSplitter:
    """Memory: the event that is not whole, up to `event_bytes_max`, or the beginning of what is no stream."""

    def __init__(self, *, event_bytes_max: int) -> None:
        self.fault: Literal["not_sse", "event_too_long"] | None = None
        self.stray = b""  #: the start of a document that is no stream
        self._event_bytes_max = event_bytes_max
        self._pending = bytearray()
        self._begun = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that this piece makes whole. After a fault there are none."""
        if self.fault is not None:
            if self.fault == "not_sse":
                self.stray += piece[: _STRAY_BYTES_MAX - len(self.stray)]
            return []
        if self._begun and not self._pending and self._is_one_event(piece):
            return [piece]
        start = max(len(self._pending) - _END_BYTES_MAX + 1, 0)  # only new bytes can end an event
        self._pending += piece
        if not self._begun:
            if not self._begin():
                return []
            start = 0
        return self._whole(start)

    def rest(self) -> bytes:
        """What was left when the upstream closed."""
        return bytes(self._pending)

    def _begin(self) -> bool:
        """Take a byte order mark and blanks off the front; false while nothing else has come."""
        start = bytes(self._pending[:_BLANKS_MAX]).removeprefix(BYTE_ORDER_MARK).lstrip()
        if len(self._pending) < _BLANKS_MAX and BYTE_ORDER_MARK.startswith(start):
            return False
        self._begun = True
        self._pending = bytearray(bytes(self._pending).removeprefix(BYTE_ORDER_MARK).lstrip())
        if start.startswith(_OTHER_DOCUMENTS):
            self.fault = "not_sse"
            self.stray = bytes(self._pending[:_STRAY_BYTES_MAX])
            self._pending.clear()
            return False
        return True

    def _whole(self, start: int) -> list[bytes]:
        events: list[bytes] = []
        begin = 0
        pending = self._pending
        while (end := end_of_event(pending, max(start, begin))) >= 0:
            if end - begin > self._event_bytes_max:
                break
            events.append(bytes(pending[begin:end]))
            begin = end
        del pending[:begin]
        if len(pending) > self._event_bytes_max:
            self.fault = "event_too_long"
            pending.clear()
        return events

    def _is_one_event(self, piece: bytes) -> bool:
        """A piece as most are: one event with plain line ends."""
        size = len(piece)
        return piece.find(b"\n\n") == size - 2 and b"\r" not in piece and 2 < size <= self._event_bytes_max  # noqa: PLR2004  its end
