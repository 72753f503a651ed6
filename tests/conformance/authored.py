"""Answers that no recording shows, written by hand."""

import json
from typing import Any

from tests.conformance.recordings import Recording

USAGE: dict[str, Any] = {
    "input_tokens": 11,
    "cache_creation_input_tokens": 1_000,
    "cache_read_input_tokens": 200,
    "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 700},
    "output_tokens": 7,
}
MESSAGE: dict[str, Any] = {
    "id": "msg_authored",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Kept for an hour."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": USAGE,
}


def long_writes() -> list[Recording]:
    """A prompt of which a part is kept for an hour and another for five minutes: a whole answer and a stream."""
    begun = MESSAGE | {"content": [], "stop_reason": None, "usage": USAGE | {"output_tokens": 1}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Kept for an hour."},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 7},
        },
        {"type": "message_stop"},
    ]
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    return [
        _message(stream=False, documents=[MESSAGE]),
        _message(stream=True, documents=events, events=lines),
    ]


def _message(
    *, stream: bool, documents: list[dict[str, Any]], events: list[bytes] | None = None
) -> Recording:
    return Recording(
        id=f"authored/messages/{'stream' if stream else 'whole'}",
        provider="anthropic",
        endpoint="messages",
        kind="messages",
        status=200,
        stream=stream,
        request=None,
        documents=tuple(documents),
        events=tuple(events or ()),
    )
