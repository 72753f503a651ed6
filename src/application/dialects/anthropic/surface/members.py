"""Members of a request by strangers, read as one type or refused by name. What a member says is never repeated."""

from typing import Any

from application.dialects.port import Json
from application.wire.errors import InvalidRequest

_Number = int | float


def missing(param: str) -> InvalidRequest:
    return InvalidRequest("missing_required_parameter", param, f"Missing required parameter: '{param}'.")


def wrong_type(param: str, wanted: str) -> InvalidRequest:
    return InvalidRequest("invalid_type", param, f"'{param}' must be {wanted}.")


def invalid(param: str, wanted: str) -> InvalidRequest:
    return InvalidRequest("invalid_value", param, f"'{param}' must be {wanted}.")


def unsupported(param: str, what: str) -> InvalidRequest:
    """It may be well-formed, but no chat completion can say it; a provider of this dialect may serve it."""
    return InvalidRequest(
        "unsupported_parameter", param, f"'{param}': {what} cannot be served by the provider of this model."
    )


def text(value: Any, param: str) -> str:
    if value is None:
        raise missing(param)
    if type(value) is not str:
        raise wrong_type(param, "a string")
    return value


def optional_text(value: Any, param: str) -> str:
    """Empty where there is none."""
    return "" if value is None else text(value, param)


def flag(value: Any, param: str) -> bool:
    if value is None:
        return False
    if type(value) is not bool:
        raise wrong_type(param, "a boolean")
    return value


def number(value: Any, param: str) -> _Number:
    if type(value) is not int and type(value) is not float:  # a bool is no number here
        raise wrong_type(param, "a number")
    return value


def count(value: Any, param: str, *, least: int, most: int) -> int:
    if value is None:
        raise missing(param)
    if type(value) is not int:
        raise wrong_type(param, "an integer")
    if not least <= value <= most:
        raise invalid(param, f"between {least} and {most}")
    return value


def optional_object(value: Any, param: str) -> Json:
    """Empty where there is none."""
    if value is None:
        return {}
    if type(value) is not dict:
        raise wrong_type(param, "an object")
    return value


def an_object(value: Any, param: str) -> Json:
    if value is None:
        raise missing(param)
    return optional_object(value, param)


def objects(value: Any, param: str) -> list[Json]:
    """An array of objects; empty where there is none."""
    if value is None:
        return []
    if type(value) is not list:
        raise wrong_type(param, "an array of objects")
    for index, item in enumerate(value):
        if type(item) is not dict:
            raise wrong_type(f"{param}[{index}]", "an object")
    return value


def numbered(items: list[Json], param: str) -> list[tuple[str, Json]]:
    """Each item with the name that a refusal gives it."""
    return [(f"{param}[{index}]", item) for index, item in enumerate(items)]
