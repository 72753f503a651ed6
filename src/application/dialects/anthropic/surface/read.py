"""Reads a whole answer of an upstream that speaks this dialect: it passes, and its usage is metered.

The body passes unchanged but for bytes that are no UTF-8 and a provider's own cost in its usage.
"""

from application.dialects.anthropic.surface.messages import add_block, read_whole, usage_members
from application.wire.answer import ReadAnswer
from application.wire.chunk import as_utf8
from application.wire.cost import without_cost
from application.wire.spoken import Spoken, SpokenText


def read_message(body: bytes) -> ReadAnswer:
    """Read the whole body of a 200. Never raises."""
    body = as_utf8(body)
    message = read_whole(body)
    if message is None:
        return ReadAnswer(b"", None, "garbage")
    if message.failed:
        return ReadAnswer(b"", None, "error_body")
    if message.content is None:
        return ReadAnswer(b"", None, "garbage")
    usage = usage_members(message.usage)
    if not usage:
        return ReadAnswer(body, None)
    return ReadAnswer(without_cost(body, usage), bytes(message.usage))


def message_text(body: bytes) -> SpokenText:
    """The text of an answer, for a local count where it has no usage. Never raises."""
    spoken = Spoken()
    message = read_whole(as_utf8(body))
    for block in (message.content if message else None) or ():
        add_block(spoken, block)
    return spoken.text()
