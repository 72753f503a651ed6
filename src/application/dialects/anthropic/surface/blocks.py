"""Content blocks as the parts of chat messages."""

from typing import Any, Final

from application.dialects.anthropic.surface.members import (
    an_object,
    missing,
    numbered,
    objects,
    optional_text,
    text,
    unsupported,
    wrong_type,
)
from application.dialects.port import Json

_NAMELESS_FILE: Final = "document.pdf"
_SAYS_NOTHING: Final = frozenset({"tool_addition"})
"""Which tools to show the model from here on; a chat request shows all from its beginning."""


def blocks_of(content: Any, param: str) -> list[tuple[str, Json]]:
    """The blocks of a turn, each with its name; a string is one block.

    Raises:
        InvalidRequest: it is neither a string nor an array of objects.
    """
    if content is None:
        raise missing(param)
    if type(content) is str:
        return [(param, {"type": "text", "text": content})]
    if type(content) is not list:
        raise wrong_type(param, "a string or an array of objects")
    return numbered(objects(content, param), param)


def parts_of(block: Json, param: str) -> list[Json]:
    """A block that is shown to the model; empty text is left out, since providers refuse it.

    Raises:
        InvalidRequest: it is malformed, or chat completions have no such part.
    """
    kind = block.get("type")
    if kind == "text":
        return _text_part(text(block.get("text"), f"{param}.text"))
    if kind == "image":
        return [_image(an_object(block.get("source"), f"{param}.source"), f"{param}.source")]
    if kind == "document":
        return _document(block, param)
    if kind == "search_result":
        return _search_result(block, param)
    if kind == "tool_reference":
        return _text_part(text(block.get("tool_name"), f"{param}.tool_name"))
    if type(kind) is str and kind in _SAYS_NOTHING:
        return []
    raise unsupported(f"{param}.type", "this kind of block")


def joined(parts: list[Json], *, between: str) -> str:
    """The text of parts that are text."""
    return between.join(part["text"] for part in parts if part["type"] == "text")


def plain(parts: list[Json]) -> str | list[Json]:
    """Parts as content: a lone text as a string, which every provider takes."""
    if len(parts) == 1 and parts[0]["type"] == "text":
        lone: str = parts[0]["text"]
        return lone
    return parts


def _text_part(said: str) -> list[Json]:
    return [{"type": "text", "text": said}] if said else []


def _image(source: Json, param: str) -> Json:
    kind = source.get("type")
    if kind == "url":
        url = text(source.get("url"), f"{param}.url")
    elif kind == "base64":
        url = _data_url(source, param)
    else:
        raise unsupported(f"{param}.type", "this source of an image")
    return {"type": "image_url", "image_url": {"url": url}}


def _data_url(source: Json, param: str) -> str:
    media_type = text(source.get("media_type"), f"{param}.media_type")
    data = text(source.get("data"), f"{param}.data")
    return f"data:{media_type};base64,{data}"


def _document(block: Json, param: str) -> list[Json]:
    source = an_object(block.get("source"), f"{param}.source")
    kind = source.get("type")
    title = optional_text(block.get("title"), f"{param}.title")
    context = optional_text(block.get("context"), f"{param}.context")
    if kind == "base64":
        data = _data_url(source, f"{param}.source")
        part = {"type": "file", "file": {"filename": title or _NAMELESS_FILE, "file_data": data}}
        return [*_text_part(context), part]
    head = _text_part("\n".join(filter(None, (title, context))))
    if kind == "text":
        return head + _text_part(text(source.get("data"), f"{param}.source.data"))
    if kind == "content":
        return head + _nested(source.get("content"), f"{param}.source.content")
    raise unsupported(f"{param}.source.type", "this source of a document")


def _nested(content: Any, param: str) -> list[Json]:
    """Texts and images inside a document; no document is inside another."""
    parts: list[Json] = []
    for name, block in blocks_of(content, param):
        if block.get("type") not in ("text", "image"):
            raise unsupported(f"{name}.type", "this kind of block in a document")
        parts += parts_of(block, name)
    return parts


def _search_result(block: Json, param: str) -> list[Json]:
    head = [text(block.get("title"), f"{param}.title"), text(block.get("source"), f"{param}.source")]
    return _text_part("\n".join(head)) + _nested(block.get("content"), f"{param}.content")
