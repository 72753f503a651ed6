"""What is gathered while one request is translated, and how members that do not fit are refused.

Refusals name the member and never what it says.
"""

from typing import Any, Final

from application.dialects.names import NAMES_MAX, is_plain_name
from application.dialects.port import Json
from application.wire.errors import InvalidRequest

BREAKPOINTS_MAX: Final = 4
_LIFETIMES: Final = (None, "5m", "1h")


class Notes:
    """The names of members that go no further, and how many cache breakpoints were set."""

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._breakpoints = 0

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(self._dropped)

    def drop(self, name: str) -> None:
        """Note a member. Clients make up names: one that could not stand in a header is only told to be there."""
        if not is_plain_name(name):
            name = "unknown"
        if len(self._dropped) < NAMES_MAX:
            self._dropped[name] = None

    def mark(self, block: Json, source: Json, param: str) -> None:
        """Give `block` the cache breakpoint that `source`, the member at `param`, has; the last one counts.

        Raises:
            InvalidRequest: it is none, or there are more than the provider takes.
        """
        control: Any = source.get("cache_control")
        if control is None:
            return
        param = f"{param}.cache_control".lstrip(".")  # the request itself has no name
        if type(control) is not dict:
            raise wrong_type(param, "an object")
        if control.get("type") != "ephemeral" or control.get("ttl") not in _LIFETIMES:
            raise InvalidRequest(
                "invalid_value", param, f"'{param}' must be ephemeral, for 5 minutes or an hour."
            )
        self._breakpoints += "cache_control" not in block
        if self._breakpoints > BREAKPOINTS_MAX:
            raise InvalidRequest(
                "invalid_value", param, f"There are more than {BREAKPOINTS_MAX} cache breakpoints."
            )
        block["cache_control"] = {name: control[name] for name in ("type", "ttl") if control.get(name)}


def wrong_type(param: str, wanted: str) -> InvalidRequest:
    return InvalidRequest("invalid_type", param, f"'{param}' must be {wanted}.")


def unsupported(param: str, why: str) -> InvalidRequest:
    """It is well formed, but Messages have no way to say it."""
    return InvalidRequest("unsupported_value", param, f"'{param}' cannot be served by this model: {why}.")


def text_at(source: Json, name: str, param: str) -> str:
    """The string `name` in the member at `param`; it must be there."""
    value = source.get(name)
    if type(value) is not str:
        raise wrong_type(f"{param}.{name}", "a string")
    return value


def object_of(value: Any, param: str) -> Json:
    if type(value) is not dict:
        raise wrong_type(param, "an object")
    return value


def list_of(value: Any, param: str) -> list[Any]:
    if type(value) is not list:
        raise wrong_type(param, "an array")
    return value
