"""What the official SDK sends, read and answered."""

import json
from typing import Any

import httpx2
from anthropic import Anthropic

from application.dialects.anthropic.surface.counting import count_answer
from application.dialects.anthropic.surface.head import parse_count, parse_messages
from application.dialects.anthropic.surface.native import native_headers
from application.dialects.anthropic.surface.surface import MessagesSurface
from application.dialects.port import Json
from application.wire.head import ChatHead

SURFACE = MessagesSurface()
TOOL: Any = {
    "name": "weather",
    "description": "Of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    "cache_control": {"type": "ephemeral", "ttl": "5m"},
}
COMPLETION: Json = {
    "id": "chatcmpl-1",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "content": None,
                "tool_calls": [{"id": "t1", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}],
            },
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}


class Server:
    """Answers as the gateway would, and keeps what it read."""

    def __init__(self) -> None:
        self.heads: list[ChatHead] = []
        self.chats: list[Json] = []
        self.sent: list[list[tuple[bytes, bytes]]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = request.read()
        self.sent.append(native_headers((name.lower(), value) for name, value in request.headers.raw))
        if request.url.path.endswith("/count_tokens"):
            self.heads.append(parse_count(body))
            return httpx2.Response(200, content=count_answer(7))
        self.heads.append(parse_messages(body))
        asked = json.loads(body)
        self.chats.append(SURFACE.chat_of(asked))
        return httpx2.Response(200, content=SURFACE.answer(COMPLETION, request=asked))


def test_a_loop_of_tools_goes_round() -> None:
    """The SDK's own objects go back as the next request: the call, its result, and the answer's name for the model."""
    server = Server()
    with (
        httpx2.Client(transport=httpx2.MockTransport(server)) as http,
        Anthropic(
            api_key="none", http_client=http, max_retries=0, _strict_response_validation=True
        ) as client,
    ):
        first = client.messages.create(
            model="alias",
            max_tokens=1_024,
            system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            messages=[{"role": "user", "content": "Weather in Oslo?"}],
            metadata={"user_id": "u"},
            stop_sequences=["END"],
            thinking={"type": "adaptive"},
            output_config={"effort": "low"},
            tool_choice={"type": "auto", "disable_parallel_tool_use": True},
            tools=[TOOL],
        )
        assert (first.model, first.stop_reason) == ("alias", "tool_use")
        client.messages.create(
            model="alias",
            max_tokens=1_024,
            messages=[
                {"role": "user", "content": "Weather in Oslo?"},
                first.to_param(),
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "Rain."}],
                },
            ],
            tools=[TOOL],
        )
        counted = client.messages.count_tokens(model="alias", messages=[{"role": "user", "content": "hi"}])
    assert counted.input_tokens == 7
    assert server.chats[0]["reasoning_effort"] == "low"
    assert [message["role"] for message in server.chats[1]["messages"]] == ["user", "assistant", "tool"]
    assert server.chats[1]["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"city":"Oslo"}'
    assert [head.user for head in server.heads] == ["u", None, None]
    assert [head.output_limit for head in server.heads] == [1_024, 1_024, None]


def test_the_sdks_headers_go_upstream_from_a_list() -> None:
    """Its version, and of the betas those that may; neither its key nor what it says of itself."""
    server = Server()
    with (
        httpx2.Client(transport=httpx2.MockTransport(server)) as http,
        Anthropic(api_key="none", http_client=http, max_retries=0) as client,
    ):
        client.beta.messages.create(
            model="alias",
            max_tokens=9,
            messages=[{"role": "user", "content": "hi"}],
            betas=["interleaved-thinking-2025-05-14", "files-api-2025-04-14"],
        )
    assert server.sent == [
        [(b"anthropic-version", b"2026-10-21"), (b"anthropic-beta", b"interleaved-thinking-2025-05-14")]
    ]
