"""An answer of one of these endpoints before it is sent, and the few things that all of them do."""

from typing import Any, Final

import msgspec

from sandbox.answer import Answer
from sandbox.chat import Event
from sandbox.errors import Refused
from sandbox.script import Script

PIECE_BYTES: Final = 16 * 1024
_decode: Final = msgspec.json.Decoder().decode


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One of `whole`, `body` and `events` is the answer; `usage` is the truth, whether it is told or not."""

    model: str
    metadata: dict[str, Any]
    usage: dict[str, Any]
    whole: dict[str, Any] | None = None
    body: bytes | None = None
    content_type: str = "application/json"
    events: tuple[dict[str, Any], ...] = ()


class MadeAnswer(Answer):
    """On its way out, ready for a fault to bend."""

    def __init__(self, made: Made, script: Script) -> None:
        super().__init__(script, stream=bool(made.events), usage=made.usage)
        self.made = made

    def whole(self) -> dict[str, Any]:
        return dict(self.made.whole or {})

    def events(self, *, include_usage: bool | None = None) -> list[Event]:  # noqa: ARG002  the last event has it always
        return [Event("content", dict(data)) for data in self.made.events]

    def pieces(self) -> list[bytes]:
        """A body that is no JSON, as it goes out."""
        body = self.made.body or b""
        return [body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES)]


def object_of(body: bytes) -> dict[str, Any]:
    """Raises: Refused."""
    try:
        value = _decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(400, "We could not parse the JSON body of your request.", code="invalid_json")
    return value


def required(members: dict[str, Any], name: str, kind: type) -> Any:
    """Raises: Refused."""
    value = members.get(name)
    if not isinstance(value, kind):
        raise Refused(400, f"'{name}' is missing or of a wrong type.", code="invalid_type", param=name)
    return value


def metadata_of(members: dict[str, Any]) -> dict[str, Any]:
    """The object `metadata`, in a form as JSON; an empty one if there is none."""
    value = members.get("metadata")
    if isinstance(value, str):
        value = object_of(value.encode())
    return value if isinstance(value, dict) else {}
