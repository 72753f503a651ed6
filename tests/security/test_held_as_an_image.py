"""What is held for as one image is one: a document, a sound or a film under that name would cost what nobody pays."""

from base64 import b64encode

import msgspec
import pytest

from application.dialects.anthropic.surface.head import parse_messages
from application.dialects.gemini.request import chat_request
from application.dialects.gemini.traits import MEDIA_URLS
from application.dialects.openai.responses.head import parse_responses
from application.dialects.port import Json, Target
from application.wire.bounds import ModelLimits, bound_of
from application.wire.errors import InvalidRequest
from application.wire.head import ChatHead, parse_chat

CONTEXT = 1_000_000
LIMITS = ModelLimits(context_tokens=CONTEXT, output_tokens_max=10, image_tokens_max=1_120)
TEXT = b64encode(b"a b c d " * 20_000).decode()


def _chat(url: str) -> Json:
    part = {"type": "image_url", "image_url": {"url": url}}
    return {"model": "m", "messages": [{"role": "user", "content": [part]}]}


def _in_chat(kind: str) -> ChatHead:
    return parse_chat(msgspec.json.encode(_chat(f"data:{kind};base64,{TEXT}")))


def _in_messages(kind: str) -> ChatHead:
    source = {"type": "base64", "media_type": kind, "data": TEXT}
    turn = {"role": "user", "content": [{"type": "image", "source": source}]}
    return parse_messages(msgspec.json.encode({"model": "m", "max_tokens": 1, "messages": [turn]}))


def _in_responses(kind: str) -> ChatHead:
    part = {"type": "input_image", "image_url": f"data:{kind};base64,{TEXT}", "detail": "auto"}
    turn = {"role": "user", "content": [part]}
    return parse_responses(msgspec.json.encode({"model": "m", "input": [turn]}))


@pytest.mark.parametrize("parse", [_in_chat, _in_messages, _in_responses])
@pytest.mark.parametrize("kind", ["text/plain", "application/pdf", "video/mp4", "audio/mpeg"])
def test_data_that_are_no_image_are_not_held_for_as_one(parse: object, kind: str) -> None:
    """160,000 bytes of text went as one image of 1,120 tokens: providers read a data URL by its media type."""
    assert callable(parse)
    assert bound_of(parse(kind), LIMITS).prompt_tokens >= len(TEXT)


@pytest.mark.parametrize("parse", [_in_chat, _in_messages, _in_responses])
def test_data_of_an_image_are_held_for_as_one(parse: object) -> None:
    """And not by their bytes."""
    assert callable(parse)
    assert bound_of(parse("image/png"), LIMITS).prompt_tokens < 10_000


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/watch?v=abcdefghijk",
        "https://youtu.be/abcdefghijk",
        "https://files.example.com/film.mp4",
        "https://files.example.com/book.pdf",
        f"data:text/plain;base64,{TEXT}",
    ],
    ids=["film", "short film", "mp4", "pdf", "text"],
)
def test_gemini_is_shown_images_as_images_only(url: str) -> None:
    """It fetches an address itself: an hour of film is a million tokens."""
    target = Target(model="gemini-test", output_tokens=10, traits=frozenset((MEDIA_URLS,)))
    with pytest.raises(InvalidRequest):
        chat_request(_chat(url), target, stream=False)
    for good in (
        "https://files.example.com/a.png",
        "data:image/png;base64,AAAA",
    ):
        assert chat_request(_chat(good), target, stream=False).body
