"""Clients of both SDKs that leave in the middle: the gateway notices, stops the upstream and charges what was seen."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import anthropic
import openai
import pytest

from domain.ledger.events import RequestAdmitted
from tests.api.v1.gateway_world import World
from tests.clients.scene import SLOW
from tests.clients.scripted_upstream import Exchange, ScriptedUpstream
from tests.conformance.setting_up import lease_facts
from tests.waiting import until

PIECES = 3
USER: Any = [{"role": "user", "content": f"Tell it {SLOW}."}]


@pytest.fixture
def openai_client(world: World) -> Iterator[openai.OpenAI]:
    url, key = f"{world.url}/v1", world.seed.api_key
    with openai.OpenAI(base_url=url, api_key=key, max_retries=0) as made:
        yield made


@pytest.fixture
def anthropic_client(world: World) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=world.url, api_key=world.seed.api_key, max_retries=0) as made:
        yield made


def leave(stream: Any, *, kind: str) -> str:
    """Take a few pieces and go; returns the request's id."""
    with stream:
        pieces = (event for event in stream if kind in event.to_json())
        for _ in range(PIECES):
            next(pieces)
    request_id: str = stream.response.headers["x-request-id"]
    return request_id


def assert_cut_and_charged(
    world: World, upstream: ScriptedUpstream, request_id: str, *, before: int, pieces: int = PIECES
) -> None:
    """The one exchange since `before` was cut by the gateway, and its charge is no more than what was sent."""
    (exchange,) = upstream.exchanges[before:]
    charged = world.charge(request_id)
    assert until(lambda: exchange.cut)
    assert charged.result == "client-left"
    assert pieces <= charged.units.output <= exchange.sent_events
    assert 0 < charged.charge_nano <= charged.hold_nano
    assert len(charged.attempts) == 1


@pytest.mark.parametrize("model", ["on-openai", "on-responses", "on-anthropic", "on-gemini"])
def test_leaving_a_completion(
    openai_client: openai.OpenAI, world: World, upstream: ScriptedUpstream, model: str
) -> None:
    """Closing the stream ends it for everybody."""
    before = len(upstream.exchanges)
    stream = openai_client.chat.completions.create(model=model, messages=USER, stream=True)
    request_id = leave(stream, kind='"content"')
    assert_cut_and_charged(world, upstream, request_id, before=before)


@pytest.mark.parametrize("model", ["on-responses", "on-anthropic"])
def test_leaving_a_response(
    openai_client: openai.OpenAI, world: World, upstream: ScriptedUpstream, model: str
) -> None:
    """Closing the stream ends it for everybody."""
    before = len(upstream.exchanges)
    stream = openai_client.responses.create(model=model, input=USER, stream=True, store=False)
    request_id = leave(stream, kind="response.output_text.delta")
    assert_cut_and_charged(world, upstream, request_id, before=before)


@pytest.mark.parametrize("model", ["on-anthropic", "on-openai", "on-responses", "on-gemini"])
def test_leaving_a_message(
    anthropic_client: anthropic.Anthropic, world: World, upstream: ScriptedUpstream, model: str
) -> None:
    """Closing the stream ends it for everybody."""
    before = len(upstream.exchanges)
    stream = anthropic_client.messages.create(model=model, messages=USER, stream=True, max_tokens=4_000)
    request_id = leave(stream, kind="text_delta")
    assert_cut_and_charged(world, upstream, request_id, before=before)


def test_giving_up_on_a_whole_answer(
    openai_client: openai.OpenAI,
    anthropic_client: anthropic.Anthropic,
    world: World,
    upstream: ScriptedUpstream,
) -> None:
    """A client's own timeout leaves too. The upstream has not said a word, and the prompt is what was seen."""
    before, known = len(upstream.exchanges), set(admitted(world))
    with pytest.raises(openai.APITimeoutError):
        openai_client.with_options(timeout=0.5).chat.completions.create(model="on-openai", messages=USER)
    with pytest.raises(anthropic.APITimeoutError):
        anthropic_client.with_options(timeout=0.5).messages.create(
            model="on-anthropic", messages=USER, max_tokens=4_000
        )
    made = until(lambda: found if len(found := set(admitted(world)) - known) == 2 else None)
    assert made is not None
    exchanges: list[Exchange] = until(lambda: upstream.exchanges[before:])
    assert until(lambda: all(one.cut for one in exchanges))
    for request_id in made:
        charged = world.charge(str(request_id))
        assert (charged.result, charged.units.output) == ("client-left", 0)
        assert charged.units.input > 0


def admitted(world: World) -> list[UUID]:
    """All requests so far."""
    return [fact.request_id for fact in lease_facts(world) if isinstance(fact, RequestAdmitted)]
