"""Reads a whole JSON answer with status 200: its usage, whether it is an answer at all, and what of it a client gets.

The body passes unchanged but for an upstream's own cost in its usage, the mends of `quirks`, and bytes that are no UTF-8.
"""

from typing import Any, Literal

import msgspec

from application.wire.chunk import (
    NOT_JSON,
    Answer,
    as_utf8,
    decode_answer,
    decode_spoken,
    loose_answer,
    loose_object,
    loose_said,
    raw_usage,
)
from application.wire.cost import without_cost
from application.wire.quirks import answer_needs_mending, mend_answer
from application.wire.spoken import Spoken, SpokenText

AnswerFault = Literal["error_body", "garbage"]


class ReadAnswer(msgspec.Struct, frozen=True):
    """`body` is for the client, unless there is a `fault`: an error told with status 200, or no chat answer."""

    body: bytes
    usage_raw: bytes | None
    fault: AnswerFault | None = None


def read_answer(body: bytes) -> ReadAnswer:
    """Read the whole body of a 200. Never raises."""
    body = as_utf8(body)
    mend = False
    try:
        answer = decode_answer(body)
        mend = answer_needs_mending(answer)
    except NOT_JSON:
        members = loose_object(body)
        if members is None:
            return ReadAnswer(b"", None, "garbage")
        answer = loose_answer(members)
    if answer.failed:
        return ReadAnswer(b"", None, "error_body")
    if answer.choices is None:
        return ReadAnswer(b"", None, "garbage")
    if mend:
        body = mend_answer(body)
    if isinstance(answer.usage, dict) and answer.usage:
        return ReadAnswer(without_cost(body, answer.usage), raw_usage(body))
    return ReadAnswer(body, raw_usage(body) if _usage_elsewhere(answer) else None)


def spoken_text(body: bytes) -> SpokenText:
    """The text of an answer, for a local count where it has no usage. Never raises."""
    spoken = Spoken()
    try:
        for choice in decode_spoken(body).choices or ():
            if choice.message is not None:
                spoken.add_said(choice.message)
    except NOT_JSON:
        for members in _loose_choices(body):
            said = loose_said(members.get("message"))
            if said is not None:
                spoken.add_said(said)
    return spoken.text()


def _usage_elsewhere(answer: Answer) -> bool:
    return answer.x_groq is not None or any(choice.usage is not None for choice in answer.choices or ())


def _loose_choices(body: bytes) -> list[dict[str, Any]]:
    choices = (loose_object(body) or {}).get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
