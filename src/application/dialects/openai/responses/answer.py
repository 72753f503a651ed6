"""Reads a whole response: its usage, whether it is an answer at all, and what of it a client gets."""

from typing import Any, Final

import msgspec

from application.dialects.openai.document import decoded, objects_in, parsed, text_in, written
from application.dialects.openai.responses.reader import hosted_calls, item_text
from application.dialects.openai.usage import complete_responses_usage
from application.wire.answer import ReadAnswer
from application.wire.chunk import as_utf8
from application.wire.splice import with_value
from application.wire.spoken import Spoken, SpokenText

_NULL: Final = msgspec.Raw(b"null")


class _Whole(msgspec.Struct, gc=False):
    output: Any = None
    error: Any = None
    usage: msgspec.Raw = _NULL
    status: Any = None
    service_tier: Any = None


_decode: Final = msgspec.json.Decoder(_Whole).decode


class ReadResponse(ReadAnswer, frozen=True):
    """A response as read, with what its price may go by beside its usage."""

    service_tier: str | None = None  #: that answered
    #: calls of tools that the provider ran, by the type of their items
    hosted_calls: dict[str, int] = msgspec.field(default_factory=dict)


def read_response(body: bytes) -> ReadResponse:
    """Read the whole body of a 200; with a fault there may still be usage. Never raises."""
    body = as_utf8(body)
    answer = decoded(body, _decode)
    if answer is None:
        return ReadResponse(b"", None, "garbage")
    raw = bytes(answer.usage)
    usage = parsed(raw)
    usage_raw = raw if usage else None
    if answer.error or answer.status == "failed":
        return ReadResponse(b"", usage_raw, "error_body")
    if not isinstance(answer.output, list):
        return ReadResponse(b"", usage_raw, "garbage")
    if usage:
        shown = complete_responses_usage(usage)
        if shown != usage:
            body = with_value(body, "usage", written(shown))
    return ReadResponse(
        body,
        usage_raw,
        service_tier=answer.service_tier if isinstance(answer.service_tier, str) else None,
        hosted_calls=dict(hosted_calls([item for item in answer.output if isinstance(item, dict)])),
    )


def response_text(body: bytes) -> SpokenText:
    """The text of a response, for a local count where it has no usage. Never raises."""
    spoken = Spoken()
    for item in objects_in(parsed(body) or {}, "output"):
        spoken.add(text_in(item, "name") + item_text(item))
    return spoken.text()
