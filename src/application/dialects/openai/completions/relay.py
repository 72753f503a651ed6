"""Passes a stream of completions on. Its framing, end and usage are those of chat; only the text stands elsewhere."""

from typing import Any, Final

import msgspec

from application.dialects.openai.document import objects_in, parsed, text_in
from application.wire.answer import ReadAnswer, read_answer
from application.wire.chunk import NOT_JSON
from application.wire.relay import Fault, StreamMeter, Tail
from application.wire.splice import with_value
from application.wire.spoken import Spoken, SpokenText
from application.wire.sse import end_of_event, take_apart


class _Choice(msgspec.Struct, gc=False):
    text: Any = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None


_decode: Final = msgspec.json.Decoder(_Chunk).decode
_FOLD_EVENTS: Final = 64
_OBJECT: Final = b'"text_completion"'


class CompletionsRelay:
    """The `Relay` of completions: chat's meter, and the text read from what it lets through."""

    def __init__(self, *, usage_wanted: bool) -> None:
        self._meter = StreamMeter(usage_wanted=usage_wanted)
        self._spoken = Spoken()

    @property
    def done(self) -> bool:
        return self._meter.done

    @property
    def fault(self) -> Fault | None:
        return self._meter.fault

    @property
    def error_body(self) -> bytes:
        return self._meter.error_body

    @property
    def usage_raw(self) -> bytes | None:
        return self._meter.usage_raw

    @property
    def chunks(self) -> int:
        return self._meter.chunks

    def spoken(self) -> SpokenText:
        """Without the text of the events that are withheld until `finish`."""
        return self._spoken.text()

    def feed(self, piece: bytes) -> bytes:
        forward = self._meter.feed(piece)
        self._hear(forward)
        return forward

    def finish(self) -> Tail:
        tail = self._meter.finish()
        self._hear(tail.data)
        return tail

    def _hear(self, events: bytes) -> None:
        start = heard = 0
        while start < len(events):
            end = end_of_event(events, start)
            end = end if end > 0 else len(events)
            data = take_apart(events[start:end]).data
            start = end
            if data is None or not data.startswith(b"{"):
                continue
            self._spoken.add(_text(data))
            heard += 1
            if heard % _FOLD_EVENTS == 0:
                self._spoken.fold()
        if heard:
            self._spoken.fold()


def read_completion(body: bytes) -> ReadAnswer:
    """Read the whole body of a 200, as one of chat. Never raises.

    Together's `object` is spelled otherwise, which strict clients refuse; it is mended.
    """
    read = read_answer(body)
    if read.fault is None and _OBJECT not in read.body:
        return msgspec.structs.replace(read, body=with_value(read.body, "object", _OBJECT))
    return read


def completion_text(body: bytes) -> SpokenText:
    """The text of an answer, for a local count where it has no usage. Never raises."""
    spoken = Spoken()
    for choice in objects_in(parsed(body) or {}, "choices"):
        spoken.add(text_in(choice, "text"))
    return spoken.text()


def _text(data: bytes) -> str:
    try:
        chunk = _decode(data)
    except NOT_JSON:
        choices = objects_in(parsed(data) or {}, "choices")
        return "".join(text_in(choice, "text") for choice in choices)
    return "".join(choice.text for choice in chunk.choices or () if isinstance(choice.text, str))
