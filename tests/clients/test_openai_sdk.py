"""The official openai SDK, strict about every body, whatever the upstream speaks."""

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI

from tests.api.v1.gateway_world import World
from tests.clients.checks import ADA, ASKING, CITY, PNG, SAW, TOOLS, Person, assert_charged, result_of, told

MODELS = ("on-openai", "on-responses", "on-anthropic", "on-gemini")
URL = f"data:image/png;base64,{PNG}"


@pytest.fixture
def client(world: World) -> Iterator[OpenAI]:
    url, key = f"{world.url}/v1", world.seed.api_key
    with OpenAI(base_url=url, api_key=key, max_retries=0, _strict_response_validation=True) as made:
        yield made


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize("model", MODELS)
def test_a_completion_says_what_the_upstream_said_and_is_charged(
    client: OpenAI, world: World, model: str
) -> None:
    """Text, reason to stop and usage arrive; the charge is that of the usage."""
    got = client.chat.completions.create(model=model, messages=user("hi"))
    assert (got.choices[0].message.content, got.choices[0].finish_reason) == ("You said: hi", "stop")
    assert got.usage is not None
    assert got.usage.prompt_tokens_details is not None
    details = got.usage.prompt_tokens_details.cached_tokens
    assert (got.usage.prompt_tokens, got.usage.completion_tokens, details) == (21, 9, 5)
    assert_charged(world, got._request_id)


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_accumulates_to_the_same(client: OpenAI, model: str) -> None:
    """The SDK's own accumulator takes every chunk, and usage comes with the last."""
    asked: Any = {"model": model, "messages": user("hi there"), "stream_options": {"include_usage": True}}
    with client.chat.completions.stream(**asked) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        got = stream.get_final_completion()
    assert len(pieces) > 1
    assert "".join(pieces) == got.choices[0].message.content == "You said: hi there"
    assert got.usage is not None
    assert (got.usage.total_tokens, got.choices[0].finish_reason) == (30, "stop")


@pytest.mark.parametrize("count", ASKING)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_tools_are_called_and_answered(client: OpenAI, model: str, streamed: bool, count: int) -> None:
    """One tool or two at once: names, arguments and ids arrive, and each result finds its call."""
    tools: Any = [
        {"type": "function", "function": {"name": name, "parameters": CITY, "strict": True}} for name in TOOLS
    ]
    asked: Any = {"model": model, "messages": user(ASKING[count]), "tools": tools}
    if streamed:
        with client.chat.completions.stream(**asked) as stream:
            first: Any = stream.get_final_completion()
    else:
        first = client.chat.completions.create(**asked)
    assert first.choices[0].finish_reason == "tool_calls"
    message = first.choices[0].message
    results = [
        {
            "role": "tool",
            "tool_call_id": call.id,
            "content": result_of(call.function.name, call.function.arguments),
        }
        for call in message.tool_calls
    ]
    turns: Any = [*user(ASKING[count]), message.model_dump(exclude_none=True), *results]
    second = client.chat.completions.create(model=model, messages=turns, tools=tools)
    assert second.choices[0].message.content == told(count)


@pytest.mark.parametrize("model", MODELS)
def test_a_picture_reaches_the_upstream(client: OpenAI, model: str) -> None:
    """A data URL is what the upstream's own dialect has for bytes."""
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": URL}}]
    got = client.chat.completions.create(model=model, messages=user(parts))
    assert got.choices[0].message.content == SAW


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_is_parsed_by_its_schema(client: OpenAI, model: str) -> None:
    """The schema that the SDK makes of a class is taken, and the answer is an instance."""
    got = client.chat.completions.parse(model=model, messages=user("Who?"), response_format=Person)
    assert got.choices[0].message.parsed == ADA


@pytest.mark.parametrize("model", MODELS)
def test_a_response_says_what_the_upstream_said_and_is_charged(
    client: OpenAI, world: World, model: str
) -> None:
    """As a completion does."""
    got = client.responses.create(model=model, input="hi", store=False)
    assert (got.output_text, got.status) == ("You said: hi", "completed")
    assert got.usage is not None
    details = got.usage.input_tokens_details.cached_tokens
    assert (got.usage.input_tokens, got.usage.output_tokens, details) == (21, 9, 5)
    assert_charged(world, got._request_id)


@pytest.mark.parametrize("model", MODELS)
def test_a_response_streams(client: OpenAI, model: str) -> None:
    """The SDK's state machine takes every event, and its snapshot is the answer."""
    with client.responses.stream(model=model, input="hi there", store=False) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        got = stream.get_final_response()
    assert len(pieces) > 1
    assert "".join(pieces) == got.output_text == "You said: hi there"


@pytest.mark.parametrize("count", ASKING)
@pytest.mark.parametrize("model", MODELS)
def test_functions_of_a_response_are_called_and_answered(client: OpenAI, model: str, count: int) -> None:
    """The call comes by stream, the results go with the whole conversation: nothing is stored."""
    tools: Any = [{"type": "function", "name": name, "parameters": CITY, "strict": True} for name in TOOLS]
    with client.responses.stream(model=model, input=ASKING[count], tools=tools, store=False) as stream:
        first = stream.get_final_response()
    calls = [item for item in first.output if item.type == "function_call"]
    assert len(calls) == count
    results = [
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": result_of(call.name, call.arguments),
        }
        for call in calls
    ]
    said = [item.model_dump(exclude={"parsed_arguments"}, exclude_none=True) for item in first.output]
    turns: Any = [*user(ASKING[count]), *said, *results]
    assert client.responses.create(model=model, input=turns, tools=tools, store=False).output_text == told(
        count
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_response_sees_a_picture_and_keeps_to_a_schema(client: OpenAI, model: str) -> None:
    """As a completion does."""
    parts = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": URL, "detail": "auto"},
    ]
    seen = client.responses.create(model=model, input=user(parts), store=False)
    assert seen.output_text == SAW
    parsed = client.responses.parse(model=model, input="Who?", text_format=Person, store=False)
    assert parsed.output_parsed == ADA


def test_models_are_listed_and_found(client: OpenAI) -> None:
    """Every alias is there, by the list and by its name."""
    assert {model.id for model in client.models.list()} >= set(MODELS)
    assert client.models.retrieve("on-gemini").id == "on-gemini"
