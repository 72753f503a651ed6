"""Reads the head of a messages request: what the gateway must know before it can price, hold and route.

It comes as a `ChatHead`, so that bounds, limits and the record are made as for chat. `max_tokens` is required here.
"""

from typing import Any, Final

from application.dialects.anthropic.surface.errors import THREAD_UNSUPPORTED
from application.dialects.anthropic.surface.members import (
    count,
    flag,
    invalid,
    objects,
    optional_object,
    optional_text,
    text,
)
from application.dialects.anthropic.surface.pieces import read_content
from application.dialects.port import Json
from application.wire.errors import InvalidRequest
from application.wire.head import (
    MODEL_CHARS_MAX,
    OUTPUT_TOKENS_MAX,
    USER_CHARS_MAX,
    ChatHead,
    parse_object,
    service_tier,
)
from application.wire.spending import unpriced_members
from application.wire.stored import kept_container, stored_references

_CLIENT_TOOLS: Final = (None, "custom")
"""Every other kind of tool brings a schema, instructions or searches that no byte of the request shows."""
_PROVIDER_WORK: Final = ("mcp_servers", "container")
_NO_THREADS: Final = (
    "'thread' refers to a conversation that the provider keeps in an account that all customers share, which this "
    "gateway does not offer; send all messages instead."
)
_HARMLESS_EDIT: Final = "clear_"
"""Edits of the context by this name leave things out; others, such as compaction, ask the model once more."""


def parse_messages(body: bytes) -> ChatHead:
    """Check and read the body of a `/v1/messages` request.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    request = parse_object(body)
    # Zero asks to fill the provider's prompt cache, and for no answer.
    limit = count(request.get("max_tokens"), "max_tokens", least=0, most=OUTPUT_TOKENS_MAX)
    return _head(request, body, max_tokens=limit)


def parse_count(body: bytes) -> ChatHead:
    """The same of a `/v1/messages/count_tokens` request, which has no `max_tokens`.

    Raises:
        InvalidRequest: as `parse_messages`.
    """
    return _head(parse_object(body), body, max_tokens=None)


def _head(request: Json, body: bytes, *, max_tokens: int | None) -> ChatHead:
    if request.get("thread") is not None:
        raise InvalidRequest(THREAD_UNSUPPORTED, "thread", _NO_THREADS)
    stream = flag(request.get("stream"), "stream")
    tools = _provider_tools(request)
    return ChatHead(
        model=_model(request.get("model")),
        stream=stream,
        include_usage=stream,  # this dialect always tells it
        max_tokens=max_tokens,
        max_completion_tokens=None,
        n=1,
        user=_user(request),
        metadata=None,
        content=read_content(request),
        has_prediction=False,
        provider_tools=tools,
        body_bytes=len(body),
        unpriced=unpriced_members(request, provider_tools=tools > 0)
        + stored_references(body, request)
        + kept_container(request),
        service_tier=service_tier(request),
    )


def _model(value: Any) -> str:
    model = text(value, "model")
    if not 1 <= len(model) <= MODEL_CHARS_MAX:
        raise invalid("model", f"1 to {MODEL_CHARS_MAX} characters long")
    if not model.isprintable():
        raise invalid("model", "printable")
    return model


def _user(request: Json) -> str | None:
    metadata = optional_object(request.get("metadata"), "metadata")
    user = optional_text(metadata.get("user_id"), "metadata.user_id")
    if "\0" in user:
        raise invalid("metadata.user_id", "without NUL characters")
    return user[:USER_CHARS_MAX] or None


def _provider_tools(request: Json) -> int:
    """What makes the provider work by itself: its own tools and servers, and edits that ask the model again."""
    kinds = [tool.get("type") for tool in objects(request.get("tools"), "tools")]
    count = sum(kind not in _CLIENT_TOOLS for kind in kinds)
    count += sum(bool(request.get(name)) for name in _PROVIDER_WORK)
    management = optional_object(request.get("context_management"), "context_management")
    edits = [edit.get("type") for edit in objects(management.get("edits"), "context_management.edits")]
    return count + sum(type(kind) is not str or not kind.startswith(_HARMLESS_EDIT) for kind in edits)
