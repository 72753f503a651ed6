"""What the sandbox answers beside chat: valid for the official SDK, deterministic, and true in its units."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI

from sandbox.tokens import Tokens
from tests.sandbox.conftest import Running

FILE = ("a.mp3", b"sound" * 16_000)  #: five seconds


@pytest.fixture
def client(shared: Running) -> Iterator[OpenAI]:
    with OpenAI(
        base_url=shared.base_url, api_key="sk-any", max_retries=0, _strict_response_validation=True
    ) as made:
        yield made


def test_moderations_flag_one_word(client: OpenAI) -> None:
    """Each input is judged by itself."""
    got = client.moderations.create(model="sandbox-moderation", input=["calm", "thunder"])
    assert [one.flagged for one in got.results] == [False, True]


def test_rankings_tell_searches_and_tokens(shared: Running, counter: Tokens) -> None:
    """A search for each hundred documents; tokens of the query with every document."""
    documents = ["green hill"] * 101
    body = {"model": "sandbox-rerank", "query": "green", "documents": documents, "top_n": 1}
    answer: Any = shared.send("POST", "/v1/rerank", body).json
    assert answer["meta"]["billed_units"] == {"search_units": 2}
    tokens = counter.count("green") + counter.count("green hill")
    assert answer["usage"] == {"total_tokens": 101 * tokens}


@pytest.mark.parametrize("n", [1, 3])
def test_pictures_are_as_many_as_were_asked_for(client: OpenAI, n: int) -> None:
    """And so are their tokens."""
    got = client.images.generate(model="sandbox-image", prompt="a boat", n=n)
    assert got.data is not None
    assert got.usage is not None
    assert (len(got.data), got.usage.output_tokens) == (n, 272 * n)
    assert base64.b64decode(got.data[0].b64_json or "").startswith(b"\x89PNG")


def test_an_edit_counts_what_it_is_given(client: OpenAI) -> None:
    """64 tokens a picture, and events when asked."""
    png = ("a.png", b"\x89PNG")
    got = client.images.edit(model="sandbox-image", prompt="x", image=[png, png])
    assert got.usage is not None
    assert got.usage.input_tokens_details.image_tokens == 128
    events = list(client.images.edit(model="sandbox-image", prompt="x", image=png, stream=True))
    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]


def test_sound_is_as_long_as_its_text(client: OpenAI) -> None:
    """640 bytes a character, the same for the same text."""
    made = [
        client.audio.speech.create(model="sandbox-voice", input="twelve chars", voice="alloy").content
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(made[0]) == 640 * 12


def test_a_transcription_lasts_as_its_file(client: OpenAI, counter: Tokens) -> None:
    """A second for 16,000 bytes, told as duration; in events as tokens of the text."""
    got = client.audio.transcriptions.create(
        model="sandbox-listener", file=FILE, response_format="verbose_json"
    )
    assert got.duration == 5
    events = list(client.audio.transcriptions.create(model="sandbox-listener", file=FILE, stream=True))
    last = events[-1]
    assert last.type == "transcript.text.done"
    assert last.text == got.text
    assert last.usage is not None
    assert (last.usage.input_tokens, last.usage.output_tokens) == (50, counter.count(got.text))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/rerank", {"model": "sandbox-rerank", "query": "x"}),
        ("/v1/images/generations", {"model": "sandbox-image"}),
        ("/v1/images/edits", b"no form"),
        ("/v1/audio/speech", {"model": "sandbox-voice", "input": "x"}),
        (
            "/v1/audio/transcriptions",
            b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nx\r\n--b--\r\n',
        ),
        ("/v1/moderations", b"{"),
    ],
)
def test_what_is_malformed_is_refused(shared: Running, path: str, body: Any) -> None:
    """400 in OpenAI's envelope."""
    answer = shared.send("POST", path, body)
    assert answer.status == 400
    assert answer.json["error"]["message"]


def test_a_fault_works_here_as_well(shared: Running) -> None:
    """By the model's name, as everywhere."""
    body = {"model": "sandbox-fault-status_503", "prompt": "x"}
    assert shared.send("POST", "/v1/images/generations", body).status == 503
