"""Images: what bounds them, what they say that they used, and every recorded exchange."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from openai.types import ImagesResponse

from application.dialects.openai.images import (
    ImagesRelay,
    parse_image_edit,
    parse_image_generation,
    patch_image_generation,
    read_images,
)
from application.dialects.openai.multipart.form import FormReader
from application.dialects.openai.units import Used
from application.wire.errors import InvalidRequest
from tests.application.dialects.openai.odd_json import mutated, values

Case = dict[str, Any]
PLAIN: Case = {"model": "m", "prompt": "a cät", "n": 3, "size": "1024x1024", "quality": "low"}
USAGE: Case = {
    "input_tokens": 50,
    "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
    "output_tokens": 60,
    "total_tokens": 110,
}


def body_of(**members: Any) -> bytes:
    return json.dumps({**PLAIN, **members}).encode()


def form(*parts: tuple[str, bytes, bool]) -> FormReader:
    reader = FormReader(b"b")
    for name, value, is_file in parts:
        filename = b'; filename="x.png"' if is_file else b""
        reader.feed(b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n' % (name.encode(), filename))
        reader.feed(value + b"\r\n")
    reader.feed(b"--b--")
    return reader


def test_pictures_are_bounded_by_number_and_tokens() -> None:
    """Their size in tokens is the model's to know."""
    head = parse_image_generation(body_of(n=1, partial_images=2, stream=True))
    most = head.most(image_tokens_max=6_000, input_image_tokens_max=0)
    assert (most.images, most.output, most.input) == (1, 6_200, 6)
    assert parse_image_generation(body_of()).most(image_tokens_max=10, input_image_tokens_max=0).output == 30
    assert (head.size, head.quality) == ("1024x1024", "low")


def test_the_model_may_be_left_out() -> None:
    """The endpoint has a default; the patch puts one in."""
    body = b'{"prompt":"x"}'
    assert parse_image_generation(body).model is None
    assert patch_image_generation(body, model="m") == b'{"prompt":"x","model":"m"}'


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": 1}, "prompt"),
        ({"n": 11}, "n"),
        ({"n": 2, "stream": True}, "n"),
        ({"svg": {"model": "m"}}, "svg"),
        ({"frame_count": 9}, "frame_count"),
        ({"partial_images": 4}, "partial_images"),
        ({"model": ""}, "model"),
    ],
)
def test_what_could_cost_more_than_its_bound_is_refused(members: Case, param: str) -> None:
    """Several streamed pictures, drawings by a second model, moving pictures."""
    with pytest.raises(InvalidRequest) as refusal:
        parse_image_generation(body_of(**members))
    assert refusal.value.param == param


def test_an_edit_counts_the_pictures_that_are_given() -> None:
    """One as `image`, several as `image[]`, a mask."""
    parts = (("prompt", b"12", False), ("n", b"2", False), ("model", b"m", False))
    head = parse_image_edit(
        form(*parts, ("image[]", b"1", True), ("image[]", b"2", True), ("mask", b"3", True))
    )
    assert (head.model, head.images, head.inputs, head.prompt_bytes) == ("m", 2, 3, 2)
    assert head.most(image_tokens_max=1, input_image_tokens_max=100).input == 302
    with pytest.raises(InvalidRequest):
        parse_image_edit(form(*parts))
    with pytest.raises(InvalidRequest):
        parse_image_edit(form(*parts, ("other", b"1", True)))
    with pytest.raises(InvalidRequest):
        parse_image_edit(form(("prompt", b"x", False), ("n", b"two", False), ("image", b"1", True)))


def test_an_answer_is_counted_in_pictures_and_tokens() -> None:
    """The kinds of tokens are told apart, since their prices differ."""
    body = json.dumps({"created": 1, "data": [{"b64_json": "x"}, {"url": "y"}], "usage": USAGE}).encode()
    read = read_images(body)
    assert read.body == body
    assert read.used == Used(input=50, input_image=40, output=60, output_image=60, images=2)
    assert read_images(b'{"created":1,"data":[{}]}').used == Used(images=1, source="answer")
    assert read_images(b'{"error":{"code":"moderation_blocked"}}').fault == "error_body"
    assert read_images(b'{"created":1}').fault == "garbage"


def test_the_picture_of_a_stream_is_withheld() -> None:
    """Unfinished ones pass."""
    events = [
        b'event: image_generation.partial_image\ndata: {"type":"image_generation.partial_image","b64_json":"x"}\n\n',
        b"event: image_generation.completed\ndata: "
        + json.dumps({"type": "image_generation.completed", "b64_json": "y", "usage": USAGE}).encode()
        + b"\n\n",
    ]
    relay = ImagesRelay()
    assert relay.feed(b"".join(events)) == events[0]
    assert relay.used == Used(input=50, input_image=40, output=60, output_image=60, images=1)
    assert relay.finish().data == events[1]


def test_a_blocked_picture_is_a_fault() -> None:
    """An error inside the stream."""
    relay = ImagesRelay()
    assert (
        relay.feed(b'event: error\ndata: {"type":"error","error":{"code":"moderation_blocked"}}\n\n') == b""
    )
    assert relay.finish().fault == "error_event"
    assert json.loads(relay.error_body) == {"error": {"code": "moderation_blocked"}}


def test_recorded_exchanges_are_read(corpus: list[Case], tally: Any) -> None:
    """Unchanged, one unit for each picture."""
    for case in corpus:
        if case["endpoint"] != "images.generations":
            continue
        body = case.get("response_body") or {}
        raw = json.dumps(body).encode()
        read = read_images(raw)
        if case["response_status"] != 200 or "created" not in body:
            tally.excludes(case, "an error, or no images in it")
            continue
        assert read.body == raw
        assert read.used is not None
        assert read.used.images == len(body["data"])
        ImagesResponse.model_validate(body)
        if isinstance(case["request_body"], dict):
            assert (
                parse_image_generation(json.dumps(case["request_body"]).encode()).images == read.used.images
            )
        tally.passes(case)
    assert tally.total() == 7


@given(mutated({**PLAIN, "stream": False, "partial_images": 1, "user": "u"}) | values)
def test_requests_are_read_or_refused(document: Any) -> None:
    """Nothing but `InvalidRequest` escapes."""
    with contextlib.suppress(InvalidRequest):
        parse_image_generation(json.dumps(document).encode())


@given(mutated({"created": 1, "data": [{"b64_json": "x"}], "usage": USAGE}) | values)
def test_no_answer_raises(document: Any) -> None:
    """Whatever it is, it is read or it is a fault."""
    read = read_images(json.dumps(document).encode())
    assert (read.fault is None) is bool(read.body)


def test_a_stream_that_did_not_end_has_no_picture() -> None:
    """Only the finished one is a unit."""
    assert ImagesRelay().used is None
