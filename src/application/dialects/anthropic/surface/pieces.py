"""Walks the content blocks of a messages request and counts what bounds its prompt, as `wire.content` does for chat.

Owns the rule of what is text here. Text is bounded by its bytes; an image by a figure per piece; of a file, of what a
provider stored encrypted, and of kinds that we do not know, bytes say nothing.
"""

from typing import Any, Final

from application.dialects.anthropic.surface.members import missing, wrong_type
from application.dialects.port import Json
from application.wire.content import Content
from application.wire.errors import InvalidRequest

ROLES: Final = ("user", "assistant", "system")
_TEXTS: Final = frozenset(
    {
        "text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_use", "tool_reference",
        "tool_addition", "compaction",
    }
)  # fmt: skip
_AROUND: Final = frozenset({"tool_result", "mcp_tool_result"})
"""Blocks that have blocks in them."""


def read_content(request: Json) -> Content:
    """Count the blocks of `request["messages"]`, which must be a non-empty array of turns with role and content.

    Raises:
        InvalidRequest: it is not. What the blocks say is left to the upstream.
    """
    messages = request.get("messages")
    if messages is None:
        raise missing("messages")
    if type(messages) is not list:
        raise wrong_type("messages", "an array of objects")
    if not messages:
        raise InvalidRequest("empty_array", "messages", "'messages' must have at least one message.")
    blocks: list[Any] = []
    for index, message in enumerate(messages):
        blocks.extend(_blocks(message, f"messages[{index}]"))
    return _counted(blocks, messages=len(messages) + (request.get("system") is not None))


def _blocks(message: Any, param: str) -> list[Any]:
    if type(message) is not dict:
        raise wrong_type(param, "an object")
    role, content = message.get("role"), message.get("content")
    if role is None:
        raise missing(f"{param}.role")
    if type(role) is not str or role not in ROLES:
        raise InvalidRequest("invalid_value", f"{param}.role", f"'{param}.role' is not a role.")
    if content is None:
        raise missing(f"{param}.content")
    if type(content) is str:
        return []
    if type(content) is not list:
        raise wrong_type(f"{param}.content", "a string or an array of objects")
    for index, block in enumerate(content):
        if type(block) is not dict:
            raise wrong_type(f"{param}.content[{index}]", "an object")
    return content


def _counted(blocks: list[Any], *, messages: int) -> Content:
    images = opaque = inline_bytes = 0
    while blocks:
        block = blocks.pop()
        kind = block.get("type") if type(block) is dict else None
        if kind == "image" and _is_image(block.get("source")):
            images += 1
            inline_bytes += _inline_bytes(block.get("source"))
            continue
        inner = _within(kind, block)
        if inner is None:
            opaque += 1
        else:
            blocks.extend(inner)
    return Content(messages=messages, images=images, opaque=opaque, inline_bytes=inline_bytes)


def _within(kind: Any, block: Any) -> list[Any] | None:
    """The blocks in a block, none in one that is text; `None` for one that its bytes do not bound."""
    if type(kind) is not str:
        return None
    if kind in _TEXTS:
        return []
    if kind in _AROUND:
        return _listed(block.get("content"))
    if kind == "search_result":
        return None if _is_cited(block) else []
    return _in_document(block) if kind == "document" else None


def _in_document(block: Json) -> list[Any] | None:
    """A document that is written out in the request is text, unless citations make its provider cut and mark it."""
    source = block.get("source")
    if type(source) is not dict or _is_cited(block):
        return None
    if source.get("type") == "text":
        return []
    return _listed(source.get("content")) if source.get("type") == "content" else None


def _is_cited(block: Json) -> bool:
    citations = block.get("citations")
    return citations is not None and not (type(citations) is dict and citations.get("enabled") is False)


def _listed(content: Any) -> list[Any] | None:
    if content is None or type(content) is str:
        return []
    return content if type(content) is list else None


def _is_image(source: Any) -> bool:
    """Whether an image's data are said to be one: a provider of another dialect may go by their type alone."""
    if type(source) is not dict or source.get("type") != "base64":
        return True
    kind = source.get("media_type")
    return type(kind) is not str or kind.startswith("image/")


def _inline_bytes(source: Any) -> int:
    """Bytes of base64 in an image; a JSON string is never shorter than what it spells, so this never takes too much."""
    data = source.get("data") if type(source) is dict and source.get("type") == "base64" else None
    return len(data) if type(data) is str and data.isascii() else 0
