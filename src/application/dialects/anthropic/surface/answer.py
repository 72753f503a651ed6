"""A whole chat completion as a message."""

from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import msgspec

from application.dialects.anthropic.surface.encode import encoded
from application.dialects.anthropic.surface.said import Call, calls, first_choice, refused, texts
from application.dialects.anthropic.surface.spent import messages_usage
from application.dialects.anthropic.surface.stops import stop_reason_of
from application.dialects.port import Json
from application.wire.chunk import NOT_JSON
from domain.catalogue.provider import UsageDialect

NO_SIGNATURE: Final = ""
"""Of thoughts that another provider had: `native` takes them out again before Anthropic sees them."""
UNREADABLE: Final = "INVALID_JSON"
"""The member that holds arguments that are no JSON object, as Anthropic's own documentation names it."""

_decode_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def message_of(completion: Json, *, model: str, dialect: UsageDialect) -> bytes:
    """The message that says the same. Never raises."""
    choice = first_choice(completion)
    said = choice.get("message")
    said = said if type(said) is dict else {}
    called = calls(said)
    answer_id = message_id(completion.get("id"))
    blocks = [
        text_block(kind, "".join(text for _, text in pieces))
        for kind, pieces in groupby(texts(said), key=itemgetter(0))
    ]
    blocks += [
        call_block(call, message_id=answer_id, place=place, arguments=_input(call.arguments))
        for place, call in enumerate(called)
    ]
    return encoded(
        started(answer_id, model)
        | {
            "content": blocks,
            "stop_reason": stop_reason_of(
                choice.get("finish_reason"), called=bool(called), refused=bool(refused(said))
            ),
            "usage": messages_usage(completion.get("usage"), dialect=dialect),
        }
    )


def message_id(completion_id: Any) -> str:
    known = completion_id if type(completion_id) is str else ""
    return known if known.startswith("msg_") else "msg_" + known.removeprefix("chatcmpl-")


def started(answer_id: str, model: str) -> Json:
    """A message of which nothing is known but its name."""
    return {
        "id": answer_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": messages_usage(None, dialect="openai"),
    }


def text_block(kind: str, text: str) -> Json:
    block = {"type": kind, kind: text}
    return block | {"signature": NO_SIGNATURE} if kind == "thinking" else block


def call_block(call: Call, *, message_id: str, place: int, arguments: Any) -> Json:
    """A call; one that came without an id gets one that no other answer has."""
    call_id = call.id or f"toolu_{message_id.removeprefix('msg_')}_{place}"
    return {"type": "tool_use", "id": call_id, "name": call.name, "input": arguments}


def _input(arguments: str) -> Any:
    """The arguments as an object, spelled as they came."""
    if not arguments.strip():
        return {}
    try:
        _decode_object(arguments)
    except NOT_JSON:
        return {UNREADABLE: arguments}
    return msgspec.Raw(arguments.encode())
