"""What a chat message or delta says, however odd its types: texts in order, and calls."""

from typing import Any, Final, Literal

import msgspec

from application.dialects.port import Json
from application.wire.spoken import parts_text

Kind = Literal["thinking", "text"]
LEGACY_INDEX: Final = -1
"""The place of a call in the member that calls had before there could be several."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """A call, or a piece of one. Empty members were not said."""

    index: int | None
    id: str
    name: str
    arguments: str


def first_choice(document: Json) -> Json:
    """The choice that is shown: this dialect has one. Empty if there is none."""
    choices = document.get("choices")
    for choice in choices if type(choices) is list else ():
        if type(choice) is dict and choice.get("index", 0) in (0, None):
            return choice
    return {}


def texts(said: Json) -> list[tuple[Kind, str]]:
    """Thoughts and texts in order; none is empty. The same thought under two names counts once."""
    found: list[tuple[Kind, str]] = []
    thought = said.get("reasoning_content") or said.get("reasoning")
    if type(thought) is str and thought:
        found.append(("thinking", thought))
    content = said.get("content")
    for part in content if type(content) is list else [content]:
        kind: Kind = "thinking" if type(part) is dict and part.get("type") == "thinking" else "text"
        text = parts_text([part])
        if text:
            found.append((kind, text))
    refusal = refused(said)
    return [*found, ("text", refusal)] if refusal else found


def refused(said: Json) -> str:
    refusal = said.get("refusal")
    return refusal if type(refusal) is str else ""


def calls(said: Json) -> list[Call]:
    """The calls of functions, in order."""
    listed = said.get("tool_calls")
    found = [
        _call(call.get("index"), call.get("id"), call["function"])
        for call in (listed if type(listed) is list else ())
        if type(call) is dict and type(call.get("function")) is dict
    ]
    legacy = said.get("function_call")
    if type(legacy) is dict:
        found.append(_call(LEGACY_INDEX, None, legacy))
    return found


def _call(index: Any, call_id: Any, function: Json) -> Call:
    return Call(
        index if type(index) is int else None,
        _text(call_id),
        _text(function.get("name")),
        _text(function.get("arguments")),
    )


def _text(value: Any) -> str:
    return value if type(value) is str else ""
