"""Passes a stream of typed events on: those of responses, images, speech and transcriptions.

As `application.wire.relay`, for streams whose events say in `type` what they are and of which one type, or one of a few,
is the last. Bytes pass unchanged but for what an `EventReader` rewrites and for what kills SDKs: `id` and `retry` lines
and events without data. The start is withheld until something was generated: a provider that is out of money or
overloaded says so right after it, when another may still be asked. The last event is withheld until `finish`; what
follows it (`[DONE]` of some) is left out. After a fault nothing passes any more, but the rest is read, since a failure
may still tell its usage.

Memory is constant: one unfinished event, the withheld start (`event_bytes_max`), the last event, and what the reader
keeps.
"""

from typing import Final, Protocol

from application.wire.chunk import as_utf8, loose_object
from application.wire.chunk_meter import ERROR_BYTES_MAX
from application.wire.relay import STREAM_BYTES_MAX, Fault, Tail
from application.wire.spoken import SpokenText
from application.wire.sse import BYTE_ORDER_MARK, end_of_event, put_together, take_apart

EVENT_BYTES_MAX: Final = 32 * 1024 * 1024
"""An event may hold a picture, or the whole answer once more."""
_START_BYTES: Final = 64
_OTHER_DOCUMENTS: Final = (b"{", b"[", b"<")
_DONE: Final = b"[DONE]"
_END_BYTES: Final = 3
"""How far back the end of an event may have begun."""


class EventReader(Protocol):
    """What one endpoint makes of the events of one stream."""

    chunks: int  #: 0 while nothing was generated
    ended: bool  #: the last event of the stream was read
    fault: Fault | None
    error_body: bytes
    usage_raw: bytes | None

    def read(self, payload: bytes, *, name: bytes) -> bytes:
        """Meter the data of one event; returns what may go on. Never raises. `name` is that of its `event:` line."""
        ...

    def spoken(self) -> SpokenText: ...


class EventRelay:
    """A `Relay` of the port, by one reader."""

    def __init__(
        self,
        events: EventReader,
        *,
        event_bytes_max: int = EVENT_BYTES_MAX,
        stream_bytes_max: int = STREAM_BYTES_MAX,
    ) -> None:
        self.received_bytes = 0
        self._events = events
        self._event_bytes_max = event_bytes_max
        self._stream_bytes_max = stream_bytes_max
        self._pending = bytearray()
        self._searched = 0  # of what is pending: no event ends before
        self._begun = False
        self._front = (
            bytearray()
        )  # withheld until something follows it; in one piece, however small the events
        self._held = b""
        self._fault: Fault | None = None
        self._stray = b""

    @property
    def done(self) -> bool:
        """The last event came."""
        return self._events.ended

    @property
    def fault(self) -> Fault | None:
        return self._events.fault or self._fault

    @property
    def error_body(self) -> bytes:
        return self._events.error_body or self._stray

    @property
    def usage_raw(self) -> bytes | None:
        return self._events.usage_raw

    @property
    def chunks(self) -> int:
        return self._events.chunks

    def spoken(self) -> SpokenText:
        return self._events.spoken()

    def feed(self, piece: bytes) -> bytes:
        self.received_bytes += len(piece)
        if self._fault == "not_sse":
            self._stray += piece[: ERROR_BYTES_MAX - len(self._stray)]
        if self._fault is not None or self._events.ended:
            return b""
        self._pending += piece
        if not self._begun and not self._begin():
            return b""
        forward = self._whole_events()
        if len(self._pending) > self._event_bytes_max:
            self._fail("event_too_long")
        elif self.received_bytes > self._stream_bytes_max:
            self._fail("stream_too_long")
        return forward

    def finish(self) -> Tail:
        """The upstream closed. Call it once, last."""
        forward = b""
        if self._pending and self._fault is None and not self._events.ended:
            last, self._pending = bytes(self._pending).removeprefix(BYTE_ORDER_MARK), bytearray()
            parts = take_apart(last)
            if (
                parts.data is not None and loose_object(parts.data) is not None
            ):  # it only lacks its empty line
                forward = self._event(last.rstrip(b"\r\n") + parts.newline + parts.newline)
        if self.fault is None and not self._events.ended:
            self._fail("truncated")
        if self.fault is not None:
            return Tail(forward, complete=False, fault=self.fault)
        return Tail(forward + self._held, complete=True, fault=None)

    def _begin(self) -> bool:
        """Whether enough came to tell a stream of events from another document."""
        start = bytes(self._pending[:_START_BYTES]).removeprefix(BYTE_ORDER_MARK).lstrip()
        if len(start) < len(BYTE_ORDER_MARK) and len(self._pending) < _START_BYTES:
            return False
        if self._pending.startswith(BYTE_ORDER_MARK):
            del self._pending[: len(BYTE_ORDER_MARK)]
        self._begun = True
        if start.startswith(_OTHER_DOCUMENTS):
            stray = bytes(self._pending[:ERROR_BYTES_MAX])
            self._fail("not_sse")
            self._stray = stray
            return False
        return True

    def _whole_events(self) -> bytes:
        forward: list[bytes] = []
        start = 0
        while not self._events.ended:
            end = end_of_event(self._pending, max(start, self._searched))
            if end < 0:
                break
            forward.append(self._event(bytes(self._pending[start:end])))
            start = end
        del self._pending[:start]
        self._searched = max(len(self._pending) - _END_BYTES, 0)
        return b"".join(forward)

    def _event(self, event: bytes) -> bytes:
        """Read one event; returns what of it may go on now."""
        parts = take_apart(event)
        if parts.data is None or not parts.data.strip():
            if self.fault is not None or parts.name or parts.data is not None or not parts.safe:
                return b""
            return self._passed(put_together(parts, None) if parts.altered else event)
        if parts.data.startswith(_DONE):  # before the last event: not an end
            return b""
        data = as_utf8(parts.data)
        passed = self._events.read(data, name=parts.name)
        if self.fault is not None:
            return b""
        if passed is not parts.data or parts.altered:
            event = put_together(parts, passed)
        event = self._passed(event)
        if self._events.ended:
            self._held = event
            return b""
        return event

    def _passed(self, event: bytes) -> bytes:
        """The event with the start before it, once there is something to start."""
        if self._events.chunks:
            if self._front:
                event = bytes(self._front) + event
                self._front.clear()
            return event
        self._front += event
        if len(self._front) > self._event_bytes_max:
            self._fail("event_too_long")
            self._front.clear()
        return b""

    def _fail(self, fault: Fault) -> None:
        self._fault = fault
        self._pending.clear()
