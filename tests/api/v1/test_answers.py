"""Answers: what the SDK makes of them, what the headers say, what is charged, and what the log holds."""

from collections.abc import Iterator

import openai
import pytest

from tests.api.v1.gateway_world import NAMED, World, ask, decoded, price_nano

MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the plan for today?"}
]


@pytest.fixture
def sdk(world: World) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{world.url}/v1",
        api_key=world.seed.api_key,
        max_retries=0,
        timeout=60,
        _strict_response_validation=True,
    ) as client:
        yield client


def test_the_sdk_gets_a_completion_and_pays_its_price(world: World, sdk: openai.OpenAI) -> None:
    """The charge is the provider's usage times the price, once."""
    raw = sdk.chat.completions.with_raw_response.create(model="demo-fast", messages=MESSAGES, max_tokens=9)
    answer = raw.parse()
    assert answer.usage is not None
    assert answer.choices[0].message.content
    charged = world.charge(raw.headers["x-request-id"])
    assert charged.charge_nano == price_nano(
        {"prompt_tokens": answer.usage.prompt_tokens, "completion_tokens": answer.usage.completion_tokens}
    )
    assert (charged.result, charged.usage_source, len(charged.attempts)) == ("completed", "provider", 1)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_sdk_gets_a_stream_and_usage_only_when_asked(
    world: World, sdk: openai.OpenAI, *, wanted: bool
) -> None:
    """The charge goes by the usage either way."""
    options: openai.types.chat.ChatCompletionStreamOptionsParam = {"include_usage": wanted}
    raw = sdk.chat.completions.with_raw_response.create(
        model="demo-fast", messages=MESSAGES, stream=True, stream_options=options
    )
    chunks = list(raw.parse())
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert [chunk.usage is not None for chunk in chunks].count(True) == wanted
    assert all(chunk.choices for chunk in chunks) is not wanted
    charged = world.charge(raw.headers["x-request-id"])
    assert (charged.result, charged.usage_source) == ("completed", "provider")
    assert charged.charge_nano > 0


def test_a_stream_without_options_has_no_usage_and_ends_with_done(world: World) -> None:
    """What the gateway asks of the provider does not show."""
    answer = world.chat(ask(stream=True))
    lines = [line for line in answer.text.split("\n") if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    assert all(not decoded(line).get("usage") for line in lines[:-1])
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert world.charge(answer.headers["x-request-id"]).result == "completed"


def test_models_are_listed_and_found_also_with_a_slash(sdk: openai.OpenAI) -> None:
    """A name with a slash is found as the SDK escapes it."""
    assert {"demo", "demo-fast", NAMED} <= {model.id for model in sdk.models.list()}
    assert sdk.models.retrieve(NAMED).id == NAMED
    assert sdk.models.retrieve("demo").object == "model"
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("no-such-model")


def test_the_headers_tell_what_happened(world: World) -> None:
    """Provider, model, attempts, hold, charge and balance."""
    answer = world.chat(ask(NAMED))
    headers = answer.headers
    charged = world.charge(headers["x-request-id"])
    assert headers["x-tokenok-provider"] == "sandbox"
    assert headers["x-tokenok-model"] == "sandbox-echo"
    assert headers["x-tokenok-attempts"] == "1"
    assert round(float(headers["x-tokenok-charge"]) * 1e9) == charged.charge_nano
    assert round(float(headers["x-tokenok-hold"]) * 1e9) == charged.hold_nano
    assert charged.charge_nano == price_nano(answer.json()["usage"])
    assert float(headers["x-tokenok-balance"]) > 0
    assert float(headers["x-tokenok-overhead-ms"]) >= 0


def test_a_balance_is_spent_to_its_end_and_not_beyond(world: World) -> None:
    """Requests are served until the worst case is not covered; what was charged is what is missing."""
    hold_nano = world.charge(world.chat(ask()).headers["x-request-id"]).hold_nano
    granted_nano, spent_nano = hold_nano * 3 // 2, 0
    key = world.new_key("Small", amount_nano=granted_nano)
    for _ in range(100):
        answer = world.chat(ask(), key=key)
        if answer.status_code != 200:
            break
        spent_nano += world.charge(answer.headers["x-request-id"]).charge_nano
    assert answer.status_code == 402
    assert answer.json()["error"]["available_nano"] == granted_nano - spent_nano
    assert spent_nano > 0
