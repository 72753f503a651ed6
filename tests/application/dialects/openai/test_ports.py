"""What stands here fits the seams that the gateway knows."""

from typing import Any

from application.dialects.openai.audio.speech import SpeechEventRelay, SpeechRelay, parse_speech
from application.dialects.openai.audio.transcription import parse_transcription
from application.dialects.openai.audio.transcription_relay import TranscriptionRelay
from application.dialects.openai.chat.upstream import OpenAiUpstream
from application.dialects.openai.completions.head import parse_completion
from application.dialects.openai.completions.relay import CompletionsRelay
from application.dialects.openai.embeddings import parse_embeddings
from application.dialects.openai.images import ImagesRelay, parse_image_generation
from application.dialects.openai.moderations import parse_moderations
from application.dialects.openai.multipart.form import FormReader
from application.dialects.openai.rerank import parse_rerank
from application.dialects.openai.responses.head import parse_responses
from application.dialects.openai.responses.relay import ResponsesRelay
from application.dialects.openai.responses.surface import ResponsesSurface
from application.dialects.port import ChatStream, ChatUpstream, Relay, Surface, SurfaceStream
from application.wire.head import ChatHead

HEAD = parse_speech(b'{"model":"m","input":"x","voice":"v"}')


def test_every_relay_is_one() -> None:
    """By the type checker; and one that saw nothing is not complete."""
    relays: list[Relay] = [
        ResponsesRelay(),
        CompletionsRelay(usage_wanted=True),
        TranscriptionRelay(),
        ImagesRelay(),
        SpeechRelay(HEAD, is_document=False),
        SpeechEventRelay(HEAD),
    ]
    for relay in relays:
        assert relay.finish().fault == "truncated"


def test_the_upstream_and_the_surface_are_what_translations_need() -> None:
    """By the type checker; and a stream of nothing is not complete."""
    upstream: ChatUpstream = OpenAiUpstream(usage_dialect="openai")
    stream: ChatStream = upstream.stream(alias="a", created_s=1)
    assert not stream.finish().complete
    surface: Surface = ResponsesSurface()
    written: SurfaceStream = surface.stream(request={})
    assert b"response.completed" in written.end()


def test_every_head_tells_members_that_spend_beyond_what_is_counted() -> None:
    """A router's choice of another model, in any endpoint."""
    body = (
        b'{"model":"m","models":["other"],"input":"x","prompt":"x","voice":"v","query":"q","documents":["d"]}'
    )
    heads: list[Any] = [
        parse(body)
        for parse in (
            parse_responses_body,
            parse_completion,
            parse_embeddings,
            parse_image_generation,
            parse_moderations,
            parse_rerank,
            parse_speech,
        )
    ]
    form = FormReader(b"b")
    for name in (b'"model"', b'"models"', b'"file"; filename="a"'):
        form.feed(b"--b\r\nContent-Disposition: form-data; name=" + name + b"\r\n\r\nx\r\n")
    heads.append(parse_transcription(form, upload_bytes=1))
    assert [head.unpriced for head in heads] == [("models",)] * 8


def parse_responses_body(body: bytes) -> ChatHead:
    return parse_responses(body.replace(b'"prompt":"x",', b""))
