"""The official SDK as the judge of what we send: its types strictly, its decoder of events, its accumulation."""

import json
from typing import Any

import httpx2
from anthropic import Anthropic
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def strict_message(body: bytes) -> Message:
    """Whether a whole answer is a message to the letter."""
    return Message.model_validate_json(body, strict=True)


def events_of(stream: bytes) -> list[dict[str, Any]]:
    """The payloads of our events, each strictly valid and under its own name."""
    events = []
    for event in stream.split(b"\n\n")[:-1]:
        name, _, data = event.partition(b"\n")
        payload: dict[str, Any] = json.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + payload["type"].encode()
        if payload["type"] != "error":
            _EVENT.validate_json(data.removeprefix(b"data: "), strict=True)
        events.append(payload)
    return events


def accumulated(stream: bytes) -> Message:
    """What the SDK makes of a stream; it raises what a user of it would see."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)

    with (
        httpx2.Client(transport=httpx2.MockTransport(answer)) as http,
        Anthropic(api_key="none", http_client=http, max_retries=0) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        ) as messages,
    ):
        return messages.get_final_message()


def assert_in_order(events: list[dict[str, Any]]) -> None:
    """One start; blocks 0, 1, 2, ... with one open at a time and deltas of its own kind; one delta of the end; one stop."""
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    open_kind, index = None, -1
    deltas = {"text": "text_delta", "thinking": "thinking_delta", "tool_use": "input_json_delta"}
    for event in events[1:-2]:
        if event["type"] == "content_block_start":
            assert open_kind is None
            index += 1
            open_kind = event["content_block"]["type"]
        elif event["type"] == "content_block_delta":
            assert open_kind is not None
            assert event["delta"]["type"] == deltas[open_kind]
        else:
            assert event["type"] == "content_block_stop"
            assert open_kind is not None
            open_kind = None
        assert event["index"] == index
    assert open_kind is None
