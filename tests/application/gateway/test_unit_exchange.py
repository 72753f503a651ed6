"""Exchanges that are not chat: sound that ends late or never, tiers that differ from what was asked, charges that are told."""

import msgspec
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from application.speech.images import ImagesEndpoint
from application.speech.messages import MessagesEndpoint
from application.speech.port import Endpoint
from application.speech.responses import ResponsesEndpoint
from application.speech.sound import SpeechEndpoint
from application.upstream import UpstreamClosed
from domain.catalogue.provider import Dialect
from domain.pricing import Price
from tests.application.gateway.exchange_world import (
    DONE,
    STREAM_HEAD,
    ExchangeWorld,
    Hang,
    Piece,
    Response,
    chunk,
    deployment,
    run,
)

SPEECH = b'{"model":"m","input":"ten chars.","voice":"alloy"}'
SOUND_HEAD = [(b"content-type", b"Audio/MPEG; rate=24000"), (b"x-request-id", b"up-1")]
CHARACTERS = 10
NANO = 1_000_000


class SpeechWorld(ExchangeWorld):
    """Ten characters at a nano-credit each."""

    def __init__(self, *pieces: Piece, headers: list[tuple[bytes, bytes]] = SOUND_HEAD) -> None:
        super().__init__(Response(pieces, headers=headers), stream=True)
        self.endpoint = SpeechEndpoint()
        self.request = SPEECH
        self.price = msgspec.structs.replace(self.price, character_nano_per_million=NANO)


def test_the_last_piece_of_sound_waits_for_the_charge() -> None:
    """What comes before it passes at once, under the provider's type."""

    async def scenario() -> ExchangeWorld:
        world = SpeechWorld(b"one", b"two", b"three")
        sent_before: list[bytes] = []
        world.client.before_end = lambda: sent_before.extend([world.client.received, b"|"])
        await world.run()
        assert sent_before == [b"onetwo", b"|"]
        return world

    world = run(scenario)
    assert world.client.received == b"onetwothree"
    assert world.client.ended
    assert world.client.headers[b"content-type"] == b"audio/mpeg"
    charged = world.charged()
    assert (charged.charge_nano, charged.units.characters, charged.usage_source) == (10, CHARACTERS, "none")


def test_sound_that_breaks_off_is_cut_and_charged() -> None:
    """Nothing can be said within sound, so its end is left open; no error is written into it."""

    async def scenario() -> ExchangeWorld:
        world = SpeechWorld(b"one", b"two", UpstreamClosed("mid"))
        await world.run()
        return world

    world = run(scenario)
    assert world.client.received == b"one"
    assert not world.client.ended
    assert (world.charged().result, world.charged().charge_nano) == ("cut", 10)


@pytest.mark.parametrize("media", [b"application/json", b"text/html", b"text/event-stream", b""])
def test_what_is_no_sound_does_not_reach_the_client(media: bytes) -> None:
    """It counts as a failed attempt, and the next one serves."""

    async def scenario() -> ExchangeWorld:
        world = SpeechWorld(b'{"error":{"message":"no"}}', headers=[(b"content-type", media)])
        world.upstreams.add(Response([b"sound"], headers=SOUND_HEAD))
        await world.run(deployment(1), deployment(2))
        return world

    world = run(scenario)
    assert world.client.received == b"sound"
    assert len(world.charged().attempts) == 2


def test_a_client_that_leaves_within_sound_pays_for_its_text() -> None:
    """The upstream hangs: after the drain time the characters are charged."""

    async def scenario() -> ExchangeWorld:
        world = SpeechWorld(b"one", b"two", lambda: world.client.leave(), Hang())  # noqa: PLW0108  not there yet
        await world.run()
        return world

    world = run(scenario)
    assert (world.charged().result, world.charged().charge_nano) == ("client-left", 10)


# --- tiers

TIERS = {"flex": 500_000, "priority": 3_000_000}


def _tiered(price: Price) -> Price:
    return msgspec.structs.replace(price, service_tiers=TIERS)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("asked", "told", "nano", "ppm"),
    [
        ("flex", '"flex"', 6, 500_000),
        ("flex", '"default"', 12, None),
        ("flex", "null", 6, 500_000),
        ("", '"priority"', 12, None),  # a tier that nobody asked for and nothing was held for
    ],
)
def test_the_tier_that_the_provider_tells_decides(
    asked: str, told: str, nano: int, ppm: int | None, *, stream: bool
) -> None:
    """Twelve tokens at a nano-credit each, times the factor of what was used; the charge records it."""
    usage = '{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}'
    whole = (
        '{"id":"c1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":'
        f'{{"role":"assistant","content":"x"}},"finish_reason":"stop"}}],"service_tier":{told},"usage":{usage}}}'
    ).encode()

    async def scenario() -> ExchangeWorld:
        answer = Response([whole])
        if stream:
            last = chunk(finish="stop", usage=usage).replace(
                b'"model"', b'"service_tier":%b,"model"' % told.encode()
            )
            answer = Response([chunk("x"), last, DONE], headers=STREAM_HEAD)
        world = ExchangeWorld(answer, stream=stream)
        world.price = _tiered(world.price)
        world.service_tier = asked
        await world.run()
        return world

    charged = run(scenario).charged()
    assert charged.charge_nano == nano
    assert (charged.factor_ppm or None) == ppm


# --- the charge for a client that asked for it


def test_nothing_is_put_into_sound() -> None:
    """Not even where it looks like an event with usage."""
    sound = b'data: {"usage":{"x":1}}\n\n'

    async def scenario() -> ExchangeWorld:
        world = SpeechWorld(sound)
        world.cost_wanted = True
        await world.run()
        return world

    world = run(scenario)
    assert (world.client.received, world.charged().charge_nano) == (sound, CHARACTERS)


MESSAGE = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m1","type":"message","role":"assistant",'
    b'"model":"up","content":[],"stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
RESPONSE = (
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":1,"delta":"hi"}\n\n'
    b'event: response.completed\ndata: {"type":"response.completed","sequence_number":2,"response":{"id":"r1",'
    b'"object":"response","status":"completed","output":[],"usage":{"input_tokens":10,"output_tokens":2,"total_tokens":12,'
    b'"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens_details":{"reasoning_tokens":0}}}}\n\n'
)
COST = b',"cost":0.000000012'


@pytest.mark.parametrize(
    ("endpoint", "request_body", "dialect", "events", "before"),
    [
        (
            MessagesEndpoint(),
            b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}',
            "anthropic",
            MESSAGE,
            b'"usage":{"output_tokens":2',
        ),
        (
            ResponsesEndpoint(),
            b'{"model":"m","stream":true,"input":"hi"}',
            "openai",
            RESPONSE,
            b'"output_tokens_details":{"reasoning_tokens":0}',
        ),
    ],
    ids=["messages", "responses"],
)
def test_other_streams_tell_it_in_their_last_usage(
    endpoint: Endpoint, request_body: bytes, dialect: Dialect, events: bytes, before: bytes
) -> None:
    """Twelve tokens at a nano-credit each; SDKs keep members of usage that they do not know."""

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([events], headers=STREAM_HEAD), stream=True)
        world.endpoint, world.request, world.cost_wanted = endpoint, request_body, True
        speaks = msgspec.structs.replace(deployment(), dialect=dialect, serves=frozenset((endpoint.name,)))
        await world.run(speaks)
        return world

    world = run(scenario)
    assert world.charged().charge_nano == 12
    assert world.client.received == events.replace(before, before + COST)


@pytest.mark.parametrize("stream", [False, True])
def test_a_translated_chat_tells_it_too(*, stream: bool) -> None:
    """Its client never asked for usage in the other way; SDKs take the member."""
    message = (
        b'{"id":"m1","type":"message","role":"assistant","model":"up","content":[{"type":"text","text":"hi"}],'
        b'"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":2}}'
    )

    async def scenario() -> ExchangeWorld:
        answer = Response([MESSAGE], headers=STREAM_HEAD) if stream else Response([message])
        world = ExchangeWorld(answer, stream=stream)
        world.cost_wanted = True
        await world.run(msgspec.structs.replace(deployment(), dialect="anthropic"))
        return world

    world = run(scenario)
    told = world.client.received
    if stream:
        last = told.split(b"\n\n")[-3].removeprefix(b"data: ")
        told = last
        usage = ChatCompletionChunk.model_validate_json(last).usage
    else:
        usage = ChatCompletion.model_validate_json(told).usage
    assert usage is not None
    assert (usage.total_tokens, world.charged().charge_nano) == (12, 12)
    assert COST in told


# --- a document where a stream was asked for


def test_a_picture_that_does_not_stream_is_passed_as_a_document() -> None:
    """Some models have no stream whatever they are asked; that is no failure, and the SDK can tell."""
    answer = b'{"created":1,"data":[{"b64_json":"eA=="}]}'

    async def scenario() -> ExchangeWorld:
        world = ExchangeWorld(Response([answer]))
        world.endpoint = ImagesEndpoint()
        world.request = b'{"model":"m","prompt":"x","stream":true}'
        world.price = msgspec.structs.replace(world.price, image_nano_per_million=5 * NANO)
        await world.run()
        return world

    world = run(scenario)
    assert world.client.received == answer
    assert world.client.headers[b"content-type"] == b"application/json"
    assert (world.charged().units.images, world.charged().charge_nano) == (1, 5)
