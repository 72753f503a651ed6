"""The official SDKs, used as people use them, through a running gateway to the sandbox: tools, streams, schemas, images.

The sandbox speaks chat completions, says the last user message again, and calls the tool that it is told to call. So
responses and messages are translated both ways, and every answer is known.
"""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

from demo_seed import PRICE, PROVIDER
from domain.ledger.events import UsageCharged
from tests.api.v1.gateway_world import World
from tests.conformance.setting_up import add_model, publish

ECHO = "clients/echo"
SLOW = "clients/slow"  #: long enough to leave within
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one pixel
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
TOOL = {"name": "look_up", "description": "Looks it up.", "parameters": SCHEMA, "strict": True}


class Answer(BaseModel):
    """What the schema asks for."""

    city: str
    degrees: int


SAID = Answer(city="Düsseldorf ☂", degrees=7)


class Clients:
    """Both SDKs with one key, which is of this module's account."""

    def __init__(self, world: World, key: str) -> None:
        self.world = world
        self.key = key
        self.openai = openai.OpenAI(
            base_url=f"{world.url}/v1",
            api_key=key,
            max_retries=0,
            _strict_response_validation=True,
            http_client=openai.DefaultHttpx2Client(trust_env=False),
        )
        self.anthropic = anthropic.Anthropic(
            base_url=world.url,
            api_key=key,
            max_retries=0,
            _strict_response_validation=True,
            http_client=anthropic.DefaultHttpxClient(trust_env=False),
        )

    def charge(self, request_id: str | None) -> UsageCharged:
        assert request_id is not None
        return self.world.charge(request_id)


@pytest.fixture(scope="module")
def clients(conformance_world: World) -> Iterator[Clients]:
    world = conformance_world
    key = world.new_key("real clients", amount_nano=10**12)
    for alias, model in ((ECHO, "sandbox-echo"), (SLOW, "sandbox-slow")):
        add_model(world, alias, provider=PROVIDER, upstream_model=model)
    publish(world, dict.fromkeys((ECHO, SLOW), PRICE), key=key)
    both = Clients(world, key)
    with both.openai, both.anthropic:
        yield both


# --- tools


def test_a_tool_is_called_and_its_result_answered_in_chat(clients: Clients) -> None:
    """Both turns as streams; the second answers what the tool found."""
    tools: Any = [{"type": "function", "function": TOOL}]
    turns: list[Any] = [{"role": "user", "content": "Rain?"}]
    chat = clients.openai.chat.completions
    with chat.stream(model=ECHO, messages=turns, tools=tools, tool_choice="required") as stream:
        first = stream.get_final_completion().choices[0]
    assert first.finish_reason == "tool_calls"
    assert first.message.tool_calls is not None
    (call,) = first.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("look_up", {})
    turns += [
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": call.function.model_dump(include={"name", "arguments"}),
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "It rains."},
        {"role": "user", "content": "So?"},
    ]
    with chat.stream(model=ECHO, messages=turns, tools=tools) as stream:
        assert stream.get_final_completion().choices[0].message.content == "So?"


def test_a_tool_is_called_and_its_result_answered_in_responses(clients: Clients) -> None:
    """A stream first, then a whole answer; items go back as they came."""
    tools: Any = [{"type": "function", **TOOL}]
    forced: Any = {"type": "function", "name": "look_up"}
    responses = clients.openai.responses
    items: list[Any] = [{"role": "user", "content": "Rain?"}]
    with responses.stream(model=ECHO, input=items, tools=tools, tool_choice=forced) as stream:
        first = stream.get_final_response()
    (call,) = first.output
    assert call.type == "function_call"
    assert (call.name, json.loads(call.arguments)) == ("look_up", {})
    items += [
        call.model_dump(exclude_none=True, exclude={"parsed_arguments"}),
        {"type": "function_call_output", "call_id": call.call_id, "output": "It rains."},
        {"role": "user", "content": "So?"},
    ]
    second = responses.create(model=ECHO, input=items, tools=tools)
    assert (second.status, second.output_text) == ("completed", "So?")


def test_a_tool_is_called_and_its_result_answered_in_messages(clients: Clients) -> None:
    """Blocks go back as they came."""
    tools: Any = [{"name": "look_up", "description": "Looks it up.", "input_schema": SCHEMA}]
    turns: list[Any] = [{"role": "user", "content": "Rain?"}]
    forced: Any = {"type": "tool", "name": "look_up"}
    messages = clients.anthropic.messages
    with messages.stream(
        model=ECHO, max_tokens=50, messages=turns, tools=tools, tool_choice=forced
    ) as stream:
        first = stream.get_final_message()
    assert first.stop_reason == "tool_use"
    (call,) = first.content
    assert call.type == "tool_use"
    assert (call.name, call.input) == ("look_up", {})
    found: list[Any] = [
        {"type": "tool_result", "tool_use_id": call.id, "content": "It rains."},
        {"type": "text", "text": "So?"},
    ]
    turns += [{"role": "assistant", "content": first.content}, {"role": "user", "content": found}]
    second = messages.create(model=ECHO, max_tokens=50, messages=turns, tools=tools)
    assert second.stop_reason == "end_turn"
    assert text_of(second) == "So?"


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


# --- schemas


def test_an_answer_by_a_schema_is_parsed(clients: Clients) -> None:
    """By the helpers of both SDKs, in all three dialects."""
    said = SAID.model_dump_json()
    chat = clients.openai.chat.completions.parse(
        model=ECHO, messages=[{"role": "user", "content": said}], response_format=Answer
    )
    assert chat.choices[0].message.parsed == SAID
    response = clients.openai.responses.parse(model=ECHO, input=said, text_format=Answer)
    assert response.output_parsed == SAID
    message = clients.anthropic.messages.parse(
        model=ECHO, max_tokens=200, messages=[{"role": "user", "content": said}], output_format=Answer
    )
    assert message.parsed_output == SAID


# --- images


def test_an_image_passes_with_its_text(clients: Clients) -> None:
    """The text is answered, and the picture counts in the prompt."""
    url = f"data:image/png;base64,{PIXEL}"
    parts: Any = [{"type": "text", "text": "This?"}, {"type": "image_url", "image_url": {"url": url}}]
    chat = clients.openai.chat.completions.create(model=ECHO, messages=[{"role": "user", "content": parts}])
    assert chat.choices[0].message.content == "This?"
    items: Any = [
        {"type": "input_text", "text": "This?"},
        {"type": "input_image", "image_url": url, "detail": "auto"},
    ]
    response = clients.openai.responses.create(model=ECHO, input=[{"role": "user", "content": items}])
    assert response.output_text == "This?"
    blocks: Any = [
        {"type": "text", "text": "This?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
    ]
    message = clients.anthropic.messages.create(
        model=ECHO, max_tokens=50, messages=[{"role": "user", "content": blocks}]
    )
    assert text_of(message) == "This?"
    assert chat.usage is not None
    assert response.usage is not None
    assert chat.usage.prompt_tokens == response.usage.input_tokens == message.usage.input_tokens > 85
    for request_id in (chat._request_id, response._request_id, message._request_id):
        assert clients.charge(request_id).units.input == chat.usage.prompt_tokens


# --- leaving


def test_a_client_that_leaves_a_stream_is_charged_once_for_what_was_used(clients: Clients) -> None:
    """In all three dialects; the provider's own figures count where it ends in time."""
    prompt: Any = [{"role": "user", "content": "Tell me at length."}]
    chat = clients.openai.chat.completions.create(model=SLOW, messages=prompt, stream=True)
    next(iter(chat))
    chat.close()
    response = clients.openai.responses.create(model=SLOW, input="Tell me at length.", stream=True)
    next(iter(response))
    response.close()
    message = clients.anthropic.messages.create(model=SLOW, max_tokens=500, messages=prompt, stream=True)
    next(iter(message))
    message.close()
    for stream in (chat, response, message):
        charged = clients.charge(stream.response.headers["x-request-id"])
        assert charged.result == "client-left"
        assert charged.usage_source == "provider"
        assert charged.units.output >= 24


# --- refusals


def test_refusals_are_the_sdks_own_exceptions(clients: Clients) -> None:
    """With the code and message that they read from our envelopes."""
    with pytest.raises(openai.NotFoundError) as unknown:
        clients.openai.responses.create(model="no/such", input="hi")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as tied:
        clients.openai.responses.create(model=ECHO, input="hi", previous_response_id="resp_1")
    assert (tied.value.code, tied.value.param) == ("stateful_not_supported", "previous_response_id")
    with pytest.raises(anthropic.NotFoundError) as missing:
        clients.anthropic.messages.create(
            model="no/such", max_tokens=5, messages=[{"role": "user", "content": "hi"}]
        )
    assert missing.value.type == "not_found_error"
    with pytest.raises(anthropic.AuthenticationError) as stranger:
        clients.anthropic.with_options(api_key="sk-tok-wrong").models.list()
    assert stranger.value.type == "authentication_error"
    with pytest.raises(openai.AuthenticationError) as other:
        clients.openai.with_options(api_key="sk-tok-wrong").models.list()
    assert other.value.code == "invalid_api_key"
