"""Chat answers brought to one form, whatever a provider of the dialect made of it.

`content`, `reasoning_content` and `refusal` are strings or null, `tool_calls` a list of objects with strings. Members that
are not named here stay as they are.
"""

from typing import Any, Final

from application.dialects.openai.document import Json, object_in, objects_in, text_in, written

_DIALECT_REASONS: Final = ("stop", "length", "tool_calls", "content_filter", "function_call")
_DIALECT_TIERS: Final = ("auto", "default", "flex", "scale", "priority", "fast")


def message(said: Json) -> Json:
    """A whole message."""
    whole = {**said, **_texts(said), "role": "assistant"}
    whole.setdefault("content", None)
    whole.setdefault("refusal", None)
    if "annotations" in said:
        whole["annotations"] = [note for note in objects_in(said, "annotations") if _is_citation(note)]
    calls = [_call(call, index, whole=True) for index, call in enumerate(objects_in(said, "tool_calls"))]
    if calls:
        whole["tool_calls"] = calls
    else:
        whole.pop("tool_calls", None)
    return whole


def delta(said: Json) -> Json:
    """A piece of a message; members without a value are left out."""
    piece = {name: value for name, value in {**said, **_texts(said)}.items() if value is not None}
    if "role" in piece:
        piece["role"] = "assistant"
    calls = [_call(call, index, whole=False) for index, call in enumerate(objects_in(said, "tool_calls"))]
    if calls:
        piece["tool_calls"] = calls
    else:
        piece.pop("tool_calls", None)
    return piece


def reason(value: object) -> str | None:
    """A finish reason of the dialect; what a provider invented counts as a plain end."""
    if not isinstance(value, str) or not value:
        return None
    return value if value in _DIALECT_REASONS else "stop"


def extras(document: Json) -> Json:
    """What stands beside the choices and is kept: the tier if the dialect knows it, the fingerprint."""
    kept: Json = {}
    if document.get("service_tier") in _DIALECT_TIERS:
        kept["service_tier"] = document["service_tier"]
    if isinstance(document.get("system_fingerprint"), str):
        kept["system_fingerprint"] = document["system_fingerprint"]
    return kept


def index_of(choice: Json) -> int:
    index = choice.get("index")
    return index if type(index) is int and index >= 0 else 0


def _is_citation(note: Json) -> bool:
    """The one kind of the dialect; OpenRouter adds files of its own making."""
    return note.get("type") == "url_citation" and isinstance(note.get("url_citation"), dict)


def _texts(said: Json) -> Json:
    texts: Json = {}
    if "content" in said:
        texts["content"] = _content(said["content"], thinking=False)
    if "refusal" in said:
        texts["refusal"] = said["refusal"] if isinstance(said["refusal"], str) else None
    thought = said.get("reasoning_content")
    if not isinstance(thought, str):
        thought = said.get("reasoning")  # the same under its other name
    if not isinstance(thought, str):
        thought = (
            _content(said.get("content"), thinking=True) if isinstance(said.get("content"), list) else None
        )
    if thought or "reasoning_content" in said:
        texts["reasoning_content"] = thought
    return texts


def _content(content: Any, *, thinking: bool) -> str | None:
    """The text, or the thoughts, of content; Mistral's is a list of parts of both kinds."""
    if isinstance(content, str):
        return None if thinking else content
    if not isinstance(content, list):
        return None
    texts: list[str] = []
    for part in content:
        if isinstance(part, str) and not thinking:
            texts.append(part)
        elif isinstance(part, dict) and (part.get("type") == "thinking") is thinking:
            texts += [
                text_in(inner, "text") for inner in (objects_in(part, "thinking") if thinking else [part])
            ]
    return "".join(texts)


def _call(call: Json, index: int, *, whole: bool) -> Json:
    tidy = {name: value for name, value in call.items() if value is not None}
    if "id" in tidy or whole:
        tidy["id"] = text_in(call, "id")
        tidy["type"] = text_in(call, "type") or "function"
    if not whole:
        tidy["index"] = index_of({"index": call.get("index", index)})
    kind = "custom" if isinstance(call.get("custom"), dict) else "function"
    member = "input" if kind == "custom" else "arguments"
    inner = object_in(call, kind)
    named = {**inner, "name": text_in(inner, "name"), member: _arguments(inner.get(member))}
    tidy[kind] = named if whole or inner.get("name") is not None else {member: named[member]}
    return tidy


def _arguments(value: object) -> str:
    if isinstance(value, str):
        return value
    return written(value).decode() if isinstance(value, dict) else ""
