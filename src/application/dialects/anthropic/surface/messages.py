"""The shape of what an upstream of this dialect answers, as far as the gateway looks: whole messages and events.

Typed decoding skips what is not named here. What does not fit the types is read loosely.
"""

import json
from typing import Any, Final

import msgspec

from application.dialects.port import Json
from application.wire.chunk import NOT_JSON, BaseResp, loose_object
from application.wire.spoken import Spoken

_NULL: Final = msgspec.Raw(b"null")


class Delta(msgspec.Struct, gc=False):
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class Block(msgspec.Struct, gc=False):
    """A content block. `input` is what a call was made with; results of the provider's own tools are not its model's."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    name: str | None = None
    input: msgspec.Raw = _NULL


class Message(msgspec.Struct, gc=False):
    """A whole answer, or its beginning in a stream."""

    type: str = ""
    content: list[Block] | None = None
    stop_reason: str | None = None
    usage: msgspec.Raw = _NULL
    error: Any = None
    base_resp: BaseResp | None = None

    @property
    def failed(self) -> bool:
        """It says, with status 200, that it failed; MiniMax has a way of its own."""
        return (
            self.type == "error"
            or bool(self.error)
            or (self.base_resp is not None and self.base_resp.status_code != 0)
        )


class Event(msgspec.Struct, gc=False):
    """One event of a stream."""

    type: str = ""
    delta: Delta | None = None
    content_block: Block | None = None
    message: Message | None = None
    usage: msgspec.Raw = _NULL
    error: Any = None

    @property
    def failed(self) -> bool:
        return self.type == "error" or bool(self.error)


_decode_event: Final = msgspec.json.Decoder(Event).decode
_decode_message: Final = msgspec.json.Decoder(Message).decode
_decode: Final = msgspec.json.Decoder().decode


def read_event(data: bytes) -> Event | None:
    """The payload of an event; `None` if it is no object."""
    try:
        return _decode_event(data)
    except NOT_JSON:
        members = loose_object(data)
    if members is None:
        return None
    message = members.get("message")
    return Event(
        type=_text(members.get("type")) or "",
        delta=_loose_delta(members.get("delta")),
        content_block=_loose_block(members.get("content_block")),
        message=_loose_message(message) if type(message) is dict else None,
        usage=_raw(members.get("usage")),
        error=members.get("error"),
    )


def read_whole(body: bytes) -> Message | None:
    """A whole answer; `None` if it is no object."""
    try:
        return _decode_message(body)
    except NOT_JSON:
        members = loose_object(body)
    return None if members is None else _loose_message(members)


def usage_members(raw: msgspec.Raw) -> Json:
    """The members of a usage object; none if there is none."""
    if bytes(raw)[:1] != b"{":
        return {}
    try:
        members = _decode(raw)
    except NOT_JSON:
        return {}
    return members if type(members) is dict else {}


def add_block(spoken: Spoken, block: Block) -> None:
    """What the model generated of a block: texts, thoughts, and the name and input of a call."""
    if block.type.endswith("_result"):
        return
    spoken.add((block.text or "") + (block.thinking or "") + (block.name or ""))
    made_with = bytes(block.input)
    if made_with not in (b"null", b"{}"):
        spoken.add(made_with.decode("utf-8", "replace"))


def _loose_delta(delta: Any) -> Delta | None:
    if type(delta) is not dict:
        return None
    return Delta(
        text=_text(delta.get("text")),
        thinking=_text(delta.get("thinking")),
        partial_json=_text(delta.get("partial_json")),
        stop_reason=_text(delta.get("stop_reason")),
    )


def _loose_block(block: Any) -> Block | None:
    if type(block) is not dict:
        return None
    return Block(
        type=_text(block.get("type")) or "",
        text=_text(block.get("text")),
        thinking=_text(block.get("thinking")),
        name=_text(block.get("name")),
        input=_raw(block.get("input")),
    )


def _loose_message(members: Json) -> Message:
    content = members.get("content")
    base = members.get("base_resp")
    code = base.get("status_code") if type(base) is dict else None
    return Message(
        type=_text(members.get("type")) or "",
        content=[found for block in content if (found := _loose_block(block))]
        if type(content) is list
        else None,
        stop_reason=_text(members.get("stop_reason")),
        usage=_raw(members.get("usage")),
        error=members.get("error"),
        base_resp=BaseResp(status_code=code) if type(code) is int else None,
    )


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode()) if type(value) is dict else _NULL
