"""Chat chunks as a message's events: one start, blocks one after another, and the end once all is known."""

from typing import Any

from application.dialects.anthropic.surface.answer import message_id, started
from application.dialects.anthropic.surface.encode import event
from application.dialects.anthropic.surface.errors import error_body
from application.dialects.anthropic.surface.said import calls, first_choice, refused, texts
from application.dialects.anthropic.surface.spent import messages_usage
from application.dialects.anthropic.surface.stops import stop_reason_of
from application.dialects.anthropic.surface.writer import BlockWriter
from application.dialects.port import Json
from domain.catalogue.provider import UsageDialect


class MessagesStream:
    """A `SurfaceStream`. Its end is in `end` alone: usage comes after the chunk that finishes the answer, or in it.

    The call that is open stays open until then, since a piece of it may still come. Nothing raises.
    """

    def __init__(self, *, model: str, dialect: UsageDialect) -> None:
        self._model = model
        self._dialect = dialect
        self._id = ""
        self._started = False
        self._finish_reason: Any = None
        self._refused = False
        self._usage: Any = None
        self._blocks = BlockWriter()

    def write(self, chunk: Json) -> bytes:
        """The events for one chunk. One without choices says its id or the usage, and is not shown."""
        if not self._id and type(chunk.get("id")) is str:
            self._id = chunk["id"]
        if chunk.get("usage"):
            self._usage = chunk["usage"]
        choice = first_choice(chunk)
        if not choice:
            return b""
        if choice.get("finish_reason"):
            self._finish_reason = choice["finish_reason"]
        delta = choice.get("delta")
        return self._start() + (self._said(delta) if type(delta) is dict else b"")

    def end(self) -> bytes:
        reason = stop_reason_of(self._finish_reason, called=bool(self._blocks.called), refused=self._refused)
        last = {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": messages_usage(self._usage, dialect=self._dialect),
        }
        return self._start() + self._blocks.end() + event(last) + event({"type": "message_stop"})

    def error(self, code: str, message: str) -> bytes:
        return b"event: error\ndata: %b\n\n" % error_body(code, message)

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        answer_id = self._blocks.message_id = message_id(self._id)
        return event({"type": "message_start", "message": started(answer_id, self._model)})

    def _said(self, delta: Json) -> bytes:
        self._refused |= bool(refused(delta))
        blocks = self._blocks
        events = [blocks.say(kind, text) for kind, text in texts(delta)]
        events += [blocks.add(call) for call in calls(delta)]
        return b"".join(events)
