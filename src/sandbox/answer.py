"""An answer on its way out: the OpenAI objects of one request, ready for a fault to bend."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from sandbox import chat
from sandbox.chat import Event, Plan, Stamp
from sandbox.script import Script

DONE: Final = b"data: [DONE]\n\n"
_encode: Final = msgspec.json.Encoder().encode


def event_bytes(event: Event) -> bytes:
    """One server-sent event as OpenAI writes it."""
    return DONE if event.data is None else b"data: " + _encode(event.data) + b"\n\n"


class Answer:
    """What would be sent if nothing went wrong. `usage` is the truth; each call hands out fresh objects."""

    def __init__(self, script: Script, *, stream: bool, usage: dict[str, Any]) -> None:
        self.script = script
        self.stream = stream
        self.usage = usage

    def whole(self) -> dict[str, Any]:
        """The JSON object of the answer."""
        raise NotImplementedError

    def events(self, *, include_usage: bool | None = None) -> list[Event]:
        """The events of the answer; `include_usage` overrides what the client asked for."""
        raise NotImplementedError


class ChatAnswer(Answer):
    def __init__(self, made: Plan, stamp: Stamp, script: Script) -> None:
        super().__init__(script, stream=made.call.stream, usage=made.usage)
        self._made = made
        self._stamp = stamp

    def whole(self) -> dict[str, Any]:
        return chat.completion(self._made, self._stamp)

    def events(self, *, include_usage: bool | None = None) -> list[Event]:
        return chat.events(self._made, self._stamp, include_usage=include_usage)


class EmbeddingAnswer(Answer):
    def __init__(self, whole: dict[str, Any], script: Script) -> None:
        super().__init__(script, stream=False, usage=whole["usage"])
        self._whole = whole

    def whole(self) -> dict[str, Any]:
        return dict(self._whole)


def split_at_strike(events: Iterable[Event], script: Script) -> tuple[list[Event], list[Event]]:
    """The events before and after the point where a mid-stream fault strikes: `after_chunks`, else half the content."""
    found = list(events)
    content = [at for at, event in enumerate(found) if event.kind == "content"]
    if not content:
        return found[:1], found[1:]
    wanted = script.after_chunks if script.after_chunks is not None else len(content) // 2
    at = content[wanted] if wanted < len(content) else content[-1] + 1
    return found[:at], found[at:]
