"""Reads members of a request body, with the refusals that name the member and never its content."""

from typing import Any, Final

from application.wire.errors import InvalidRequest
from application.wire.head import (
    METADATA_KEY_CHARS_MAX,
    METADATA_PAIRS_MAX,
    METADATA_VALUE_CHARS_MAX,
    MODEL_CHARS_MAX,
    USER_CHARS_MAX,
)

Json = dict[str, Any]

_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    str: "a string",
    list: "an array",
}


def missing(name: str) -> InvalidRequest:
    return InvalidRequest("missing_required_parameter", name, f"Missing required parameter: '{name}'.")


def wrong_type(name: str, wanted: str, value: object) -> InvalidRequest:
    return InvalidRequest(
        "invalid_type", name, f"'{name}' must be {wanted}, not {_KINDS.get(type(value), 'an object')}."
    )


def unsupported(name: str, why: str) -> InvalidRequest:
    """It is well formed and cannot be served here."""
    return InvalidRequest("unsupported_value", name, f"'{name}' {why}.")


def optional_model(request: Json) -> str | None:
    """The model, where an endpoint has a default one."""
    return None if request.get("model") is None else model(request)


def model(request: Json) -> str:
    return checked_model(request.get("model"))


def checked_model(name: object) -> str:
    if name is None:
        raise missing("model")
    if type(name) is not str:
        raise wrong_type("model", "a string", name)
    if not name or not name.isprintable() or len(name) > MODEL_CHARS_MAX:
        raise InvalidRequest(
            "invalid_value", "model", f"'model' must be 1 to {MODEL_CHARS_MAX} printable characters."
        )
    return name


def flag(request: Json, name: str) -> bool:
    value = request.get(name)
    if value is not None and type(value) is not bool:
        raise wrong_type(name, "a boolean", value)
    return bool(value)


def count(request: Json, name: str, *, least: int = 1, most: int) -> int | None:
    value = request.get(name)
    if value is None:
        return None
    if type(value) is not int:
        raise wrong_type(name, "an integer", value)
    if not least <= value <= most:
        raise InvalidRequest("invalid_value", name, f"'{name}' must be between {least} and {most}.")
    return value


def text(request: Json, name: str) -> str:
    """A required string; an empty one is left to the upstream."""
    value = request.get(name)
    if value is None:
        raise missing(name)
    if type(value) is not str:
        raise wrong_type(name, "a string", value)
    return value


def text_at(holder: Json, name: str, param: str) -> str:
    """The string `name` in the member at `param`."""
    value = holder.get(name)
    if value is None:
        raise missing(f"{param}.{name}")
    if type(value) is not str:
        raise wrong_type(f"{param}.{name}", "a string", value)
    return value


def optional_text(request: Json, name: str) -> str | None:
    return None if request.get(name) is None else text(request, name)


def objects(request: Json, name: str) -> list[Json]:
    """An optional array of objects."""
    value = request.get(name)
    if value is None:
        return []
    if type(value) is not list:
        raise wrong_type(name, "an array", value)
    for index, item in enumerate(value):
        if type(item) is not dict:
            raise wrong_type(f"{name}[{index}]", "an object", item)
    return value


def optional_object(request: Json, name: str) -> Json:
    value = request.get(name)
    if value is None:
        return {}
    if type(value) is not dict:
        raise wrong_type(name, "an object", value)
    return value


def user(request: Json) -> str | None:
    """As in a chat request: kept for the record, cut to its length."""
    value = optional_text(request, "user")
    if value is None:
        return None
    _refuse_nul("user", value)
    return value[:USER_CHARS_MAX]


def tags(request: Json) -> dict[str, str] | None:
    """`metadata` as in a chat request: the pairs within the limits; the rest is the upstream's to judge."""
    if request.get("metadata") is None:
        return None
    kept: dict[str, str] = {}
    for key, value in optional_object(request, "metadata").items():
        if len(kept) == METADATA_PAIRS_MAX:
            break
        _refuse_nul("metadata", key)
        if (
            type(value) is str
            and len(key) <= METADATA_KEY_CHARS_MAX
            and len(value) <= METADATA_VALUE_CHARS_MAX
        ):
            _refuse_nul("metadata", value)
            kept[key] = value
    return kept


def utf8_bytes(value: str) -> int:
    """The length in bytes, which no count of tokens exceeds."""
    return len(value.encode("utf-8", "replace"))


def _refuse_nul(name: str, value: str) -> None:
    if "\0" in value:
        raise InvalidRequest("invalid_value", name, f"'{name}' must not contain NUL characters.")


def texts_or_tokens(name: str, items: list[Any]) -> None:
    """Check that a non-empty array has strings, or token ids, or non-empty arrays of token ids, and one of these only."""
    kind = type(items[0])
    if kind not in (str, int, list) or any(type(item) is not kind for item in items):
        raise InvalidRequest(
            "invalid_type", name, f"'{name}' must have strings, or token ids, or arrays of token ids."
        )
    for tokens in items if kind is list else ():
        if not tokens or any(type(token) is not int for token in tokens):
            raise InvalidRequest("invalid_type", name, f"'{name}' must have arrays of token ids.")
