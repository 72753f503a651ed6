"""Reads the head of a chat request: what the gateway must know before it can price, hold and route.

Owns the check that a body is one well-formed JSON object that every parser downstream reads alike, and the
types and ranges of the few members read. Everything else is left to the upstream and passes unchanged.
Sizes are bytes, counts are of the parsed request.
"""

import json
from collections import Counter
from typing import Any, Final

import msgspec

from application.wire.content import Content, read_messages
from application.wire.errors import InvalidRequest
from application.wire.spending import unpriced_members
from application.wire.stored import spoken_before, stored_references

MODEL_CHARS_MAX: Final = 200
USER_CHARS_MAX: Final = 512
CHOICES_MAX: Final = 128
OUTPUT_TOKENS_MAX: Final = 2**31 - 1
METADATA_PAIRS_MAX: Final = 16
METADATA_KEY_CHARS_MAX: Final = 64
METADATA_VALUE_CHARS_MAX: Final = 512
_NAME_CHARS_SHOWN: Final = 64
_CLIENT_TOOLS: Final = ("function", "custom")
_SEARCHES: Final = frozenset(("web_search_options", "search_parameters", "search_settings", "plugins"))

_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    str: "a string",
    list: "an array",
}

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class ChatHead(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the gateway reads of a chat request."""

    model: str
    stream: bool
    include_usage: bool  #: the client asked for usage on its stream
    max_tokens: int | None
    max_completion_tokens: int | None
    n: int
    user: str | None
    metadata: dict[str, str] | None
    content: Content
    has_prediction: bool  #: rejected predicted tokens are billed as output, beyond the bound of the answer
    provider_tools: (
        int  #: what makes a provider search, fetch or call models by itself: tokens that no byte here shows
    )
    body_bytes: int
    unpriced: tuple[str, ...] = ()  #: members that spend beyond tokens, see `spending`
    service_tier: str = ""  #: as the client asked for it

    @property
    def output_limit(self) -> int | None:
        """The narrower of the client's two bounds on one answer, or none."""
        if self.max_tokens is None:
            return self.max_completion_tokens
        if self.max_completion_tokens is None:
            return self.max_tokens
        return min(self.max_tokens, self.max_completion_tokens)


def parse_chat(body: bytes) -> ChatHead:
    """Check and read a request body.

    Raises:
        InvalidRequest: for every body that cannot be served; nothing else escapes, whatever the bytes.
    """
    request = parse_object(body)
    stream = _flag(request, "stream")
    tools = _provider_tools(request)
    return ChatHead(
        model=_model(request),
        stream=stream,
        include_usage=stream and _include_usage(request),
        max_tokens=_output_bound(request, "max_tokens"),
        max_completion_tokens=_output_bound(request, "max_completion_tokens"),
        n=_count(request, "n", CHOICES_MAX) or 1,
        user=_user(request),
        metadata=_metadata(request),
        content=read_messages(request),
        has_prediction=request.get("prediction") is not None,
        provider_tools=tools if _SEARCHES.isdisjoint(request) else tools + _searches(request),
        body_bytes=len(body),
        unpriced=unpriced_members(request, provider_tools=tools > 0)
        + stored_references(body, request)
        + spoken_before(request["messages"]),
        service_tier=service_tier(request),
    )


def _searches(request: dict[str, Any]) -> int:
    return sum(request.get(name) is not None for name in _SEARCHES)


def service_tier(request: dict[str, Any]) -> str:
    """The tier that a client asks for; empty where it is none."""
    tier = request.get("service_tier")
    return tier if type(tier) is str else ""


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object that `body` is, sure to have no member twice.

    Raises:
        InvalidRequest: it is not UTF-8, not JSON, nested too deep, no object, or has a duplicate key anywhere.
    """
    try:
        request = _decode(body)
        written = _encode(request)
        # Bytes that come back the same had nothing to lose: no member was swallowed by a later one.
        if written != body:
            _refuse_duplicate_keys(body, written)
    except RecursionError:
        raise InvalidRequest("nesting_too_deep", None, "The body is nested too deep.") from None
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise _not_json(body, error) from None
    if not isinstance(request, dict):
        raise InvalidRequest("invalid_type", None, f"The body must be a JSON object, not {_kind(request)}.")
    return request


def _not_json(body: bytes, error: Exception) -> InvalidRequest:
    if not body.strip():
        reason = "it is empty"
    elif body.startswith(b"\xef\xbb\xbf"):
        reason = "it starts with a byte order mark"
    elif isinstance(error, UnicodeError):
        reason = "it is not valid UTF-8"
    elif isinstance(error, msgspec.ValidationError):
        reason = "it has a number that is out of range"
    else:
        reason = "it is malformed, or cut short"
    return InvalidRequest("invalid_json", None, f"The body could not be parsed as JSON: {reason}.")


def _refuse_duplicate_keys(body: bytes, written: bytes) -> None:
    """Blanks are the usual reason for bytes that do not come back the same; then the spelling of numbers and text."""
    if msgspec.json.format(body, indent=-1) != written:
        json.loads(body, object_pairs_hook=_without_duplicates)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        names = Counter(name for name, _ in pairs)
        name = _shown(names.most_common(1)[0][0])
        raise InvalidRequest("duplicate_key", name, f"The key '{name}' is there more than once.")


def _model(request: dict[str, Any]) -> str:
    model = request.get("model")
    if type(model) is not str:
        if model is None:
            raise InvalidRequest(
                "missing_required_parameter", "model", "Missing required parameter: 'model'."
            )
        raise _wrong_type("model", "a string", model)
    if not model:
        raise InvalidRequest("invalid_value", "model", "'model' must not be empty.")
    if len(model) > MODEL_CHARS_MAX:
        raise InvalidRequest(
            "invalid_value", "model", f"'model' is longer than {MODEL_CHARS_MAX} characters."
        )
    if not model.isprintable():
        raise InvalidRequest("invalid_value", "model", "'model' has characters that cannot be shown.")
    return model


def _flag(request: dict[str, Any], name: str) -> bool:
    value = request.get(name)
    if value is None:
        return False
    if type(value) is not bool:
        raise _wrong_type(name, "a boolean", value)
    return value


def _include_usage(request: dict[str, Any]) -> bool:
    options = request.get("stream_options")
    if options is None:
        return False
    if type(options) is not dict:
        raise _wrong_type("stream_options", "an object", options)
    wanted = options.get("include_usage")
    if wanted is not None and type(wanted) is not bool:
        raise _wrong_type("stream_options.include_usage", "a boolean", wanted)
    return bool(wanted)


def _output_bound(request: dict[str, Any], name: str) -> int | None:
    """A client's bound of an answer. The dialect allows 0, which some upstreams take for no bound: it becomes 1."""
    bound = _count(request, name, OUTPUT_TOKENS_MAX, least=0)
    return bound if bound is None else max(bound, 1)


def _count(request: dict[str, Any], name: str, most: int, *, least: int = 1) -> int | None:
    value = request.get(name)
    if value is None:
        return None
    if type(value) is not int:  # a bool is no number here, and 1.0 is none either
        raise _wrong_type(name, "an integer", value)
    if not least <= value <= most:
        raise InvalidRequest("invalid_value", name, f"'{name}' must be between {least} and {most}.")
    return value


def _provider_tools(request: dict[str, Any]) -> int:
    count = 0
    tools = request.get("tools")
    if type(tools) is list:
        for tool in tools:
            if type(tool) is not dict or not _is_clients(tool):
                count += 1
    return count


def _is_clients(tool: dict[str, Any]) -> bool:
    """Whether the client runs it; Mistral's clients leave the type of a function out."""
    kind = tool.get("type")
    return kind in _CLIENT_TOOLS if kind is not None else type(tool.get("function")) is dict


def _user(request: dict[str, Any]) -> str | None:
    """The client's name for its end user, for the record; control characters would poison it, length only costs."""
    user = request.get("user")
    if user is None:
        return None
    if type(user) is not str:
        raise _wrong_type("user", "a string", user)
    _refuse_nul("user", user)
    return user[:USER_CHARS_MAX]


def _metadata(request: dict[str, Any]) -> dict[str, str] | None:
    """Tags for the record: the pairs of strings within the limits. What does not fit is the upstream's to judge."""
    metadata = request.get("metadata")
    if metadata is None:
        return None
    if type(metadata) is not dict:
        raise _wrong_type("metadata", "an object", metadata)
    tags: dict[str, str] = {}
    for key, value in metadata.items():
        if len(tags) == METADATA_PAIRS_MAX:
            break
        _refuse_nul("metadata", key)
        if (
            type(value) is str
            and len(key) <= METADATA_KEY_CHARS_MAX
            and len(value) <= METADATA_VALUE_CHARS_MAX
        ):
            _refuse_nul("metadata", value)
            tags[key] = value
    return tags


def _refuse_nul(name: str, value: str) -> None:
    if "\0" in value:
        raise InvalidRequest("invalid_value", name, f"'{name}' must not contain NUL characters.")


def _wrong_type(name: str, wanted: str, value: object) -> InvalidRequest:
    return InvalidRequest("invalid_type", name, f"'{name}' must be {wanted}, not {_kind(value)}.")


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "an object")


def _shown(key: str) -> str:
    shown = "".join(character if character.isprintable() else "?" for character in key[:_NAME_CHARS_SHOWN])
    return shown.replace("'", "?")
