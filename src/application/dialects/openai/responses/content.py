"""Counts what bounds the prompt of a responses request: pictures, clips and what bytes say nothing about."""

from typing import Any, Final

from application.dialects.openai.document import Json
from application.dialects.openai.fields import missing, wrong_type
from application.wire.content import Content, is_image
from application.wire.errors import InvalidRequest

_TEXT_PARTS: Final = frozenset(
    {"input_text", "output_text", "text", "refusal", "reasoning_text", "summary_text"}
)
_TEXT_ITEMS: Final = frozenset(
    {
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "computer_call",
        "computer_call_output",
        "mcp_list_tools",
        "mcp_call",
        "mcp_approval_request",
        "mcp_approval_response",
        "tool_search_call",
        "tool_search_output",
        "additional_tools",
        "program",
        "program_output",
    }
)
"""Items that are spelled by their bytes and by parts. Any other may stand for text of any length: a compaction does."""


class _Counts:
    def __init__(self) -> None:
        self.images = self.audios = self.opaque = self.inline_bytes = 0

    def part(self, part: Any) -> None:
        if not isinstance(part, dict):
            return
        kind = part.get("type")
        if kind in _TEXT_PARTS if isinstance(kind, str) else kind is None:
            return
        if kind in ("input_image", "computer_screenshot") and is_image(part.get("image_url")):
            self.picture(part.get("image_url"))
        elif kind == "input_audio":
            self.audios += 1
            inner = part.get("input_audio")
            data = inner.get("data") if isinstance(inner, dict) else part.get("data")
            self.inline_bytes += len(data) if isinstance(data, str) and data.isascii() else 0
        else:
            self.opaque += 1

    def picture(self, url: object, *, prefix: str = "data:") -> None:
        self.images += 1
        if isinstance(url, str) and url.isascii() and url.startswith(prefix):
            self.inline_bytes += len(url)


def read_input(request: Json) -> Content:
    """Count the parts of `request["input"]`, a text or an array of objects. What they say is left to the upstream.

    Raises:
        InvalidRequest: it is missing or something else.
    """
    items = request.get("input")
    if items is None:
        raise missing("input")
    if isinstance(items, str):
        return Content(messages=2)
    if not isinstance(items, list):
        raise wrong_type("input", "a string or an array of objects", items)
    if not items:
        raise InvalidRequest("empty_array", "input", "'input' must have at least one item.")
    counts = _Counts()
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise wrong_type(f"input[{index}]", "an object", item)
        _count(item, counts)
    return Content(
        messages=len(items) + 1,  # the instructions are one more
        images=counts.images,
        audios=counts.audios,
        opaque=counts.opaque,
        inline_bytes=counts.inline_bytes,
    )


def _count(item: Json, counts: _Counts) -> None:
    kind = item.get("type", "message")
    if kind == "image_generation_call":
        counts.picture(item.get("result"), prefix="")
        return
    if not isinstance(kind, str) or kind not in _TEXT_ITEMS:
        counts.opaque += 1
    for member in ("content", "output"):
        inner = item.get(member)
        for part in inner if isinstance(inner, list) else (inner,):
            counts.part(part)
