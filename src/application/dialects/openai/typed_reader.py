"""Meters streams of typed events that end with one of a known type and say their usage in it: images, speech, transcripts."""

from collections.abc import Callable
from typing import Final

from application.dialects.openai.document import Json, object_in, parsed, text_in, written
from application.dialects.openai.units import Used, kept
from application.wire.chunk_meter import ERROR_BYTES_MAX
from application.wire.cost import without_cost
from application.wire.relay import Fault
from application.wire.spoken import Spoken, SpokenText

_FOLD_EVENTS: Final = 64
_WORD_CHARS: Final = 64


class TypedReader:
    """An `EventReader` by the last event's types. `used_of` reads its usage object, and `used` is what came of it."""

    def __init__(self, *, last: frozenset[str], used_of: Callable[[Json], Used | None]) -> None:
        self.chunks = 0
        self.ended = False
        self.fault: Fault | None = None
        self.error_body = b""
        self.usage_raw: bytes | None = None
        self.used: Used | None = None
        self.words: dict[str, str] = {}  #: short texts in the last event
        self._last = last
        self._used_of = used_of
        self._spoken = Spoken()

    def read(self, payload: bytes, *, name: bytes) -> bytes:
        event = parsed(payload)
        if event is None:
            self.fault = self.fault or "garbage"
            return payload
        kind = text_in(event, "type")
        if name == b"error" or kind == "error" or event.get("error"):
            if self.fault is None:
                self.fault = "error_event"
                told = event.get("error") or {each: event.get(each) for each in ("code", "message", "param")}
                self.error_body = written({"error": told})[:ERROR_BYTES_MAX]
            return payload
        self.chunks += 1
        if isinstance(event.get("delta"), str):
            self._spoken.add(event["delta"])
            if self.chunks % _FOLD_EVENTS == 0:
                self._spoken.fold()
        self.ended = kind in self._last
        if self.ended:
            self.words = {
                each: text
                for each, text in event.items()
                if isinstance(text, str) and len(text) <= _WORD_CHARS
            }
        usage = object_in(event, "usage")
        if usage:
            self.usage_raw = kept(written(usage))
            self.used = self._used_of(usage)
            return without_cost(payload, usage)
        return payload

    def spoken(self) -> SpokenText:
        return self._spoken.text()
