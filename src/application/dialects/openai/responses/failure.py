"""How a responses stream ends when it breaks."""

from typing import Final

from application.dialects.openai.document import Json, written
from application.wire.errors import spec_of

_RATE_LIMIT: Final = "rate_limit_exceeded"


def event_bytes(event: Json) -> bytes:
    """One event; its line `event:` says the same as its `type`."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), written(event))


def failure_events(code: str, message: str, *, sequence_number: int, response: Json | None) -> bytes:
    """An `error` event that is read by old and new SDKs (`error` is their cue to raise), then the failed response if any."""
    told = {"message": message, "type": spec_of(code).type, "param": None, "code": code}
    error: Json = {"type": "error", "sequence_number": sequence_number, "error": told}
    error |= {"code": code, "message": message, "param": None}
    events = event_bytes(error)
    if response is None:
        return events
    failed = {
        **response,
        "status": "failed",
        "error": {"code": code if code == _RATE_LIMIT else "server_error", "message": message},
    }
    return events + event_bytes(
        {"type": "response.failed", "sequence_number": sequence_number + 1, "response": failed}
    )
