"""Passes an upstream's stream on to a client and meters it on the way: bytes in, bytes out, no I/O.

Owns what of a stream may reach a client, and when:

* Bytes pass unchanged but for: `usage` taken out if the client did not ask for it (a chunk that is nothing else is
  dropped), an upstream's own cost taken out of usage always, the mends of `quirks`, and what kills SDKs: `id` and
  `retry` lines, `ping` events and events without data. A missing `[DONE]` is added.
* The start is withheld until a choice was told of: comments and chunks without choices say nothing yet, and a provider
  that is overloaded often fails right after them, when another may still be asked.
* The end is withheld until `finish`: `[DONE]`, and from the chunk that finishes the last open choice on, always the latest
  event. So a caller can forward everything that `feed` returns and still owes the client its last bytes.
* An error inside the stream, bytes that are no events, a line or a stream without end: from then on nothing more
  passes, `fault` says why, and the finishing chunk, if it was withheld, is not sent either: SDKs take a stream with
  one for complete.

Memory is constant: the unfinished event and the withheld start (`event_bytes_max` each), one withheld event, and the
beginning of the text.
"""

from typing import Final, Literal

import msgspec

from application.wire.chunk import loose_object
from application.wire.chunk_meter import ERROR_BYTES_MAX, NULL_USAGE, ChunkMeter, without_null
from application.wire.errors import envelope
from application.wire.spoken import SpokenText
from application.wire.sse import BYTE_ORDER_MARK, SseEvent, end_of_event, put_together, take_apart

PING: Final = b": ping\n\n"
"""The only keep-alive that every SDK survives."""
EVENT_BYTES_MAX: Final = 1024 * 1024
STREAM_BYTES_MAX: Final = 256 * 1024 * 1024

Fault = Literal[
    "error_event", "not_sse", "garbage", "event_too_long", "stream_too_long", "too_slow", "truncated"
]

_DONE: Final = b"[DONE]"
_DONE_EVENT: Final = b"data: [DONE]\n\n"
_DATA: Final = b"data: {"
_LF: Final = 10
_OTHER_DOCUMENTS: Final = (b"{", b"[", b"<")
_BLANKS_MAX: Final = 64
_BEGINNING_BYTES: Final = 2 * 1024
_FOLD_BYTES: Final = 16 * 1024
"""So much of a stream is read before the pieces of its text are joined."""


class Tail(msgspec.Struct, frozen=True):
    """What a stream still owes its client. `complete`: it ended as an answer should; then `fault` is none.

    Send `data` once the charge is durable; if not `complete`, an `error_event` after it. `end_bytes` of it, the last,
    are the mark of the end: what is added to a complete stream goes before them.
    """

    data: bytes
    complete: bool
    fault: Fault | None
    end_bytes: int = 0
    service_tier: str | None = None  #: that answered, where `data` is not the upstream's and may not tell it

    @property
    def last_events(self) -> bytes:
        """`data` without the mark of the end."""
        return self.data[: len(self.data) - self.end_bytes]

    def with_event(self, event: bytes) -> bytes:
        """`data` with one more event before the mark of the end."""
        before = self.last_events
        return before + event + self.data[len(before) :]


def error_event(code: str, message: str, param: str | None = None) -> bytes:
    """The chunk that tells a client inside its stream that no more will come; SDKs raise on it."""
    return b"data: " + envelope(code, message, param) + b"\n\n"


class StreamMeter:
    """Meters one stream. Feed it what the upstream sends in any pieces, then `finish` it."""

    def __init__(
        self,
        *,
        usage_wanted: bool,
        event_bytes_max: int = EVENT_BYTES_MAX,
        stream_bytes_max: int = STREAM_BYTES_MAX,
    ) -> None:
        self.received_bytes = 0
        self.done = False  #: `[DONE]` came: nothing more will be read
        self.fault: Fault | None = None
        self._usage_wanted = usage_wanted
        self._beginning = b""
        self._chunks = ChunkMeter(usage_wanted=usage_wanted)
        self._read = self._chunks.read
        self._event_bytes_max = event_bytes_max
        self._stream_bytes_max = stream_bytes_max
        self._check_at = _FOLD_BYTES  # of `received_bytes`
        self._pending = bytearray()
        self._steady = False  # the stream has begun, and goes on
        self._begun = False  # and says something
        self._front = bytearray()  # withheld until it does
        self._held = b""
        self._end = b""  # `[DONE]`, as the upstream wrote it
        self._stray = b""  # the start of a document that is no stream

    @property
    def usage_raw(self) -> bytes | None:
        """The latest usage object, as the upstream wrote it."""
        return self._chunks.usage_raw

    @property
    def usage_shown(self) -> bool:
        """A usage object went on to the client, where clients look for it."""
        return self._chunks.usage_shown

    @property
    def beginning(self) -> bytes:
        """Some of the first bytes of the stream, if usage is wanted: they say whose stream it is."""
        return self._beginning

    @property
    def error_body(self) -> bytes:
        """What the upstream said instead of going on, to classify; never for clients. Grows while `feed` goes on."""
        return self._chunks.error_body or self._stray

    @property
    def chunks(self) -> int:
        """Chunks of the answer that were read."""
        return self._chunks.chunks

    def spoken(self) -> SpokenText:
        """The text of the answer so far, for a local count."""
        return self._chunks.spoken.text()

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the upstream; returns those that may go to the client now. Never raises."""
        size = len(piece)
        self.received_bytes += size
        if self.received_bytes > self._check_at:
            self._check()
        if not self._steady:
            return self._feed_unsteady(piece)
        if not self._begun:
            start = self._completed(piece) if self._pending else piece
            return b"" if start is None else self._begin(self._events(start))
        if self._pending:
            whole = self._completed(piece)
            return b"" if whole is None else self._events(whole)
        if piece.find(b"\n") == size - 2 and piece[-1] == _LF and piece.startswith(_DATA):
            return self._plain_event(piece)
        return self._events(piece)

    def finish(self) -> Tail:
        """The upstream closed its stream: what is left to send. Call it once, last."""
        forward = b""
        if self._pending and not self.done and self.fault is None:
            last, self._pending = bytes(self._pending), bytearray()
            forward = self._begin(self._last_event(last))
        if self.fault is None and not self.done and not self._chunks.finished:
            self._fail("truncated")
        if self.fault is not None:
            return Tail(forward, complete=False, fault=self.fault)
        end = self._end or _DONE_EVENT
        return Tail(forward + self._held + end, complete=True, fault=None, end_bytes=len(end))

    # --- pieces

    def _check(self) -> None:
        self._check_at = self.received_bytes + _FOLD_BYTES
        self._chunks.spoken.fold()
        if self.received_bytes > self._stream_bytes_max and self._steady:
            self._fail("stream_too_long")

    def _feed_unsteady(self, piece: bytes) -> bytes:
        """Bytes before the first of a stream, or after its end."""
        if self.fault == "not_sse":
            self._stray += piece[: ERROR_BYTES_MAX - len(self._stray)]
        if self.done or self.fault is not None:
            return b""
        self._pending += piece
        start = bytes(self._pending[:_BLANKS_MAX]).removeprefix(BYTE_ORDER_MARK).lstrip()
        if len(start) < len(BYTE_ORDER_MARK) and self._may_be_blank(start):
            return b""
        whole = bytes(self._pending).removeprefix(BYTE_ORDER_MARK).lstrip()
        self._pending.clear()
        self._steady = True
        if start.startswith(_OTHER_DOCUMENTS):
            self._fail("not_sse")
            self._stray = whole[:ERROR_BYTES_MAX]
            return b""
        if self._usage_wanted:
            self._beginning = whole[:_BEGINNING_BYTES]
        return self._begin(self._events(whole))

    def _begin(self, forward: bytes) -> bytes:
        """Withhold what says nothing, if nothing was said before it: who says so much of it will not answer."""
        if self._begun:
            return forward
        self._front += forward
        self._begun = self._chunks.chunks > 0
        front = bytes(self._front) if self._begun else b""
        if self._begun or self.fault is not None:
            self._front.clear()
        elif len(self._front) > self._event_bytes_max:
            self._front.clear()
            self._fail("event_too_long")
        return front

    def _may_be_blank(self, start: bytes) -> bool:
        """Whether nothing but blanks and a part of a byte order mark has come, and not too many."""
        return len(self._pending) < _BLANKS_MAX and BYTE_ORDER_MARK.startswith(start)

    def _completed(self, piece: bytes) -> bytes | None:
        """What was pending with `piece`, once that ends an event. Looks at new bytes only, however slow they drip."""
        pending = self._pending
        start = max(len(pending) - 3, 0)
        pending += piece
        if pending.find(b"\n\n", start) < 0 and (
            pending.find(b"\r", start) < 0 or end_of_event(pending, start) < 0
        ):
            self._check_pending()
            return None
        whole = bytes(pending)
        pending.clear()
        return whole

    def _check_pending(self) -> None:
        if len(self._pending) > self._event_bytes_max:
            self._fail("event_too_long")

    def _fail(self, fault: Fault) -> None:
        self.fault = fault
        self._steady = False
        self._pending.clear()

    # --- events

    def _events(self, data: bytes, *, plain: bool = True) -> bytes:
        """Read the events in `data`, keep what is no whole event; returns what may go on."""
        forward: list[bytes] = []
        start, size = 0, len(data)
        while start < size and self._steady:
            line_end = data.find(b"\n", start)
            if (
                plain
                and 0 < line_end < size - 1
                and data[line_end + 1] == _LF
                and data.startswith(_DATA, start)
            ):
                end = line_end + 2
                forward.append(self._plain_event(data[start:end]))
            else:
                end = -1 if line_end < 0 and b"\r" not in data else end_of_event(data, start)
                if end < 0:
                    self._pending += data[start:]
                    self._check_pending()
                    break
                forward.append(self._odd_event(data[start:end]))
            start = end
        return b"".join(forward)

    def _plain_event(self, event: bytes) -> bytes:
        """`data: {...}` on one line with LF ends, as nearly all are."""
        payload = event[6:-2]
        passed = self._read(payload)
        if passed is NULL_USAGE:
            event = without_null(event)
        elif passed is not payload:
            if passed is None:
                return self._dropped(event)
            event = b"data: " + passed + b"\n\n"
        return self._hold(event) if self._chunks.ending else event

    def _dropped(self, event: bytes) -> bytes:
        """Nothing of an event goes on, unless it looked plain and was several, or several lines, that CRs end."""
        if self._chunks.fault == "garbage" and b"\r" in event:
            self._chunks.fault = None
            return self._events(event, plain=False)
        return self._failed()

    def _failed(self) -> bytes:
        if self._chunks.fault is not None:
            self._fail(self._chunks.fault)
        return b""

    def _odd_event(self, event: bytes) -> bytes:
        """Any other event: comments, several lines, other line ends, the end."""
        parts = take_apart(event)
        if parts.data is None or not parts.data.strip():
            if parts.name or parts.data is not None or not parts.safe:
                return b""
            return put_together(parts, None) if parts.altered else event
        if parts.data.startswith(_DONE):
            self.done = True
            self._steady = False
            self._end = put_together(parts, parts.data) if parts.altered else event
            return b""
        if parts.name == b"ping":
            return b""
        if parts.name == b"error":
            self._chunks.fail(parts.data)
            return self._failed()
        return self._data_event(event, parts, parts.data)

    def _data_event(self, event: bytes, parts: SseEvent, data: bytes) -> bytes:
        passed = self._read(data)
        if passed is None:
            return self._failed()
        if passed is NULL_USAGE:
            passed = without_null(b"data: " + data + b"\n\n")[6:-2]
        if passed is not data or parts.altered:
            event = put_together(parts, passed)
        return self._hold(event) if self._chunks.ending else event

    def _last_event(self, last: bytes) -> bytes:
        """What was left when the upstream closed: an event that only lacks its empty line counts, a cut one does not."""
        parts = take_apart(last)
        if parts.data is None or not (parts.data.startswith(_DONE) or loose_object(parts.data) is not None):
            return b""
        return self._odd_event(last.rstrip(b"\r\n") + parts.newline + parts.newline)

    def _hold(self, event: bytes) -> bytes:
        """After the first end of a choice: withhold this event in the place of the one before, if all choices ended."""
        released = self._held
        if not self._chunks.finished:
            self._held = b""
            return released + event
        self._held = event
        return released
