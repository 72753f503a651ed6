"""The usage chunk that the gateway makes: a chunk of the same stream to every SDK, with the figures that were charged."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from application.wire.usage import Usage
from application.wire.usage_event import Stamp, usage_event

OTHERWISE = Stamp(id="chatcmpl-x", created_s=7, model="other")
LAST = b'data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[]}\n\n'
OURS = ("chatcmpl-x", 7, "other")
THEIRS = ("c1", 5, "m")


def made(last: bytes, usage: Usage, beginning: bytes = b"") -> dict[str, Any]:
    event = usage_event(last, beginning, usage, otherwise=OTHERWISE)
    assert event.startswith(b"data: {")
    assert event.endswith(b"}\n\n")
    document: dict[str, Any] = json.loads(event[6:])
    ChatCompletionChunk.model_validate(document, strict=True)
    return document


def stamp(document: dict[str, Any]) -> tuple[str, int, str]:
    return document["id"], document["created"], document["model"]


def test_the_chunk_has_the_figures_and_no_choices() -> None:
    """All prompt tokens together, and of which kinds they were."""
    usage = Usage(input=10, cached_input=4, cache_write=1, output=6, reasoning=2)
    document = made(LAST, usage)
    assert (document["choices"], stamp(document)) == ([], THEIRS)
    assert document["usage"] == {
        "prompt_tokens": 15,
        "completion_tokens": 6,
        "total_tokens": 21,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }


def test_a_local_count_has_no_details() -> None:
    """None are known."""
    assert made(LAST, Usage(input=3, output=4))["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
    }


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (LAST, THEIRS),
        (LAST.replace(b"\n", b"\r\n"), THEIRS),
        (b": a comment\n\nevent: x\n" + LAST, THEIRS),
        (b'data: {"id":"c0"}\n\n' + LAST, THEIRS),
        (LAST.replace(b'"m"', b'"a data: b"'), ("c1", 5, "a data: b")),
        (b"", OURS),
        (b": a comment\n\n", OURS),
        (b"data: {cut", OURS),
        (b"data: [1]\n\n", OURS),
        (b'data: {"id":1,"created":"5","model":null}\n\n', OURS),
        (b'data: {"id":"","created":true,"model":""}\n\n', OURS),
    ],
)
def test_the_chunk_is_stamped_as_its_stream(last: bytes, expected: tuple[str, int, str]) -> None:
    """By the last event; what that does not say is filled in."""
    assert stamp(made(last, Usage(input=1, output=1))) == expected


@pytest.mark.parametrize("beginning", [LAST + LAST, b": a comment\n\n" + LAST, LAST + b'data: {"id":'])
def test_a_stream_that_withheld_nothing_is_known_by_its_beginning(beginning: bytes) -> None:
    """Its end had no chunk of its own."""
    assert stamp(made(b"", Usage(input=1, output=1), beginning)) == THEIRS
