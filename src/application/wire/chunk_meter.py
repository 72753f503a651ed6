"""Reads the payloads of one stream's events: usage, text, the end of each choice, errors.

Owns what may change in a payload on its way to the client: `usage` (taken out, or its cost taken out), the mends of
`quirks`, and bytes that are no UTF-8. A payload in which nothing changes comes back as the same object.
"""

from typing import Any, Final, Literal

import msgspec

from application.wire.chunk import (
    NOT_JSON,
    Chunk,
    ChunkChoice,
    as_utf8,
    decode_chunk,
    loose_chunk,
    loose_object,
    raw_usage,
)
from application.wire.cost import without_cost
from application.wire.quirks import ChunkMender, is_complete, needs_mending
from application.wire.splice import without_member
from application.wire.spoken import Spoken, parts_text

ERROR_BYTES_MAX: Final = 16 * 1024
_CHOICES_MAX: Final = 128
_NO_OBJECT: Final = b'"object":""'

NULL_USAGE: Final = b',"usage":null'
"""Answer of `read`: the payload may go on as it came, but for its `usage`, which is null. `without_null` takes it out."""
_NULL_USAGE_BYTES: Final = len(NULL_USAGE)


class ChunkMeter:
    """Meters the chunks of one stream, in order."""

    def __init__(self, *, usage_wanted: bool) -> None:
        self.chunks = 0  #: those that tell of a choice: others say nothing of an answer
        self.ending = False  #: a choice has said why it ended
        self.fault: Literal["error_event", "garbage"] | None = None
        self.error_body = b""  #: what the upstream said of its error; never for clients
        self.usage_raw: bytes | None = None  #: the latest usage object, as it came
        self.usage_shown = False  #: one went on to the client
        self.spoken = Spoken()
        self._say = self.spoken.add
        self._usage_wanted = usage_wanted
        self._mender = ChunkMender()
        self._index = -1  # of the choice that spoke last
        self._open: set[int] = set()
        self._closed: set[int] = set()

    @property
    def finished(self) -> bool:
        """Every choice that began has said why it ended."""
        return self.ending and not self._open

    def read(self, payload: bytes) -> bytes | None:  # noqa: C901, PLR0912  one flat loop: a call costs as much as a field
        """Meter one payload; returns what may go on, or `None` for nothing (then `fault` may say why).

        This runs for every chunk: what is rare is left to other methods, at one comparison each.
        """
        if not payload.isascii():
            mended = as_utf8(payload)
            if mended is not payload:
                passed = self.read(mended)
                return without_member(mended, "usage") if passed is NULL_USAGE else passed
        mend = False
        try:
            chunk = decode_chunk(payload)
        except NOT_JSON:
            loose = self._loose(payload)
            if loose is None:
                return None
            chunk, mendable = loose, False
        else:
            mendable = True
        choices = chunk.choices
        if not choices or chunk.error is not None or chunk.x_groq is not None or chunk.base_resp is not None:
            if chunk.failed:
                self.fail(payload)
                return None
            self._look_beside(chunk, payload)
            mend = not choices and _NO_OBJECT in payload
        if choices:
            self.chunks += 1
        for choice in choices or ():
            delta = choice.delta
            if delta is not None:
                content = delta.content
                if content:
                    self._say(content if isinstance(content, str) else parts_text(content))
                if (
                    delta.reasoning_content is not None
                    or delta.tool_calls is not None
                    or delta.reasoning is not None
                    or delta.refusal is not None
                    or delta.function_call is not None
                    or delta.audio is not None
                ):
                    self.spoken.add_rest(delta)
                    mend |= delta.tool_calls is not None and not is_complete(delta.tool_calls)
            if choice.finish_reason is not None:
                mend |= self._ended(choice, payload)
            elif choice.index != self._index:
                self._began(choice.index)
        if mend and mendable:
            payload = self._mender.mend(payload)
        usage = chunk.usage
        if usage is msgspec.UNSET:
            return payload
        if usage is None and not mend:
            return payload if self._usage_wanted else NULL_USAGE
        return self._with_usage(payload, usage, empty=not choices)

    def fail(self, payload: bytes) -> None:
        """The upstream says that it failed."""
        self.fault = "error_event"
        self.error_body = payload[:ERROR_BYTES_MAX]

    def _loose(self, payload: bytes) -> Chunk | None:
        """A chunk that does not fit the types passes, unmended; what is no JSON object is garbage."""
        members = loose_object(payload)
        if members is None:
            self.fault = "garbage"
            return None
        return loose_chunk(members)

    def _began(self, index: int) -> None:
        self._index = index
        if index not in self._closed and 0 <= index < _CHOICES_MAX:
            self._open.add(index)

    def _ended(self, choice: ChunkChoice, payload: bytes) -> bool:
        """Note that a choice ended; returns whether its reason needs mending."""
        if choice.finish_reason:
            self.ending = True
            self._open.discard(choice.index)
            if 0 <= choice.index < _CHOICES_MAX:
                self._closed.add(choice.index)
        else:
            self._began(choice.index)
        if isinstance(choice.usage, dict):  # where an older Kimi had it
            self.usage_raw = raw_usage(payload) or self.usage_raw
        return needs_mending(choice.finish_reason)

    def _look_beside(self, chunk: Chunk, payload: bytes) -> None:
        """Groq's older streams have their usage beside the usual place only."""
        if isinstance(chunk.x_groq, dict) and not isinstance(chunk.usage, dict):
            self.usage_raw = raw_usage(payload) or self.usage_raw

    def _with_usage(self, payload: bytes, usage: Any, *, empty: bool) -> bytes | None:
        """A payload with a member `usage`: what of it the client gets."""
        if isinstance(usage, dict) and usage:
            self.usage_raw = raw_usage(payload) or self.usage_raw
            if self._usage_wanted:
                self.usage_shown = True
                return without_cost(payload, usage)
            return None if empty else without_member(payload, "usage")
        return payload if self._usage_wanted else without_member(payload, "usage")


def without_null(event: bytes) -> bytes:
    """An event `data: {...}` and two line feeds, without its top-level `"usage":null`.

    It is cut out by position if the next brace that closes is the last of the event: then it is the top level's.
    """
    start = event.rfind(NULL_USAGE)
    if start >= 0:
        end = start + _NULL_USAGE_BYTES
        if event.find(b"}", end) == len(event) - 3:
            return event[:start] + event[end:]
    return b"data: " + without_member(event[6:-2], "usage") + b"\n\n"
