"""Reads the head of a responses request as that of a chat request, so that one rule bounds both."""

from typing import Any, Final

from application.dialects.openai import fields
from application.dialects.openai.document import Json, parsed, patched, written
from application.dialects.openai.responses.content import read_input
from application.dialects.openai.responses.refused import refuse_stateful, tools_of
from application.wire.head import OUTPUT_TOKENS_MAX, ChatHead, parse_object, service_tier
from application.wire.prompt import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY, PromptText
from application.wire.spending import unpriced_members
from application.wire.stored import stored_references

_SPENDING: Final = ("background_options", "context_management", "moderation")
"""Other prices, summaries that are billed, a second model."""
PATH: Final = b"/responses"
NO_STORE: Final = "no_store"
"""Trait: the provider does not know the member `store`."""
_CLIENT_TOOLS: Final = frozenset(
    {
        "function",
        "custom",
        "namespace",
        "local_shell",
        "apply_patch",
        "computer",
        "computer_use_preview",
    }
)
"""Tools that the client runs. All others, and those to come, the provider runs, with tokens that no byte here shows."""


def parse_responses(body: bytes) -> ChatHead:
    """Check and read a request body. A stream of responses always tells its usage.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    request = parse_object(body)
    refuse_stateful(request)
    stream = fields.flag(request, "stream")
    tools = _provider_tools(request)
    return ChatHead(
        model=fields.model(request),
        stream=stream,
        include_usage=stream,
        max_tokens=None,
        max_completion_tokens=fields.count(request, "max_output_tokens", most=OUTPUT_TOKENS_MAX),
        n=1,
        user=fields.user(request),
        metadata=fields.tags(request),
        content=read_input(request),
        has_prediction=False,
        provider_tools=tools,
        body_bytes=len(body),
        unpriced=unpriced_members(request, provider_tools=tools > 0)
        + _unpriced(request)
        + stored_references(body, request),
        service_tier=service_tier(request),
    )


def _unpriced(request: Json) -> tuple[str, ...]:
    """What spends in this endpoint only; see `application.wire.spending`."""
    found = [name for name in _SPENDING if request.get(name) not in (None, [], {})]
    reasoning = fields.optional_object(request, "reasoning")
    if reasoning.get("mode") not in (None, "standard"):
        found.append("reasoning.mode")
    return tuple(found)


def patch_responses(
    body: bytes, *, model: str, max_output_tokens: int | None, takes_store: bool = True
) -> bytes:
    """The body for a deployment. `store` is always false: an answer that one account kept could be read by all who share it.

    `max_output_tokens` is the bound that was held for; `None` leaves the client's. `takes_store`: the provider knows the
    member. `body` must have passed `parse_responses`; anything else raises a `msgspec.DecodeError`.
    """
    members: dict[str, object] = {"model": model}
    if max_output_tokens is not None:
        members["max_output_tokens"] = max_output_tokens
    if takes_store:
        members["store"] = False
    return patched(body, members, without=() if takes_store else ("store",))


def _provider_tools(request: Json) -> int:
    fields.objects(request, "tools")  # raises if they are none
    return sum(not (isinstance(tool, dict) and _is_client_tool(tool)) for tool, _ in tools_of(request))


def _is_client_tool(tool: Json) -> bool:
    kind = tool.get("type")
    return isinstance(kind, str) and kind in _CLIENT_TOOLS


def responses_prompt(body: bytes) -> PromptText | None:
    """The text of a request that has passed `parse_responses`, for a local count of its tokens. Never raises."""
    request = parsed(body)
    if request is None:
        return None
    items = request.get("input")
    texts = [value for value in (request.get("instructions"), items) if isinstance(value, str)]
    messages = items if isinstance(items, list) else [items]
    for item in messages:
        texts.extend(_texts(item))
    texts.extend(written(request[name]).decode() for name in ("tools", "text") if request.get(name))
    return PromptText(texts, TOKENS_PER_REPLY + TOKENS_PER_MESSAGE * len(messages))


def _texts(item: Any) -> list[str]:
    """Every text in an item but for inline data and the names of its kinds."""
    texts: list[str] = []
    waiting: list[Any] = [item] if isinstance(item, dict) else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            waiting.extend(
                value[name]
                for name in ("output", "arguments", "input", "name", "summary", "content", "refusal", "text")
                if name in value
            )
    return texts
