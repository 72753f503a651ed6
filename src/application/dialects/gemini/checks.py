"""Reads members of a stranger's request, which may be of any type; what does not fit is refused by its name.

`param` is a path such as `messages[0].content`; a message never holds anything that the request says.
"""

import math
from typing import Any

from application.dialects.port import Json
from application.wire.errors import InvalidRequest


def wrong_type(param: str, wanted: str) -> InvalidRequest:
    return InvalidRequest("invalid_type", param, f"'{param}' must be {wanted}.")


def wrong_value(param: str, message: str) -> InvalidRequest:
    return InvalidRequest("invalid_value", param, f"'{param}' {message}.")


def unsupported(param: str, message: str) -> InvalidRequest:
    """This model or dialect has no way to say it."""
    return InvalidRequest("unsupported_parameter", param, f"'{param}' {message}.")


def text(value: Any, param: str) -> str:
    if type(value) is not str:
        raise wrong_type(param, "a string")
    return value


def name(value: Any, param: str) -> str:
    """A string that is not empty."""
    if not text(value, param):
        raise wrong_value(param, "must not be empty")
    return str(value)


def mapping(value: Any, param: str) -> Json:
    if type(value) is not dict:
        raise wrong_type(param, "an object")
    return value


def sequence(value: Any, param: str) -> list[Any]:
    if type(value) is not list:
        raise wrong_type(param, "an array")
    return value


def flag(value: Any, param: str) -> bool:
    if type(value) is not bool:
        raise wrong_type(param, "a boolean")
    return value


def integer(value: Any, param: str) -> int:
    if type(value) is not int:  # a bool is no number here
        raise wrong_type(param, "an integer")
    return value


def number(value: Any, param: str) -> int | float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise wrong_type(param, "a number")
    return value  # type: ignore[no-any-return]  # one of the two types, says the line above
