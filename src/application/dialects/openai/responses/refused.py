"""Refuses what ties a request to one account at one provider: state that another deployment, or customer, must not see.

Codes: `stateful_not_supported` for all of it; the member is named.
"""

from collections.abc import Iterator
from typing import Any, Final

from application.dialects.openai.document import Json, objects_in
from application.dialects.openai.fields import flag
from application.wire.errors import InvalidRequest

STATEFUL: Final = "stateful_not_supported"
_KEPT_THERE: Final = ("previous_response_id", "conversation", "prompt")
_FILES: Final = ("file_id", "container_id")
_LISTS: Final = ("mcp_list_tools",)
"""Items that tell of tools and bring none."""


def refuse_stateful(request: Json) -> None:
    """Check the whole request.

    Raises:
        InvalidRequest: it refers to what a provider keeps, or asks it to go on in the background.
    """
    for name in _KEPT_THERE:
        if request.get(name) is not None:
            raise _stateful(name)
    if flag(request, "background"):
        raise _stateful("background")
    options = request.get("prompt_cache_options")
    if isinstance(options, dict) and options.get("comparison_response_id") is not None:
        raise _stateful("prompt_cache_options.comparison_response_id")
    items = request.get("input")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            _refuse_item(item, f"input[{index}]")
    for tool, name in tools_of(request):
        if isinstance(tool, dict):
            _refuse_tool(tool, name)


def tools_of(request: Json) -> Iterator[tuple[Any, str]]:
    """Every tool that a request brings, whatever it is, with its place; those within its input and in namespaces too."""
    yield from _tools_in(request, "tools")
    items = request.get("input")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict) and "tools" in item and item.get("type") not in _LISTS:
            yield from _tools_in(item, f"input[{index}].tools")


def _tools_in(holder: Json, name: str) -> Iterator[tuple[Any, str]]:
    waiting = [(holder.get("tools"), name)]
    while waiting:
        tools, place = waiting.pop()
        for index, tool in enumerate(tools if isinstance(tools, list) else ()):
            yield tool, f"{place}[{index}]"
            if isinstance(tool, dict) and tool.get("type") == "namespace":
                waiting.append((tool.get("tools"), f"{name}[{index}].tools"))


def _refuse_item(item: Json, name: str) -> None:
    kind = item.get("type")
    if kind == "item_reference" or (kind is None and "id" in item and "role" not in item):
        raise _stateful(name)
    for member in ("content", "output"):
        inner = item.get(member)
        parts = [inner] if isinstance(inner, dict) else objects_in(item, member)
        for part in parts:
            if part.get("file_id") is not None:
                raise _stateful(f"{name}.{member}")


def _refuse_tool(tool: Json, name: str) -> None:
    if tool.get("vector_store_ids") is not None or tool.get("type") == "file_search":
        raise _stateful(f"{name}.vector_store_ids")
    container = tool.get("container")
    if isinstance(container, str):
        raise _stateful(f"{name}.container")
    for member in ("container", "environment", "input_image_mask"):
        inner = tool.get(member)
        if isinstance(inner, dict) and any(inner.get(kept) for kept in (*_FILES, "file_ids")):
            raise _stateful(f"{name}.{member}")


def _stateful(name: str) -> InvalidRequest:
    return InvalidRequest(
        STATEFUL,
        name,
        f"'{name}' refers to state that is kept at one provider, which this gateway does not offer; "
        "send the whole input instead.",
    )
