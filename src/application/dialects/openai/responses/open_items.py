"""Items of a response that are still being spelled: what they say so far, and the events that open, grow and close them."""

from collections.abc import Iterator
from typing import Protocol

from application.dialects.openai.document import Json, object_in, text_in
from application.dialects.openai.responses import items


class OpenItem(Protocol):
    """Events here lack `sequence_number`, `output_index` and, but for those of the item itself, `item_id`."""

    name: str

    def opened(self) -> Iterator[Json]: ...

    def closed(self, status: items.Status) -> Iterator[Json]: ...

    def item(self, status: items.Status) -> Json: ...


class OpenReasoning:
    """Thoughts, as one part of a summary."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._pieces: list[str] = []

    def item(self, status: items.Status) -> Json:  # noqa: ARG002  it has none
        return items.reasoning_item(self.name, "".join(self._pieces))

    def opened(self) -> Iterator[Json]:
        yield {
            "type": "response.reasoning_summary_part.added",
            "summary_index": 0,
            "part": {"type": "summary_text", "text": ""},
        }

    def says(self, piece: str, logprobs: list[Json]) -> Iterator[Json]:  # noqa: ARG002  thoughts have none
        self._pieces.append(piece)
        yield {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": piece}

    def closed(self, status: items.Status) -> Iterator[Json]:  # noqa: ARG002  the same
        text = "".join(self._pieces)
        yield {"type": "response.reasoning_summary_text.done", "summary_index": 0, "text": text}
        yield {
            "type": "response.reasoning_summary_part.done",
            "summary_index": 0,
            "part": {"type": "summary_text", "text": text},
        }


class OpenMessage:
    """A message of one part: text, or a refusal."""

    def __init__(self, name: str, *, refusal: bool) -> None:
        self.name = name
        self._refusal = refusal
        self._pieces: list[str] = []
        self._logprobs: list[Json] = []

    def item(self, status: items.Status) -> Json:
        return items.message_item(self.name, [] if status == "in_progress" else [self._part()], status=status)

    def opened(self) -> Iterator[Json]:
        yield {"type": "response.content_part.added", "content_index": 0, "part": self._part()}

    def says(self, piece: str, logprobs: list[Json]) -> Iterator[Json]:
        if not piece:  # an answer without any text is a message all the same
            return
        self._pieces.append(piece)
        if self._refusal:
            yield {"type": "response.refusal.delta", "content_index": 0, "delta": piece}
            return
        self._logprobs += logprobs
        yield {
            "type": "response.output_text.delta",
            "content_index": 0,
            "delta": piece,
            "logprobs": logprobs,
        }

    def closed(self, status: items.Status) -> Iterator[Json]:  # noqa: ARG002  its item says it
        text = "".join(self._pieces)
        if self._refusal:
            yield {"type": "response.refusal.done", "content_index": 0, "refusal": text}
        else:
            yield {
                "type": "response.output_text.done",
                "content_index": 0,
                "text": text,
                "logprobs": self._logprobs,
            }
        yield {"type": "response.content_part.done", "content_index": 0, "part": self._part()}

    def _part(self) -> Json:
        text = "".join(self._pieces)
        return items.refusal_part(text) if self._refusal else items.text_part(text, self._logprobs)


class OpenCall:
    """A call of a function or a custom tool."""

    def __init__(self, name: str, call: Json) -> None:
        self.name = name
        self._call = dict(call)
        self._custom = call.get("type") == "custom"
        self._pieces: list[str] = []

    def item(self, status: items.Status) -> Json:
        return items.call_item(self.name, self._call, "".join(self._pieces), status=status)

    def opened(self) -> Iterator[Json]:
        yield from ()

    def says(self, call: Json) -> Iterator[Json]:
        kind = "custom" if self._custom else "function"
        name = text_in(object_in(call, kind), "name")
        if name and not text_in(object_in(self._call, kind), "name"):
            self._call[kind] = {**object_in(self._call, kind), "name": name}
        piece = items.call_arguments(call)
        if not piece:
            return
        self._pieces.append(piece)
        yield {
            "type": "response.custom_tool_call_input.delta"
            if self._custom
            else "response.function_call_arguments.delta",
            "delta": piece,
        }

    def closed(self, status: items.Status) -> Iterator[Json]:  # noqa: ARG002  its item says it
        text = "".join(self._pieces)
        if self._custom:
            yield {"type": "response.custom_tool_call_input.done", "input": text}
        else:
            yield {
                "type": "response.function_call_arguments.done",
                "arguments": text,
                "name": self.item("completed")["name"],
            }
