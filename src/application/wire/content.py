"""Walks the messages of a chat request and counts what bounds its prompt.

Owns the rule of what an image, an audio clip and an opaque part is. Text is bounded by its bytes; the rest is not,
and is bounded by a figure per piece instead.
"""

from typing import Any, Final

import msgspec

from application.wire.errors import InvalidRequest

_TEXT_PARTS: Final = ("text", "refusal", "thinking")
_ROLE_CHARS_MAX: Final = 64


class Content(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a prompt is made of."""

    messages: int
    images: int = 0
    audios: int = 0
    opaque: int = (
        0  #: files, videos and kinds of parts that we do not know: bytes say nothing about their tokens
    )
    inline_bytes: int = 0  #: of the body, that are images' and clips' own data and not text


def read_messages(request: dict[str, Any]) -> Content:
    """Count the parts of `request["messages"]`, which must be a non-empty array of objects with a role.

    Raises:
        InvalidRequest: it is not. What the messages say is left to the upstream.
    """
    messages = request.get("messages")
    if type(messages) is not list:
        if messages is None:
            raise InvalidRequest(
                "missing_required_parameter", "messages", "Missing required parameter: 'messages'."
            )
        raise InvalidRequest("invalid_type", "messages", "'messages' must be an array of objects.")
    if not messages:
        raise InvalidRequest("empty_array", "messages", "'messages' must have at least one message.")
    pieces: list[dict[str, Any]] = []
    for index, message in enumerate(messages):
        if type(message) is not dict:
            raise InvalidRequest(
                "invalid_type", f"messages[{index}]", f"'messages[{index}]' must be an object."
            )
        role = message.get("role")
        if type(role) is not str or not role or len(role) > _ROLE_CHARS_MAX or not role.isprintable():
            raise _bad_role(index, role)
        if type(message.get("content")) is list or message.get("audio") is not None:
            pieces.append(message)
    return _counted(pieces, messages=len(messages))


def _bad_role(index: int, role: object) -> InvalidRequest:
    param = f"messages[{index}].role"
    if role is None:
        return InvalidRequest("missing_required_parameter", param, f"Missing required parameter: '{param}'.")
    if type(role) is not str:
        return InvalidRequest("invalid_type", param, f"'{param}' must be a string.")
    return InvalidRequest("invalid_value", param, f"'{param}' is not a role.")


def _counted(pieces: list[dict[str, Any]], *, messages: int) -> Content:
    images = audios = opaque = inline_bytes = 0
    for message in pieces:
        if message.get("audio") is not None:
            audios += 1  # an earlier spoken answer, named by its id only
        content = message.get("content")
        for part in content if type(content) is list else ():
            if type(part) is str:
                continue
            kind = part.get("type") if type(part) is dict else None
            if kind in _TEXT_PARTS:
                continue
            if kind == "image_url" and is_image(_member(part.get("image_url"), "url")):
                images += 1
                inline_bytes += _inline_bytes(part.get("image_url"), "url", prefix="data:")
            elif kind == "input_audio":
                audios += 1
                inline_bytes += _inline_bytes(part.get("input_audio"), "data")
            else:
                opaque += 1
    return Content(messages=messages, images=images, audios=audios, opaque=opaque, inline_bytes=inline_bytes)


def is_image(url: object) -> bool:
    """Whether what is shown as an image is one as far as its URL says: some providers go by the type in a data URL."""
    if not isinstance(url, str):
        return True
    head = url[:32].lstrip().lower()
    return not head.startswith("data:") or head.startswith("data:image/")


def _member(value: object, member: str) -> object:
    return value.get(member) if isinstance(value, dict) else value


def _inline_bytes(value: object, member: str, *, prefix: str = "") -> int:
    """Bytes of base64 in the part; a JSON string is never shorter than what it spells, so this never takes too much."""
    data = _member(value, member)
    if not isinstance(data, str) or not data.isascii() or not data.startswith(prefix):
        return 0
    return len(data)
