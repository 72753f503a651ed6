"""Tool calls of earlier answers: as blocks, and under ids that Messages take.

A chat may come from any provider, with ids in other characters (`functions.search:0`) or used again in a later turn.
Here an id has to be of letters, digits, `_` and `-`, and stand once in a conversation.
"""

import re
from typing import Any, Final

import msgspec

from application.dialects.anthropic.upstream.notes import object_of, text_at, unsupported, wrong_type
from application.dialects.port import Json
from application.wire.chunk import NOT_JSON
from application.wire.errors import InvalidRequest

_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9_-]")
NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_decode_object: Final = msgspec.json.Decoder(dict[str, Any]).decode
_EMPTY: Final = msgspec.Raw(b"{}")


class CallIds:
    """The ids of the calls that wait for their results, and all that were used before."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._serial = 0
        self._waiting: dict[str, str] = {}  # by the client's id
        self._known: set[str] = set()  # the client's ids of this turn
        self._place = ""

    def begin(self, place: str) -> None:
        """A new assistant message, with its calls at `place`."""
        self._waiting = {}
        self._known = set()
        self._place = place

    def called(self, call_id: str, param: str) -> str:
        if call_id in self._known:
            raise InvalidRequest(
                "invalid_value", param, f"'{param}' is the id of another call of its message."
            )
        cleaned = own = _FOREIGN.sub("_", call_id) or "call"
        while own in self._used:
            self._serial += 1
            own = f"{cleaned}_{self._serial}"
        self._used.add(own)
        self._known.add(call_id)
        self._waiting[call_id] = own
        return own

    def answered(self, call_id: str, param: str) -> str:
        own = self._waiting.pop(call_id, None)
        if own is None:
            param = f"{param}.tool_call_id"
            why = (
                "is answered twice"
                if call_id in self._known
                else "is no call of the assistant message before"
            )
            raise InvalidRequest("invalid_value", param, f"The call of '{param}' {why}.")
        return own

    def check_all_answered(self) -> None:
        if self._waiting:
            raise InvalidRequest(
                "invalid_value", self._place, f"Not every call in '{self._place}' has its tool message."
            )


def tool_use(call: Json, param: str, ids: CallIds) -> Json:
    """The block of one tool call; its arguments stay as they were written.

    Raises:
        InvalidRequest: it is malformed, or no call of a function.
    """
    if call.get("type") not in ("function", None):
        raise unsupported(f"{param}.type", "only functions can be called")
    own = ids.called(text_at(call, "id", param), f"{param}.id")
    function = object_of(call.get("function"), f"{param}.function")
    name = text_at(function, "name", f"{param}.function")
    check_name(name, f"{param}.function.name")
    arguments = _arguments(function.get("arguments"), f"{param}.function.arguments")
    return {"type": "tool_use", "id": own, "name": name, "input": arguments}


def check_name(name: str, param: str) -> None:
    if not NAME.fullmatch(name):
        raise InvalidRequest(
            "invalid_value", param, f"'{param}' must be 1 to 64 letters, digits, underscores and hyphens."
        )


def _arguments(text: Any, param: str) -> msgspec.Raw:
    if text is None or text == "":
        return _EMPTY
    if type(text) is not str:
        raise wrong_type(param, "a string")
    try:
        _decode_object(text)
    except NOT_JSON:
        raise InvalidRequest("invalid_value", param, f"'{param}' must be a JSON object.") from None
    return msgspec.Raw(text.encode())
