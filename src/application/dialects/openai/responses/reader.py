"""Meters the events of a responses stream. Owns what changes in them: the usage of a response (its cost out, missing zeros in)."""

from collections import Counter
from contextlib import suppress
from typing import Any, Final

import msgspec

from application.dialects.openai.document import Json, decoded, object_in, parsed, written
from application.dialects.openai.usage import complete_responses_usage
from application.wire.chunk import NOT_JSON
from application.wire.chunk_meter import ERROR_BYTES_MAX
from application.wire.relay import Fault
from application.wire.splice import with_value
from application.wire.spoken import Spoken, SpokenText

COMPLETE: Final = frozenset({"response.completed", "response.incomplete"})
_FAILED: Final = frozenset({"response.failed", "response.cancelled"})
_SPEAKS: Final = "response."  #: so begin the events of an answer; others, such as pings, say nothing of it
_QUIET: Final = frozenset({"response.created", "response.in_progress", "response.queued", "keepalive"})
_CLIENT_CALLS: Final = frozenset(
    {
        "function_call",
        "custom_tool_call",
        "local_shell_call",
        "apply_patch_call",
        "computer_call",
        "tool_search_call",
    }
)
_NULL: Final = msgspec.Raw(b"null")
_FOLD_EVENTS: Final = 64
_ITEMS_MAX: Final = 1_024


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    delta: Any = None
    output_index: Any = None
    sequence_number: Any = None
    response: msgspec.Raw = _NULL
    item: msgspec.Raw = _NULL


class _Response(msgspec.Struct, gc=False):
    usage: msgspec.Raw = _NULL
    service_tier: Any = None


_decode: Final = msgspec.json.Decoder(_Event).decode
_decode_response: Final = msgspec.json.Decoder(_Response).decode


class ResponsesReader:
    """An `EventReader` of one stream. After an `error` event it still reads, since `response.failed` may tell usage."""

    def __init__(self) -> None:
        self.chunks = 0
        self.ended = False
        self.fault: Fault | None = None
        self.error_body = b""
        self.usage_raw: bytes | None = None
        self.sequence_number = -1  #: of the latest event
        self.service_tier: str | None = (
            None  #: that answered, which prices go by, and not the one that was asked for
        )
        self.hosted_calls: Counter[str] = (
            Counter()
        )  #: of tools that the provider ran, by the type of their items
        self._spoken = Spoken()
        self._heard: set[int] = set()  # items whose text came in pieces
        self._unfolded = 0

    def read(self, payload: bytes, *, name: bytes) -> bytes:
        event = decoded(payload, _decode)
        if event is None:
            self.fault = self.fault or "garbage"
            return payload
        kind = event.type if isinstance(event.type, str) else name.decode("ascii", "replace")
        if type(event.sequence_number) is int:
            self.sequence_number = event.sequence_number
        if kind == "error" or kind in _FAILED:
            self._failed(payload, kind)
        elif kind.startswith(_SPEAKS) and kind not in _QUIET:
            self.chunks += 1
        self._hear(event, kind)
        response = bytes(event.response)
        if response.startswith(b"{"):
            payload = self._with_usage(payload, response)
        self.ended = kind in COMPLETE or kind in _FAILED
        return payload

    def spoken(self) -> SpokenText:
        return self._spoken.text()

    def _failed(self, payload: bytes, kind: str) -> None:
        if self.fault is None:
            self.fault = "error_event"
            self.error_body = _error_of(payload, kind)

    def _hear(self, event: _Event, kind: str) -> None:
        place = event.output_index if type(event.output_index) is int else -1
        if kind.endswith(".delta") and isinstance(event.delta, str):
            self._say(event.delta)
            if len(self._heard) < _ITEMS_MAX:
                self._heard.add(place)
        elif kind == "response.output_item.done":
            item = parsed(bytes(event.item)) or {}
            self.hosted_calls.update(hosted_calls([item]))
            if isinstance(item.get("name"), str):
                self._say(item["name"])
            if place not in self._heard:
                self._say(item_text(item))

    def _say(self, text: str) -> None:
        self._spoken.add(text)
        self._unfolded += 1
        if self._unfolded >= _FOLD_EVENTS:
            self._unfolded = 0
            self._spoken.fold()

    def _with_usage(self, payload: bytes, response: bytes) -> bytes:
        decoded = _Response()
        with suppress(*NOT_JSON):
            decoded = _decode_response(response)
        if isinstance(decoded.service_tier, str):
            self.service_tier = decoded.service_tier
        raw = bytes(decoded.usage)
        usage = parsed(raw)
        if not usage:
            return payload
        self.usage_raw = raw
        shown = complete_responses_usage(usage)
        if shown == usage:
            return payload
        return with_value(payload, "response", with_value(response, "usage", written(shown)))


def _error_of(payload: bytes, kind: str) -> bytes:
    """The error in the envelope of a plain answer, to be classified as one."""
    members = parsed(payload) or {}
    if kind in _FAILED:
        members = object_in(members, "response")
    error = members.get("error")
    if not isinstance(error, dict | str):
        error = {name: members.get(name) for name in ("code", "message", "param")}
    return written({"error": error})[:ERROR_BYTES_MAX]


def hosted_calls(items: list[Json]) -> Counter[str]:
    """How often the provider ran tools of its own, each of which may have a fee."""
    kinds = [item.get("type") for item in items]
    return Counter(
        kind
        for kind in kinds
        if isinstance(kind, str) and kind.endswith("_call") and kind not in _CLIENT_CALLS
    )


def item_text(item: Json) -> str:
    """What was generated in an output item, but for its name."""
    texts = [item.get(name) for name in ("arguments", "input", "code")]
    for member in ("summary", "content"):
        parts = item.get(member)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                texts += [part.get("text"), part.get("refusal")]
    return "".join(text for text in texts if isinstance(text, str))
