"""The official anthropic SDK, strict about every body, whatever the upstream speaks."""

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic, beta_tool

from tests.api.v1.gateway_world import World
from tests.clients.checks import ADA, ASKING, CITY, PNG, SAW, TOOLS, Person, assert_charged, result_of, told

MODELS = ("on-anthropic", "on-openai", "on-responses", "on-gemini")


@pytest.fixture
def client(world: World) -> Iterator[Anthropic]:
    key = world.seed.api_key
    with Anthropic(base_url=world.url, api_key=key, max_retries=0, _strict_response_validation=True) as made:
        yield made


def user(content: Any) -> Any:
    return {"role": "user", "content": content}


def words(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize("model", MODELS)
def test_a_message_says_what_the_upstream_said_and_is_charged(
    client: Anthropic, world: World, model: str
) -> None:
    """Text, reason to stop and usage arrive; the charge is that of the usage."""
    got = client.messages.create(model=model, max_tokens=200, messages=[user("hi")])
    assert (words(got), got.stop_reason) == ("You said: hi", "end_turn")
    used = got.usage
    assert (used.input_tokens, used.cache_read_input_tokens, used.output_tokens) == (16, 5, 9)
    assert_charged(world, got._request_id)


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_accumulates_to_the_same(client: Anthropic, model: str) -> None:
    """The SDK's own accumulator takes every event, and usage is whole at the end."""
    with client.messages.stream(model=model, max_tokens=200, messages=[user("hi there")]) as stream:
        pieces = list(stream.text_stream)
        got = stream.get_final_message()
    assert len(pieces) > 1
    assert "".join(pieces) == words(got) == "You said: hi there"
    used = got.usage
    assert (used.input_tokens, used.cache_read_input_tokens, used.output_tokens) == (16, 5, 9)
    assert got.stop_reason == "end_turn"


@pytest.mark.parametrize("count", ASKING)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_tools_are_called_and_answered(client: Anthropic, model: str, streamed: bool, count: int) -> None:
    """One tool or two at once: names, inputs and ids arrive, and each result finds its call."""
    tools: Any = [{"name": name, "input_schema": CITY} for name in TOOLS]
    asked: Any = {"model": model, "max_tokens": 200, "tools": tools, "messages": [user(ASKING[count])]}
    if streamed:
        with client.messages.stream(**asked) as stream:
            first: Any = stream.get_final_message()
    else:
        first = client.messages.create(**asked)
    assert first.stop_reason == "tool_use"
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": result_of(block.name, block.input)}
        for block in first.content
        if block.type == "tool_use"
    ]
    said = [block.model_dump(exclude_none=True) for block in first.content]
    turns = [user(ASKING[count]), {"role": "assistant", "content": said}, user(results)]
    assert words(client.messages.create(**(asked | {"messages": turns}))) == told(count)


@pytest.mark.parametrize("model", MODELS)
def test_the_tool_runner_goes_on_without_a_thread(client: Anthropic, model: str) -> None:
    """It asks for a conversation kept at the provider, is refused, and sends all of it from then on."""
    called: list[str] = []

    @beta_tool
    def warm(city: str) -> str:
        """How warm it is."""
        called.append(city)
        return f"warm in {city}"

    runner = client.beta.messages.tool_runner(
        model=model, max_tokens=200, tools=[warm], messages=[user(ASKING[1])]
    )
    assert words(runner.until_done()) == told(1)
    assert called == ["Graz"]


@pytest.mark.parametrize("model", MODELS)
def test_a_picture_reaches_the_upstream(client: Anthropic, model: str) -> None:
    """Base64 in the request is what the upstream's own dialect has for bytes."""
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]
    got = client.messages.create(model=model, max_tokens=200, messages=[user(parts)])
    assert words(got) == SAW


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_is_parsed_by_its_schema(client: Anthropic, model: str) -> None:
    """The schema that the SDK makes of a class is taken, and the answer is an instance."""
    got = client.messages.parse(model=model, max_tokens=200, messages=[user("Who?")], output_format=Person)
    assert got.parsed_output == ADA


@pytest.mark.parametrize("model", MODELS)
def test_tokens_are_counted_without_asking_anybody(client: Anthropic, model: str) -> None:
    """More words are more tokens."""
    counts = [
        client.messages.count_tokens(model=model, messages=[user(text)]).input_tokens
        for text in ("hi", "a few more words")
    ]
    assert 0 < counts[0] < counts[1]


def test_models_are_listed_and_found(client: Anthropic) -> None:
    """Every alias is there, by the list and by its name."""
    assert {model.id for model in client.models.list()} >= set(MODELS)
    assert client.models.retrieve("on-gemini").id == "on-gemini"
