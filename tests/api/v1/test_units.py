"""What is not chat: what the SDK makes of each answer, and that the charge is the units times the price, once."""

import base64
import hashlib
import struct
from collections.abc import Iterator

import httpx
import openai
import pytest

from domain.ledger.events import UsageCharged
from tests.api.v1.gateway_world import World
from tests.api.v1.unit_routes import (
    EMBED,
    LISTEN,
    LISTEN_BY_TOKENS,
    MODERATE,
    PICTURE,
    PICTURE_BY_LOOK,
    PICTURE_BY_TOKENS,
    RANK,
    RANK_BY_TOKENS,
    SILENT_PICTURE,
    VOICE,
)

NANO = 10**9
TOKENS_PER_PICTURE = 272  #: of the sandbox
FILE = ("speech.mp3", b"sound" * 16_000, "audio/mpeg")  #: five seconds of the sandbox's
SECONDS = 5
SAID = "Good morning, dear customers."


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


def charged(world: World, headers: object, operation: str) -> UsageCharged:
    """The charge of an answer that came whole at the first attempt; what its headers say is what was charged."""
    assert isinstance(headers, httpx.Headers | dict) or hasattr(headers, "get")
    charge = world.charge(headers["x-request-id"])  # type: ignore[index]  # headers of two libraries
    assert (charge.result, charge.operation) == ("completed", operation)
    assert charge.charge_nano <= charge.hold_nano
    return charge


def post(world: World, path: str, body: dict[str, object]) -> httpx.Response:
    return world.client.post(
        f"/v1{path}", json=body, headers={"authorization": f"Bearer {world.seed.api_key}"}
    )


# --- embeddings


def test_embeddings_are_charged_by_their_tokens(world: World, sdk: openai.OpenAI) -> None:
    """The charge goes by the provider's count."""
    texts = ["one text", "and another"]
    raw = sdk.embeddings.with_raw_response.create(model=EMBED, input=texts, encoding_format="float")
    answer = raw.parse()
    assert [len(one.embedding) for one in answer.data] == [1536, 1536]
    charge = charged(world, raw.headers, "embeddings")
    assert charge.charge_nano == answer.usage.prompt_tokens * 20
    assert (charge.units.input, charge.units.output, charge.usage_source) == (
        answer.usage.prompt_tokens,
        0,
        "provider",
    )


def test_the_sdk_decodes_what_it_asks_for_by_default(sdk: openai.OpenAI) -> None:
    """Base64 says the same numbers; the SDK's strict mode would want floats before they are decoded."""
    lenient = sdk.copy()
    lenient._strict_response_validation = False
    packed = lenient.embeddings.create(model=EMBED, input="x", dimensions=8)
    plain = lenient.embeddings.create(model=EMBED, input="x", dimensions=8, encoding_format="float")
    assert packed.data[0].embedding == plain.data[0].embedding


def test_embeddings_of_tokens_in_floats(world: World) -> None:
    """Token ids in, floats out."""
    answer = post(world, "/embeddings", {"model": EMBED, "input": [[1, 2, 3], [4]], "dimensions": 8})
    assert [len(one["embedding"]) for one in answer.json()["data"]] == [8, 8]
    assert charged(world, answer.headers, "embeddings").units.input == 4


# --- moderations and rankings


@pytest.mark.parametrize("model", [None, MODERATE])
def test_a_moderation_costs_its_fee(world: World, sdk: openai.OpenAI, model: str | None) -> None:
    """The model may be left out, as OpenAI has it."""
    named = openai.omit if model is None else model
    raw = sdk.moderations.with_raw_response.create(model=named, input=["a song", "thunder"])
    assert [one.flagged for one in raw.parse().results] == [False, True]
    assert charged(world, raw.headers, "moderations").charge_nano == 100 * NANO // 10**6


@pytest.mark.parametrize("model", [RANK, RANK_BY_TOKENS])
def test_a_ranking_is_charged_in_the_unit_of_its_price(world: World, model: str) -> None:
    """Searches where the price names them, tokens otherwise; the provider tells both."""
    documents = ["rain and sun", "a green hill", "snow"] * 50
    answer = post(
        world, "/rerank", {"model": model, "query": "green hill", "documents": documents, "top_n": 2}
    )
    assert [one["index"] for one in answer.json()["results"]] == [1, 4]
    charge = charged(world, answer.headers, "rerank")
    tokens = answer.json()["usage"]["total_tokens"]
    assert (charge.units.searches, charge.units.input) == (2, tokens)
    assert charge.charge_nano == (2 * 2_000_000 if model == RANK else tokens * 50)


# --- images


def test_pictures_are_charged_by_the_picture(world: World, sdk: openai.OpenAI) -> None:
    """Two pictures cost twice; the header says what the event does."""
    raw = sdk.images.with_raw_response.generate(model=PICTURE, prompt="a boat on a lake", n=2)
    data = raw.parse().data
    assert data is not None
    assert [base64.b64decode(one.b64_json or "")[1:4] for one in data] == [b"PNG", b"PNG"]
    charge = charged(world, raw.headers, "images")
    assert (charge.units.images, charge.charge_nano) == (2, 2 * 40_000_000)
    assert raw.headers["x-tokenok-charge"] == "0.08"


@pytest.mark.parametrize("stream", [False, True])
def test_pictures_are_charged_by_the_look_that_the_provider_tells(
    world: World, sdk: openai.OpenAI, *, stream: bool
) -> None:
    """The client leaves it open: the dearest is held, and what was made is charged."""
    raw = sdk.images.with_raw_response.generate(
        model=PICTURE_BY_LOOK, prompt="a boat", size="auto", stream=stream
    )
    answer = raw.parse()
    if isinstance(answer, openai.Stream):
        assert list(answer)
    charge = charged(world, raw.headers, "images")
    assert (charge.units.image_size, charge.units.image_quality) == ("1024x1024", "low")
    assert (charge.charge_nano, charge.hold_nano) == (10_000_000, 250_000_000)


@pytest.mark.parametrize(
    ("look", "hold_nano"),
    [({"size": "1024x1024", "quality": "low"}, 10_000_000), ({"size": "1024x1024"}, 160_000_000)],
)
def test_what_is_held_is_the_dearest_that_was_asked_for(
    world: World, look: dict[str, str], hold_nano: int
) -> None:
    """And no dearer."""
    answer = post(world, "/images/generations", {"model": PICTURE_BY_LOOK, "prompt": "a boat", **look})
    assert charged(world, answer.headers, "images").hold_nano == hold_nano


def test_pictures_may_be_charged_by_tokens(world: World, sdk: openai.OpenAI) -> None:
    """A price of zero for a picture says that its tokens pay."""
    raw = sdk.images.with_raw_response.generate(model=PICTURE_BY_TOKENS, prompt="a boat on a lake")
    usage = raw.parse().usage
    assert usage is not None
    charge = charged(world, raw.headers, "images")
    assert charge.charge_nano == usage.input_tokens * 5_000 + usage.output_tokens * 40_000
    assert (charge.units.images, charge.units.output) == (1, TOKENS_PER_PICTURE)


def test_pictures_without_usage_are_not_free(world: World, sdk: openai.OpenAI) -> None:
    """Where tokens pay and none are told, the bound is charged and marked as an estimate."""
    raw = sdk.images.with_raw_response.generate(model=SILENT_PICTURE, prompt="a boat")
    assert raw.parse().usage is None
    charge = charged(world, raw.headers, "images")
    assert charge.usage_source == "estimated"
    assert charge.charge_nano == charge.hold_nano > 0


def test_a_picture_may_stream(world: World, sdk: openai.OpenAI) -> None:
    """An unfinished picture, then the whole one, after the charge."""
    raw = sdk.images.with_raw_response.generate(model=PICTURE, prompt="a boat", stream=True, partial_images=1)
    kinds = [event.type for event in raw.parse()]
    assert kinds == ["image_generation.partial_image", "image_generation.completed"]
    assert charged(world, raw.headers, "images").units.images == 1


@pytest.mark.parametrize("count", [1, 3])
def test_edits_take_pictures_as_a_form(world: World, sdk: openai.OpenAI, count: int) -> None:
    """One picture as `image`, several as `image[]`."""
    png = [("a.png", b"\x89PNG" + bytes(100), "image/png")] * count
    raw = sdk.images.with_raw_response.edit(
        model=PICTURE, prompt="more light", image=png if count > 1 else png[0], n=2
    )
    usage = raw.parse().usage
    assert usage is not None
    assert usage.input_tokens_details.image_tokens == 64 * count
    charge = charged(world, raw.headers, "image-edits")
    assert (charge.units.images, charge.charge_nano) == (2, 80_000_000)


# --- speech


@pytest.mark.parametrize("response_format", ["mp3", "wav", "pcm"])
def test_sound_comes_as_it_is_and_costs_its_characters(
    world: World, sdk: openai.OpenAI, response_format: str
) -> None:
    """Every byte, under the provider's content type; nobody tells usage, the text is counted."""
    with sdk.audio.speech.with_streaming_response.create(
        model=VOICE,
        input=SAID,
        voice="alloy",
        response_format=response_format,  # type: ignore[arg-type]  # a literal there
    ) as answer:
        sound = answer.read()
        headers = answer.headers
    assert sound == hashlib.shake_128(SAID.encode()).digest(640 * len(SAID))
    assert (
        headers["content-type"]
        == {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}[response_format]
    )
    charge = charged(world, headers, "speech")
    assert (charge.units.characters, charge.usage_source) == (len(SAID), "none")
    assert charge.charge_nano == len(SAID) * 15_000


def test_sound_may_come_as_events(world: World, sdk: openai.OpenAI) -> None:
    """Deltas of base64, then the end with its usage."""
    with sdk.audio.speech.with_streaming_response.create(
        model=VOICE, input=SAID, voice="alloy", stream_format="sse"
    ) as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("data: ")]
        headers = answer.headers
    assert "speech.audio.done" in lines[-1]
    assert headers["content-type"].startswith("text/event-stream")
    charge = charged(world, headers, "speech")
    assert (charge.units.characters, charge.usage_source) == (len(SAID), "provider")
    assert charge.charge_nano == len(SAID) * 15_000


# --- transcriptions


@pytest.mark.parametrize("response_format", ["json", "verbose_json"])
def test_sound_is_heard_and_charged_by_its_seconds(
    world: World, sdk: openai.OpenAI, response_format: str
) -> None:
    """The provider tells the seconds."""
    raw = sdk.audio.transcriptions.with_raw_response.create(  # type: ignore[call-overload]  # a literal there
        model=LISTEN, file=FILE, response_format=response_format
    )
    assert raw.parse().text.startswith("Sandbox")
    charge = charged(world, raw.headers, "transcriptions")
    assert (charge.units.audio_ms, charge.usage_source) == (SECONDS * 1000, "provider")
    assert charge.charge_nano == SECONDS * 100_000
    assert charge.hold_nano > charge.charge_nano


@pytest.mark.parametrize("response_format", ["text", "srt", "vtt"])
def test_text_and_subtitles_cost_what_they_last(
    world: World, sdk: openai.OpenAI, response_format: str
) -> None:
    """Plain text tells nothing of its cost, so it is asked for as JSON; subtitles name their times."""
    raw = sdk.audio.transcriptions.with_raw_response.create(
        model=LISTEN,
        file=FILE,
        response_format=response_format,  # type: ignore[call-overload]  # a literal there
    )
    text = raw.text if isinstance(raw.text, str) else raw.text()
    assert text.startswith({"text": "Sandbox", "srt": "1\n", "vtt": "WEBVTT"}[response_format])
    assert text.endswith("\n")
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    charge = charged(world, raw.headers, "transcriptions")
    assert (charge.units.audio_ms, charge.usage_source) == (SECONDS * 1000, "provider")


def test_a_transcription_may_stream(world: World, sdk: openai.OpenAI) -> None:
    """Deltas, then the whole text with its usage: tokens, which this price charges."""
    raw = sdk.audio.transcriptions.with_raw_response.create(model=LISTEN_BY_TOKENS, file=FILE, stream=True)
    events = list(raw.parse())
    assert [event.type for event in events[-2:]] == ["transcript.text.delta", "transcript.text.done"]
    charge = charged(world, raw.headers, "transcriptions")
    assert charge.units.input == SECONDS * 10
    assert charge.charge_nano == charge.units.input * 6_000 + charge.units.output * 10_000
    assert charge.usage_source == "provider"


def test_a_unit_that_the_price_does_not_name_is_not_free(world: World, sdk: openai.OpenAI) -> None:
    """The provider tells seconds where tokens are priced: the bound is charged."""
    raw = sdk.audio.transcriptions.with_raw_response.create(model=LISTEN_BY_TOKENS, file=FILE)
    charge = charged(world, raw.headers, "transcriptions")
    assert charge.usage_source == "estimated"
    assert charge.charge_nano == charge.hold_nano > 0


@pytest.mark.filterwarnings(
    "ignore:deprecated:DeprecationWarning"
)  # the SDK would rather have no translations
def test_a_translation_is_a_form_as_well(world: World, sdk: openai.OpenAI) -> None:
    """At its own path."""
    raw = sdk.audio.translations.with_raw_response.create(model=LISTEN, file=FILE)
    assert raw.parse().text.startswith("Sandbox")
    assert charged(world, raw.headers, "translations").charge_nano == SECONDS * 100_000


# --- another deployment


def test_a_plain_wav_is_held_for_by_its_header(world: World, sdk: openai.OpenAI) -> None:
    """Its own rate, and not the least of any format: the hold is a fortieth."""
    header = (
        b"RIFF"
        + struct.pack("<I", 0)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    )
    raw = sdk.audio.transcriptions.with_raw_response.create(
        model=LISTEN, file=("a.wav", header.ljust(320_000, b"\0"))
    )
    assert charged(world, raw.headers, "transcriptions").hold_nano == 10 * 100_000


@pytest.mark.parametrize("kind", ["embed", "picture", "edit", "voice", "listen"])
def test_another_deployment_is_tried_also_with_a_form(world: World, sdk: openai.OpenAI, kind: str) -> None:
    """The first refuses with 500; the second gets the whole request again, with its own model in it."""
    match kind:
        case "embed":
            headers = sdk.embeddings.with_raw_response.create(model="second/embed", input="x").headers
        case "picture":
            headers = sdk.images.with_raw_response.generate(model="second/picture", prompt="x").headers
        case "edit":
            headers = sdk.images.with_raw_response.edit(
                model="second/picture", prompt="x", image=("a.png", bytes(300_000))
            ).headers
        case "voice":
            headers = sdk.audio.speech.with_raw_response.create(
                model="second/voice", input="x", voice="alloy"
            ).headers
        case _:
            headers = sdk.audio.transcriptions.with_raw_response.create(
                model="second/listen", file=("a.mp3", bytes(3_000_000))
            ).headers
    charge = world.charge(headers["x-request-id"])
    assert [one.outcome for one in charge.attempts] == ["unknown", "ok"]
    assert charge.charge_nano > 0
