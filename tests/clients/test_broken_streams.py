"""An upstream that is cut off in the middle: no SDK may take what it got for the whole answer."""

from typing import Any

import anthropic
import openai
import pytest

from tests.api.v1.gateway_world import World
from tests.clients.scene import BROKEN

PROMPT = f"This one is left {BROKEN}, whatever it says and however long it is."
USER: Any = [{"role": "user", "content": PROMPT}]


@pytest.mark.parametrize("model", ["on-openai", "on-responses", "on-anthropic", "on-gemini"])
def test_a_completion_that_breaks_off_is_an_error(world: World, model: str) -> None:
    """After the pieces that came, the SDK raises."""
    pieces: list[Any] = []
    with openai.OpenAI(base_url=f"{world.url}/v1", api_key=world.seed.api_key, max_retries=0) as client:
        stream = client.chat.completions.create(model=model, messages=USER, stream=True)
        with pytest.raises(openai.APIError):
            pieces.extend(stream)
    assert any(chunk.choices[0].delta.content for chunk in pieces if chunk.choices)


@pytest.mark.parametrize("model", ["on-responses", "on-openai", "on-anthropic", "on-gemini"])
def test_a_response_that_breaks_off_is_an_error(world: World, model: str) -> None:
    """After the pieces that came, the SDK's state machine raises; no response is completed."""
    seen: list[str] = []
    with (
        openai.OpenAI(base_url=f"{world.url}/v1", api_key=world.seed.api_key, max_retries=0) as client,
        client.responses.stream(model=model, input=PROMPT, store=False) as stream,
        pytest.raises(openai.APIError),
    ):
        seen.extend(event.type for event in stream)
    assert "response.output_text.delta" in seen
    assert "response.completed" not in seen


@pytest.mark.parametrize("model", ["on-anthropic", "on-openai", "on-responses", "on-gemini"])
def test_a_message_that_breaks_off_is_an_error(world: World, model: str) -> None:
    """After the pieces that came, the SDK raises."""
    pieces: list[Any] = []
    with anthropic.Anthropic(base_url=world.url, api_key=world.seed.api_key, max_retries=0) as client:
        stream = client.messages.create(model=model, messages=USER, stream=True, max_tokens=4_000)
        with pytest.raises(anthropic.APIStatusError):
            pieces.extend(stream)
    assert any(event.type == "content_block_delta" for event in pieces)
