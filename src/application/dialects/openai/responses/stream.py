"""Writes chat chunks as the event stream of a response.

Owns the numbers (`sequence_number` from 0, `output_index` by the order in which items begin) and the order of events. A
message or a thought is closed when something else begins; calls stay open to the end, since providers may spell several
at once. The last event holds the whole answer once more, so the memory of one stream is its answer.
"""

from collections.abc import Iterator
from operator import itemgetter

from application.dialects.openai.chat.canonical import index_of
from application.dialects.openai.document import Json, object_in, objects_in, text_in
from application.dialects.openai.responses import items
from application.dialects.openai.responses.failure import event_bytes, failure_events
from application.dialects.openai.responses.open_items import OpenCall, OpenItem, OpenMessage, OpenReasoning
from application.dialects.openai.responses.shape import final_status, item_id, response_object
from application.dialects.openai.usage import responses_usage


class ResponsesStream:
    """A `SurfaceStream` of the port for one request."""

    def __init__(self, *, request: Json) -> None:
        self._request = request
        self._chat: Json = {}  # what the latest chunk says around its choices
        self._begun = False
        self._number = 0
        self._reason: str | None = None
        self._usage: Json | None = None
        self._items: list[OpenItem] = []
        #: the message or thought that is open, its kind and its place
        self._talking: tuple[str, int, OpenReasoning | OpenMessage] | None = None
        #: calls and their places, by their index in chunks
        self._calls: dict[int, tuple[int, OpenCall]] = {}

    def write(self, chunk: Json) -> bytes:
        if not self._begun:
            self._chat = {name: chunk.get(name) for name in ("id", "created", "model")}
        if isinstance(chunk.get("service_tier"), str):
            self._chat["service_tier"] = chunk["service_tier"]
        events = self._begin()
        usage = chunk.get("usage")
        if isinstance(usage, dict) and usage:
            self._usage = responses_usage(usage)
        for choice in objects_in(chunk, "choices"):
            if index_of(choice) == 0:
                events += self._choice(choice)
        return events

    def end(self) -> bytes:
        events = self._begin()
        status: items.Status = "incomplete" if final_status(self._reason) == "incomplete" else "completed"
        if not self._items:
            events += self._says("content", "", [])
        events += self._close_talk()
        for place, _ in sorted(self._calls.values(), key=itemgetter(0)):
            events += self._close(place, status)
        response = self._response(final_status(self._reason), reason=self._reason, usage=self._usage)
        return events + self._event({"type": f"response.{response['status']}", "response": response})

    def error(self, code: str, message: str) -> bytes:
        events = self._begin()
        response = self._response("failed", reason=None, usage=None)
        return events + failure_events(code, message, sequence_number=self._number, response=response)

    # --- chunks

    def _choice(self, choice: Json) -> bytes:
        delta = object_in(choice, "delta")
        events = b""
        for kind in ("reasoning_content", "content", "refusal"):
            text = text_in(delta, kind)
            if text:
                events += self._says(kind, text, items.logprobs_of(choice) if kind == "content" else [])
        for call in objects_in(delta, "tool_calls"):
            events += self._called(call)
        reason = choice.get("finish_reason")
        if isinstance(reason, str):
            self._reason = reason
        return events

    def _says(self, kind: str, text: str, logprobs: list[Json]) -> bytes:
        """A piece of a message or thought, of the open one if it is of this kind."""
        events = b""
        if self._talking is None or self._talking[0] != kind:
            events = self._close_talk()
            talk = (
                OpenReasoning(self._name("rs"))
                if kind == "reasoning_content"
                else OpenMessage(self._name("msg"), refusal=kind == "refusal")
            )
            self._talking = (kind, len(self._items), talk)
            events += self._open(talk)
        _, place, talk = self._talking
        return events + self._grow(talk.says(text, logprobs), place)

    def _called(self, call: Json) -> bytes:
        index = index_of(call)
        events = b""
        if index not in self._calls:
            events += self._close_talk()
            opened = OpenCall(self._name(items.call_prefix(call)), call)
            self._calls[index] = (len(self._items), opened)
            events += self._open(opened)
        place, item = self._calls[index]
        return events + self._grow(item.says(call), place)

    # --- events

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        response = self._response("in_progress", reason=None, usage=None)
        return self._event({"type": "response.created", "response": response}) + self._event(
            {"type": "response.in_progress", "response": response}
        )

    def _name(self, prefix: str) -> str:
        return item_id(prefix, self._chat.get("id"), len(self._items))

    def _open(self, item: OpenItem) -> bytes:
        place = len(self._items)
        self._items.append(item)
        added = {
            "type": "response.output_item.added",
            "output_index": place,
            "item": item.item("in_progress"),
        }
        return self._event(added) + self._grow(item.opened(), place)

    def _close_talk(self) -> bytes:
        if self._talking is None:
            return b""
        place = self._talking[1]
        self._talking = None
        status: items.Status = "incomplete" if final_status(self._reason) == "incomplete" else "completed"
        return self._close(place, status)

    def _close(self, place: int, status: items.Status) -> bytes:
        item = self._items[place]
        done = {"type": "response.output_item.done", "output_index": place, "item": item.item(status)}
        return self._grow(item.closed(status), place) + self._event(done)

    def _grow(self, events: Iterator[Json], place: int) -> bytes:
        name = self._items[place].name
        return b"".join(self._event({**event, "item_id": name, "output_index": place}) for event in events)

    def _event(self, event: Json) -> bytes:
        numbered = {**event, "sequence_number": self._number}
        self._number += 1
        return event_bytes(numbered)

    def _response(self, status: str, *, reason: str | None, usage: Json | None) -> Json:
        ended: items.Status = "incomplete" if status != "completed" else "completed"
        output = [] if status == "in_progress" else [item.item(ended) for item in self._items]
        return response_object(
            self._request, self._chat, status=status, output=output, reason=reason, usage=usage
        )
