"""The charge goes by the service tier that the provider tells, whatever the client's dialect leaves of it."""

from typing import Any

import msgspec
import pytest

from application.directory_views import DeploymentView
from application.speech.chat import ChatEndpoint
from application.speech.messages import MessagesEndpoint
from application.speech.port import Endpoint
from tests.application.gateway.exchange_world import (
    DONE,
    JSON_HEAD,
    PRICE,
    STREAM_HEAD,
    ExchangeWorld,
    Response,
    chunk,
    deployment,
    run,
)

TIERS = msgspec.structs.replace(PRICE, service_tiers={"flex": 500_000, "priority": 2_000_000})
MESSAGES = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello there"}]}'
CHAT_USAGE = '{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12},"service_tier":"flex"'
RESPONSES = (
    b'data: {"type":"response.output_text.delta","output_index":0,"delta":"one two"}\n\n'
    b'data: {"type":"response.completed","response":{"service_tier":"flex","output":[],'
    b'"usage":{"input_tokens":10,"output_tokens":2,"total_tokens":12}}}\n\n'
)
GEMINI = (
    b'{"candidates":[{"content":{"parts":[{"text":"one two"}]},"finishReason":"STOP"}],'
    b'"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":2,"totalTokenCount":12,"serviceTier":"flex"}}'
)


def speaking(dialect: Any, *serves: Any) -> DeploymentView:
    return msgspec.structs.replace(deployment(), dialect=dialect, serves=frozenset(serves))


CASES: dict[str, tuple[Endpoint, DeploymentView, bytes, bool]] = {
    "messages of a chat stream": (
        MessagesEndpoint(),
        speaking("openai", "chat", "messages"),
        chunk("one two") + chunk(finish="stop", usage=CHAT_USAGE) + DONE,
        True,
    ),
    "messages of a stream of responses": (
        MessagesEndpoint(),
        speaking("openai", "responses"),
        RESPONSES,
        True,
    ),
    "chat of a stream of responses": (ChatEndpoint(), speaking("openai", "responses"), RESPONSES, True),
    "messages of Gemini's events": (
        MessagesEndpoint(),
        speaking("gemini", "chat"),
        b"data: " + GEMINI + b"\r\n\r\n",
        True,
    ),
    "chat of Gemini's answer": (ChatEndpoint(), speaking("gemini", "chat"), GEMINI, False),
}


@pytest.mark.parametrize("name", CASES)
def test_a_cheaper_tier_that_was_told_is_charged_through_every_translation(name: str) -> None:
    """Ten and two tokens at half a nano-credit each."""
    endpoint, asked, body, stream = CASES[name]

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([body], headers=STREAM_HEAD if stream else JSON_HEAD), stream=stream)
        world.endpoint, world.price = endpoint, TIERS
        if isinstance(endpoint, MessagesEndpoint):
            world.request = MESSAGES
        await world.run(asked)
        return world

    charged = run(scenario).charged()
    assert (charged.charge_nano, charged.factor_ppm, charged.result) == (6, 500_000, "completed")
