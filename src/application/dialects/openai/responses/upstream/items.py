"""Output items of a response as members of a chat message. What the provider ran by itself is not told."""

from typing import Any, Final

from application.dialects.openai.document import Json, object_in, objects_in, text_in

CALLS: Final = {
    "function_call": ("function", "arguments"),
    "custom_tool_call": ("custom", "input"),
}
"""Kinds of calls that a chat client can have asked for, with their names there."""
_BETWEEN: Final = "\n\n"


def call_of(item: Json, *, text: str) -> Json:
    """The call that an item is, with `text` as its arguments."""
    kind, member = CALLS[text_in(item, "type")]
    name = text_in(item, "call_id") or text_in(item, "id")
    return {"id": name, "type": kind, kind: {"name": text_in(item, "name"), member: text}}


def call_text(item: Json) -> str:
    return text_in(item, CALLS[text_in(item, "type")][1])


def thought_in(item: Json) -> str:
    """The thoughts themselves where the provider shows them, else their summary."""
    parts = objects_in(item, "content") or objects_in(item, "summary")
    return _BETWEEN.join(text_in(part, "text") for part in parts)


def said_in(item: Json, kind: str) -> str:
    """What the parts of a message say in text or in refusal."""
    return "".join(text_in(part, kind) for part in objects_in(item, "content"))


def citations_in(part: Json) -> list[Json]:
    """Citations of pages, one level deeper in chat completions; other notes have no equal."""
    return [citation for note in objects_in(part, "annotations") if (citation := citation_of(note))]


def citation_of(note: Json) -> Json | None:
    if note.get("type") != "url_citation":
        return None
    start, end = (note.get(name) for name in ("start_index", "end_index"))
    cited: Json = {name: text_in(note, name) for name in ("url", "title")}
    cited["start_index"] = start if type(start) is int else 0
    cited["end_index"] = end if type(end) is int else 0
    return {"type": "url_citation", "url_citation": cited}


def logprobs_of(listed: Any) -> Json | None:
    """Log probabilities of a piece of text; their shape is the same."""
    return {"content": listed, "refusal": None} if isinstance(listed, list) and listed else None


def beside_text(event: Json, kind: str) -> Json:
    """What an event adds to a message that is no text of it: a blank line between thoughts, or a citation."""
    if kind == "response.reasoning_summary_part.added" and event.get("summary_index"):
        return {"reasoning_content": _BETWEEN}
    if kind == "response.output_text.annotation.added":
        citation = citation_of(object_in(event, "annotation"))
        return {"annotations": [citation]} if citation else {}
    return {}


def reason_of(response: Json, *, calls: bool) -> str:
    """Why the answer ended."""
    details = response.get("incomplete_details")
    why = details.get("reason") if isinstance(details, dict) else None
    if why == "content_filter":
        return "content_filter"
    if response.get("status") == "incomplete":
        return "length"
    return "tool_calls" if calls else "stop"
