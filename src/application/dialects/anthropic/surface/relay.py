"""Passes the stream of an upstream that speaks this dialect on to a client that does, and meters it on the way.

Owns what of it may reach the client, and when:

* Bytes pass unchanged, the model's name and `ping` events among them, but for: `id` and `retry` lines, bytes that are no
  UTF-8, a provider's own cost in its usage, an `event:` line where it is missing (SDKs skip events without one), and a
  `[DONE]`, which this dialect does not have. A missing `message_stop` is added.
* The start is withheld until something was generated: `message_start`, pings and what is unknown say nothing yet, and a provider that is
  overloaded often fails right after them, when another may still be asked.
* The end is withheld until `finish`: the `message_delta` that says why the answer stopped, and all that follows it.
* An error inside the stream, bytes that are no events, a line or a stream without end: from then on nothing more
  passes, and what was withheld is not sent either.

Memory is constant: the unfinished event, the withheld start and end (`event_bytes_max` each), and the beginning of the
text.
"""

from typing import Final

from application.dialects.anthropic.surface.messages import Event, add_block, read_event, usage_members
from application.dialects.anthropic.surface.splitter import EventSplitter
from application.dialects.anthropic.usage import StreamUsage
from application.wire.chunk import as_utf8, loose_object
from application.wire.chunk_meter import ERROR_BYTES_MAX
from application.wire.cost import without_cost
from application.wire.relay import EVENT_BYTES_MAX, STREAM_BYTES_MAX, Fault, Tail
from application.wire.spoken import Spoken, SpokenText
from application.wire.sse import SseEvent, put_together, take_apart

_STOP_EVENT: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_NAME: Final = b"event: "
_DATA: Final = b"\ndata: {"
_DONE: Final = b"[DONE]"
_ANSWER_EVENTS: Final = ("content_block_delta", "content_block_start")
_FOLD_BYTES: Final = 16 * 1024


class MessagesRelay:
    """A `Relay`. Feed it what the upstream sends in any pieces, then `finish` it. Nothing raises."""

    def __init__(
        self, *, event_bytes_max: int = EVENT_BYTES_MAX, stream_bytes_max: int = STREAM_BYTES_MAX
    ) -> None:
        self.received_bytes = 0
        self.done = False  #: `message_stop` came: nothing more will be read
        self.fault: Fault | None = None
        self.chunks = 0  #: events of content, and those that say why it stopped
        self._said_error = b""
        self._splitter = EventSplitter(event_bytes_max=event_bytes_max)
        self._event_bytes_max = event_bytes_max
        self._stream_bytes_max = stream_bytes_max
        self._fold_at = _FOLD_BYTES
        self._spoken = Spoken()
        self._usage = StreamUsage()
        self._begun = False
        self._front = bytearray()  # withheld until something follows it
        self._ending = False
        self._held: list[bytes] = []
        self._held_bytes = 0

    @property
    def usage_raw(self) -> bytes | None:
        """The figures so far as one object: what a later event says replaces what an earlier one said."""
        try:
            return self._usage.raw
        except (RecursionError, UnicodeEncodeError):
            return None

    @property
    def error_body(self) -> bytes:
        """What the upstream said instead of going on, to classify; never for clients."""
        return self._said_error or self._splitter.stray

    @property
    def _over(self) -> bool:
        return self.done or self.fault is not None

    def spoken(self) -> SpokenText:
        """The text of the answer so far, for a local count."""
        return self._spoken.text()

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the upstream; returns those that may go to the client now."""
        if self._over:
            if self.fault == "not_sse":
                self._splitter.feed(piece)  # the rest of what it says instead
            return b""
        self.received_bytes += len(piece)
        if self.received_bytes > self._fold_at:
            self._fold_at = self.received_bytes + _FOLD_BYTES
            self._spoken.fold()
            if self.received_bytes > self._stream_bytes_max:
                self.fault = "stream_too_long"
                return b""
        forward: list[bytes] = []
        for whole in self._splitter.feed(piece):
            forward.append(self._event(whole))
            if self._over:
                return b"".join(forward)
        self.fault = self._splitter.fault
        return b"".join(forward)

    def finish(self) -> Tail:
        """The upstream closed its stream: what is left to send. Call it once, last."""
        forward = b""
        if not self._over:
            forward = self._last_event(self._splitter.rest())
        if self.fault is None and not (self.done or self._ending):
            self.fault = "truncated"
        if self.fault is not None:
            return Tail(forward, complete=False, fault=self.fault)
        end = b"" if self.done else _STOP_EVENT
        return Tail(b"".join([forward, *self._held, end]), complete=True, fault=None)

    def _event(self, event: bytes) -> bytes:
        name_end = event.find(b"\n")
        if (
            name_end > len(_NAME)
            and event.startswith(_NAME)
            and event.startswith(_DATA, name_end)
            and event.find(b"\n", name_end + 1) == len(event) - 2
            and event.isascii()
            and b"\r" not in event
        ):
            return self._plain_event(
                event, event[len(_NAME) : name_end], event[name_end + len(_DATA) - 1 : -2]
            )
        return self._odd_event(event)

    def _plain_event(self, event: bytes, name: bytes, data: bytes) -> bytes:
        """A name and an object on a line each, as nearly all are."""
        if name == b"error":
            return self._fail(data)
        said = read_event(data)
        if said is None or said.failed or said.type == "ping":
            return self._odd_event(event)
        passed = self._metered(said, data)
        if passed is not data:
            event = b"event: %b\ndata: %b\n\n" % (name, passed)
        return self._passed(event)

    def _odd_event(self, event: bytes) -> bytes:
        """Any other event: comments, several lines, other line ends, errors, what is no UTF-8."""
        parts = take_apart(event)
        if parts.data is None or not parts.data.strip():
            if parts.name or parts.data is not None or not parts.safe:
                return b""
            return self._begin(put_together(parts, None) if parts.altered else event)  # a comment
        if parts.data.startswith(_DONE):
            self.done = self._ending  # else it is no end of this dialect
            return b""
        if parts.name == b"error":
            return self._fail(parts.data)
        return self._payload(event, parts, parts.data)

    def _payload(self, event: bytes, parts: SseEvent, data: bytes) -> bytes:
        passed = as_utf8(data)
        said = read_event(passed)
        if said is None:
            self.fault = "garbage"
            return b""
        if said.failed:
            return self._fail(data)
        if said.type == "ping":
            return self._begin(event if not parts.altered else put_together(parts, data))
        passed = self._metered(said, passed)
        if not parts.name and said.type.isidentifier() and said.type.isascii():
            parts.safe.insert(0, b"event: " + said.type.encode())
            parts.altered = True
        if passed is not data or parts.altered:
            event = put_together(parts, passed)
        return self._passed(event)

    def _passed(self, event: bytes) -> bytes:
        """What may go on now that `event` was read."""
        if self._ending:
            return self._hold(event)
        if not self.chunks:
            return self._begin(event)
        self._begun = True
        return self._released() + event if self._front else event

    def _begin(self, event: bytes) -> bytes:
        """Withhold an event that says nothing, if nothing was said before it: who says so much of it will not answer."""
        if self._begun:
            return event
        self._front += event
        if len(self._front) > self._event_bytes_max:
            self._front.clear()
            self.fault = "event_too_long"
        return b""

    def _released(self) -> bytes:
        front = bytes(self._front)
        self._front.clear()
        return front

    def _metered(self, said: Event, data: bytes) -> bytes:
        """Read what an event says; returns what of it may go on."""
        stop_reason = None
        if said.delta is not None:
            delta = said.delta
            self._spoken.add(delta.text or delta.thinking or delta.partial_json or "")
            stop_reason = delta.stop_reason
        if said.content_block is not None:
            add_block(self._spoken, said.content_block)
        if said.message is not None:
            self._usage.start(usage_members(said.message.usage))
            for block in said.message.content or ():
                add_block(self._spoken, block)
            stop_reason = stop_reason or said.message.stop_reason
        usage = usage_members(said.usage)
        self._usage.end(usage)
        if stop_reason or said.type in _ANSWER_EVENTS:
            self.chunks += 1
        self._ending |= bool(stop_reason)
        if said.type == "message_stop":
            self._ending = self.done = True
        return without_cost(data, usage) if usage else data

    def _hold(self, event: bytes) -> bytes:
        self._held.append(event)
        self._held_bytes += len(event)
        if self._held_bytes > self._event_bytes_max:
            self.done = False
            self.fault = "event_too_long"
            return b""
        self._begun = True
        return self._released()

    def _fail(self, data: bytes) -> bytes:
        self.fault = "error_event"
        self._said_error = data[:ERROR_BYTES_MAX]
        return b""

    def _last_event(self, last: bytes) -> bytes:
        """What was left when the upstream closed: an event that only lacks its empty line counts, a cut one does not."""
        if not last:
            return b""
        parts = take_apart(last)
        if parts.data is None or loose_object(parts.data) is None:
            return b""
        return self._event(last.rstrip(b"\r\n") + parts.newline + parts.newline)
