"""The content of a chat message as blocks: text, images, documents, and the thinking that a client sends back."""

from typing import Any

from application.dialects.anthropic.upstream.media import document, image
from application.dialects.anthropic.upstream.notes import (
    Notes,
    list_of,
    object_of,
    text_at,
    unsupported,
    wrong_type,
)
from application.dialects.port import Json


def blocks_of(message: Json, param: str, notes: Notes, *, media: bool) -> list[Json]:
    """The content of the message at `param`. Text without a visible character is refused upstream, so it is left out.

    Raises:
        InvalidRequest: a part is malformed, or of a kind that has no block here; images and documents without `media`.
    """
    content, place = message.get("content"), f"{param}.content"
    parts = content if type(content) is list else [content]
    if type(content) not in (list, str, type(None)):
        raise wrong_type(place, "a string or an array of parts")
    blocks: list[Json] = []
    for index, part in enumerate(parts):
        at = place if type(content) is not list else f"{place}[{index}]"
        block = _block(part, at, notes, media=media)
        if block is None:
            continue
        if type(part) is dict:
            notes.mark(block, part, at)
        blocks.append(block)
    if blocks:
        notes.mark(blocks[-1], message, param)
    return blocks


def _block(part: Any, param: str, notes: Notes, *, media: bool) -> Json | None:
    if part is None or type(part) is str:
        return text_block(part or "")
    kind = object_of(part, param).get("type")
    match kind:
        case "text" | "refusal":
            return text_block(text_at(part, kind, param))
        case "thinking":
            notes.drop("thinking")  # another provider's, without a signature
            return None
        case "image_url" if media:
            return image(part, param, notes)
        case "file" if media:
            return document(part, param)
        case "input_audio" | "image_url" | "file":
            raise unsupported(f"{param}.type", "it does not take this kind of content there")
        case str():
            raise unsupported(f"{param}.type", "it is a kind of content that is not known")
    raise wrong_type(f"{param}.type", "a string")


def text_block(text: str) -> Json | None:
    return {"type": "text", "text": text} if text.strip() else None


def thinking_blocks(message: Json, param: str, notes: Notes) -> list[Json]:
    """The thinking of an earlier answer, as it was told to the client, unchanged: signatures hold for nothing else.

    Thinking without a signature is another provider's; it is left out, and so is its plain text.
    """
    echoed = message.get("thinking_blocks")
    if echoed is None:
        if message.get("reasoning_content") is not None:
            notes.drop("reasoning_content")
        return []
    place = f"{param}.thinking_blocks"
    blocks: list[Json] = []
    for index, value in enumerate(list_of(echoed, place)):
        block = _thinking_block(object_of(value, f"{place}[{index}]"), f"{place}[{index}]")
        if block is None:
            notes.drop("thinking_blocks")
        else:
            blocks.append(block)
    return blocks


def _thinking_block(value: Json, param: str) -> Json | None:
    if value.get("type") == "redacted_thinking":
        return {"type": "redacted_thinking", "data": text_at(value, "data", param)}
    signature = value.get("signature")
    if value.get("type") != "thinking" or not signature:
        return None
    if type(signature) is not str:
        raise wrong_type(f"{param}.signature", "a string")
    thinking = value.get("thinking")  # a stream of which the client was shown no text has none
    if type(thinking) not in (str, type(None)):
        raise wrong_type(f"{param}.thinking", "a string")
    return {"type": "thinking", "thinking": thinking or "", "signature": signature}
