"""The events of a response as chunks of a chat completion.

The bytes go through `ResponsesRelay`, which withholds, mends and judges them; here its clean output is split into events.
What an item said in pieces is not said again when the item is done; what came whole is said then.
"""

from typing import Any, Final

from application.dialects.openai.document import Json, object_in, objects_in, parsed, text_in
from application.dialects.openai.responses.relay import ResponsesRelay
from application.dialects.openai.responses.upstream import items
from application.dialects.openai.responses.upstream.answer import around, told_usage
from application.dialects.port import ChatEnd
from application.wire.relay import Fault
from application.wire.spoken import SpokenText
from application.wire.sse import end_of_event, take_apart

_ITEMS_MAX: Final = 1_024
_SAYS: Final = {
    "response.output_text.delta": "content",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "reasoning_content",
    "response.reasoning_summary_text.delta": "reasoning_content",
}
_SPELLS: Final = ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta")


class ResponsesChatStream:
    """One stream; see `ChatStream` of the port. Memory: that of the relay, and what is known of each item."""

    def __init__(self, *, alias: str, created_s: int) -> None:
        self._relay = ResponsesRelay()
        self._alias = alias
        self._created_s = created_s
        self._around = around({}, alias=alias, created_s=created_s)
        self._last: Json = {}
        self._role_told = False
        self._heard: set[int] = set()  # places of items of which something was said
        self._calls: dict[int, tuple[int, str]] = {}  # the index and the kind of each, by its item's place

    @property
    def done(self) -> bool:
        return self._relay.done

    @property
    def fault(self) -> Fault | None:
        return self._relay.fault

    @property
    def error_body(self) -> bytes:
        return self._relay.error_body

    @property
    def usage_raw(self) -> bytes | None:
        return self._relay.usage_raw

    @property
    def chunks(self) -> int:
        return self._relay.chunks

    def spoken(self) -> SpokenText:
        return self._relay.spoken()

    def feed(self, piece: bytes) -> list[Json]:
        return self._chunks(self._relay.feed(piece))

    def finish(self) -> ChatEnd:
        tail = self._relay.finish()
        tier = self._relay.service_tier
        if not tail.complete:
            return ChatEnd(chunks=[], complete=False, fault=tail.fault, service_tier=tier)
        chunks = self._chunks(tail.data)
        if not self._role_told:  # nothing came in pieces
            for place, item in enumerate(objects_in(self._last, "output")):
                chunks += self._ended(item, place)
        reason = items.reason_of(self._last, calls=bool(self._calls))
        chunks += [*self._begun(), self._chunk({}, reason)]
        usage = told_usage(self._relay.usage_raw)
        if usage is not None:
            chunks.append({**self._chunk({}), "choices": [], "usage": usage})
        return ChatEnd(chunks=chunks, complete=True, fault=None, service_tier=tier)

    # --- events

    def _chunks(self, events: bytes) -> list[Json]:
        chunks: list[Json] = []
        start = 0
        while start < len(events):
            end = end_of_event(events, start)
            event = events[start : end if end > 0 else len(events)]
            start += len(event)
            data = take_apart(event).data
            members = None if data is None else parsed(data)
            if members is not None:
                chunks += self._take(members)
        return chunks

    def _take(self, event: Json) -> list[Json]:
        if "response" in event:
            self._last = object_in(event, "response")
            self._around = around(self._last, alias=self._alias, created_s=self._created_s)
            return []
        return self._of_item(event, text_in(event, "type"), _place(event))

    def _of_item(self, event: Json, kind: str, place: int) -> list[Json]:
        if kind in _SAYS:
            return self._piece(_SAYS[kind], text_in(event, "delta"), place, event.get("logprobs"))
        if kind in _SPELLS:
            return self._spelled(text_in(event, "delta"), place)
        match kind:
            case "response.output_item.added":
                return self._called(object_in(event, "item"), place)
            case "response.output_item.done":
                return self._ended(object_in(event, "item"), place)
        return self._said(items.beside_text(event, kind))

    def _piece(self, name: str, text: str, place: int, listed: Any) -> list[Json]:
        self._hear(place)
        return self._said({name: text} if text else {}, listed)

    def _called(self, item: Json, place: int) -> list[Json]:
        """The start of a call: its name, and no arguments yet."""
        if text_in(item, "type") not in items.CALLS or place in self._calls:
            return []
        if len(self._calls) >= _ITEMS_MAX:
            return []
        call = items.call_of(item, text="")
        self._calls[place] = len(self._calls), call["type"]
        return self._said({"tool_calls": [{"index": self._calls[place][0], **call}]})

    def _spelled(self, text: str, place: int) -> list[Json]:
        if place not in self._calls or not text:
            return []
        self._hear(place)
        index, kind = self._calls[place]
        member = "input" if kind == "custom" else "arguments"
        return self._said({"tool_calls": [{"index": index, kind: {member: text}}]})

    def _ended(self, item: Json, place: int) -> list[Json]:
        """What of a whole item was not heard in pieces."""
        if text_in(item, "type") in items.CALLS:
            chunks = self._called(item, place)
            return chunks + ([] if place in self._heard else self._spelled(items.call_text(item), place))
        if place in self._heard:
            return []
        self._hear(place)
        whole = {
            "reasoning_content": items.thought_in(item) if item.get("type") == "reasoning" else "",
            "content": items.said_in(item, "text") if item.get("type") == "message" else "",
            "refusal": items.said_in(item, "refusal") if item.get("type") == "message" else "",
        }
        return self._said({name: text for name, text in whole.items() if text})

    # --- chunks

    def _hear(self, place: int) -> None:
        if len(self._heard) < _ITEMS_MAX:
            self._heard.add(place)

    def _said(self, delta: Json, listed: Any = None) -> list[Json]:
        """The chunk of a piece, if there is any, after the one that says whose it is."""
        if not delta:
            return []
        return [*self._begun(), self._chunk(delta, logprobs=items.logprobs_of(listed))]

    def _begun(self) -> list[Json]:
        """The chunk that says whose the message is, once."""
        if self._role_told:
            return []
        self._role_told = True
        return [self._chunk({"role": "assistant", "content": ""})]

    def _chunk(self, delta: Json, reason: str | None = None, *, logprobs: Json | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": logprobs}
        return {**self._around, "object": "chat.completion.chunk", "choices": [choice]}


def _place(event: Json) -> int:
    place = event.get("output_index")
    return place if type(place) is int else -1
