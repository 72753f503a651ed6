"""Speech and transcriptions: what bounds them, and what they say that they used."""

import contextlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.audio import TranscriptionVerbose

from application.dialects.openai.audio.speech import (
    SpeechEventRelay,
    SpeechRelay,
    parse_speech,
    patch_speech,
)
from application.dialects.openai.audio.transcription import (
    TranscriptionHead,
    parse_transcription,
    read_transcription,
    used_of,
)
from application.dialects.openai.audio.transcription_relay import TranscriptionRelay
from application.dialects.openai.multipart.form import FormReader
from application.dialects.openai.units import Used
from application.wire.errors import InvalidRequest
from tests.application.dialects.openai.odd_json import mutated, pieces, values

Case = dict[str, Any]
SPEECH: Case = {"model": "m", "input": "héllo", "voice": "alloy"}


def form(file: bytes = b"sound", **fields: str) -> FormReader:
    reader = FormReader(b"b")
    for name, value in fields.items():
        reader.feed(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    reader.feed(
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + file + b"\r\n"
    )
    reader.feed(b"--b--\r\n")
    reader.finish()
    return reader


def head_of(file: bytes = b"sound", *, upload_bytes: int = 7_500, **fields: str) -> TranscriptionHead:
    return parse_transcription(form(file, **{"model": "m", **fields}), upload_bytes=upload_bytes)


def sse(*documents: Case) -> bytes:
    return b"".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in documents)


def test_a_transcription_is_bounded_by_its_size() -> None:
    """At the least bytes for a second that encoders give."""
    head = head_of(stream="true", response_format="srt", prompt="hé")
    assert (head.model, head.stream, head.response_format) == ("m", True, "srt")
    assert head.most.audio_ms == 10_000
    assert head.most.input == 10 * 50 + 3


def test_the_header_of_a_wave_file_tells_its_rate() -> None:
    """If it is of one mind; a forged one cannot say more than is usual."""
    fmt = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    assert head_of(fmt + b"data", upload_bytes=64_000).most.audio_ms == 2_000
    forged = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 4_000_000, 2, 16)
    assert head_of(forged + b"data", upload_bytes=64_000).most.audio_ms == 86_000
    fast = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, 8_000_000, 16_000_000, 2, 16
    )
    assert head_of(fast + b"data", upload_bytes=1_920_000).most.audio_ms == 10_000


def test_a_form_must_have_one_file_and_a_model() -> None:
    """Named `file`."""
    with pytest.raises(InvalidRequest) as refusal:
        parse_transcription(form(), upload_bytes=1)
    assert refusal.value.param == "model"
    with pytest.raises(InvalidRequest) as refusal:
        head_of(response_format="xml")
    assert refusal.value.param == "response_format"
    empty = FormReader(b"b")
    empty.feed(b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--')
    with pytest.raises(InvalidRequest) as refusal:
        parse_transcription(empty, upload_bytes=1)
    assert refusal.value.param == "file"


@pytest.mark.parametrize(
    ("usage", "used"),
    [
        ({"type": "duration", "seconds": 7}, Used(audio_ms=7_000)),
        ({"type": "duration", "seconds": 7.0001}, Used(audio_ms=7_001)),
        ({"type": "duration", "seconds": 0}, Used(audio_ms=0)),
        ({"type": "duration", "seconds": -1}, None),
        ({"type": "duration", "seconds": "7"}, None),
        (
            {
                "type": "tokens",
                "input_tokens": 14,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
                "output_tokens": 45,
                "total_tokens": 59,
            },
            Used(input=14, input_audio=14, output=45),
        ),
        (
            {"prompt_audio_seconds": 36, "prompt_tokens": 13, "completion_tokens": 151, "total_tokens": 164},
            Used(input=13, output=151, audio_ms=36_000),
        ),
    ],
)
def test_usage_is_seconds_or_tokens_or_both(usage: Case, used: Used | None) -> None:
    """OpenAI's two kinds, and Mistral's."""
    assert used_of(usage) == used


def test_an_answer_without_usage_is_measured_by_what_it_names() -> None:
    """A duration, the last time of subtitles; plain text says nothing."""
    verbose = read_transcription(b'{"text":"x","duration":36.7}', is_json=True)
    assert verbose.used == Used(audio_ms=36_700, source="answer")
    srt = b"1\n00:00:00,000 --> 00:00:01,500\nx\n\n2\n00:00:01,500 --> 00:01:02,250\ny\n"
    assert read_transcription(srt, is_json=False).used == Used(audio_ms=62_250, source="answer")
    vtt = b"WEBVTT\n\n00:00.000 --> 00:03.000\nx\n"
    assert read_transcription(vtt, is_json=False).used == Used(audio_ms=3_000, source="answer")
    assert read_transcription(b"just text", is_json=False).used is None


def test_an_error_told_with_status_200_is_a_fault() -> None:
    """As is an object without text."""
    assert read_transcription(b'{"error":"x"}', is_json=True).fault == "error_body"
    assert read_transcription(b'{"x":1}', is_json=True).fault == "garbage"


def test_recorded_transcriptions_are_read(corpus: list[Case], tally: Any) -> None:
    """Unchanged, with what they used."""
    for case in corpus:
        body = case.get("response_body")
        if not case["endpoint"].startswith("audio"):
            continue
        if not isinstance(body, dict) or "text" not in body:
            tally.excludes(case, "a fixture's wrapping, not an answer")
            continue
        raw = json.dumps(body).encode()
        read = read_transcription(raw, is_json=True)
        assert read.body == raw
        if case["usage"] and "seconds" in case["usage"]:
            assert read.used == Used(audio_ms=case["usage"]["seconds"] * 1000)
            TranscriptionVerbose.model_validate(body)
        tally.passes(case)
    assert tally.total() == 3


def test_the_whole_text_of_a_streamed_transcription_is_withheld() -> None:
    """It has the usage."""
    relay = TranscriptionRelay()
    delta = {"type": "transcript.text.delta", "delta": "hi"}
    done = {"type": "transcript.text.done", "text": "hi", "usage": {"type": "duration", "seconds": 2}}
    assert relay.feed(sse(delta, done)) == sse(delta)
    assert relay.finish().data == sse(done)
    assert relay.used == Used(audio_ms=2_000)
    assert relay.spoken().text == "hi"


def test_speech_is_counted_in_characters() -> None:
    """Code points, not bytes; sound is bounded by them and the speed."""
    head = parse_speech(json.dumps(SPEECH).encode())
    assert head.most.characters == 5
    assert head.most.audio_ms == 3_500
    slow = parse_speech(json.dumps({**SPEECH, "speed": 0.25}).encode())
    assert slow.most.audio_ms == 11_000
    assert patch_speech(b'{"model":"a","input":"x"}', model="b") == b'{"model":"b","input":"x"}'


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": None}, "input"),
        ({"voice": None}, "voice"),
        ({"speed": 9}, "speed"),
        ({"speed": "1"}, "speed"),
    ],
)
def test_malformed_speech_is_named(members: Case, param: str) -> None:
    """Required members and ranges."""
    with pytest.raises(InvalidRequest) as refusal:
        parse_speech(json.dumps({**SPEECH, **members}).encode())
    assert refusal.value.param == param


@given(st.binary(min_size=1, max_size=50), st.data())
def test_sound_passes_unchanged_and_its_end_is_withheld(sound: bytes, data: st.DataObject) -> None:
    """Whatever its bytes; the latest piece waits for the charge."""
    relay = SpeechRelay(
        parse_speech(json.dumps({**SPEECH, "response_format": "pcm"}).encode()), is_document=False
    )
    sent = b"".join(relay.feed(piece) for piece in data.draw(pieces(sound)))
    tail = relay.finish()
    assert tail.complete
    assert tail.data
    assert sent + tail.data == sound
    assert relay.used.characters == 5
    assert relay.used.audio_ms == -(-len(sound) * 1000 // 48_000)


def test_a_document_instead_of_sound_is_a_fault() -> None:
    """As is nothing at all."""
    head = parse_speech(json.dumps(SPEECH).encode())
    relay = SpeechRelay(head, is_document=True)
    assert relay.feed(b'{"error":{}}') == b""
    assert relay.finish().fault == "not_sse"
    assert relay.error_body == b'{"error":{}}'
    assert SpeechRelay(head, is_document=False).finish().fault == "truncated"


def test_streamed_speech_tells_its_tokens() -> None:
    """In its last event."""
    relay = SpeechEventRelay(parse_speech(json.dumps(SPEECH).encode()))
    delta = {"type": "speech.audio.delta", "audio": "QQ=="}
    done = {"type": "speech.audio.done", "usage": {"input_tokens": 3, "output_tokens": 9, "total_tokens": 12}}
    assert relay.feed(sse(delta, done)) == sse(delta)
    assert relay.finish().complete
    assert relay.used == Used(input=3, output=9, characters=5)


@given(mutated({**SPEECH, "speed": 1, "instructions": "x", "stream_format": "sse"}) | values)
def test_requests_are_read_or_refused(document: Any) -> None:
    """Nothing but `InvalidRequest` escapes."""
    with contextlib.suppress(InvalidRequest):
        parse_speech(json.dumps(document).encode())


@given(
    mutated({"text": "x", "duration": 1.5, "usage": {"input_tokens": 1, "output_tokens": 1, "seconds": 2}})
    | values,
    st.booleans(),
)
def test_no_answer_raises(document: Any, is_json: bool) -> None:
    """Whatever it is, it is read or it is a fault."""
    read_transcription(json.dumps(document).encode(), is_json=is_json)


@given(st.data())
def test_any_cutting_of_any_stream_gives_the_same(data: st.DataObject) -> None:
    """However odd its events."""
    documents = (
        {"type": "transcript.text.delta", "delta": "hé"},
        {"type": "transcript.text.done", "text": "hé", "usage": {"type": "duration", "seconds": 2}},
    )
    body = b"".join(b"data: " + json.dumps(data.draw(mutated(each))).encode() + b"\n\n" for each in documents)
    results = []
    for parts in ([body], data.draw(pieces(body))):
        relay = TranscriptionRelay()
        sent = b"".join(relay.feed(part) for part in parts)
        results.append((sent, relay.finish(), relay.used, relay.spoken()))
    assert results[0] == results[1]


def test_sound_and_text_without_end_are_cut_off() -> None:
    """Memory and cost are bounded."""
    with pytest.raises(InvalidRequest) as refusal:
        parse_speech(json.dumps({**SPEECH, "input": "x" * 100_001}).encode())
    assert refusal.value.param == "input"
    relay = SpeechRelay(parse_speech(json.dumps(SPEECH).encode()), is_document=False, stream_bytes_max=10)
    assert relay.feed(b"x" * 11) == b""
    assert relay.finish().fault == "stream_too_long"
    assert relay.spoken().text == ""


def test_garbage_and_errors_in_a_streamed_transcription_are_faults() -> None:
    """The body is kept to be classified."""
    relay = TranscriptionRelay()
    relay.feed(b"data: oops\n\n")
    assert relay.finish().fault == "garbage"
    relay = TranscriptionRelay()
    relay.feed(sse({"type": "error", "code": "c", "message": "m"}, {"type": "error", "code": "later"}))
    assert relay.finish().fault == "error_event"
    assert json.loads(relay.error_body) == {"error": {"code": "c", "message": "m", "param": None}}


def test_a_long_streamed_transcription_is_heard_whole() -> None:
    """Pieces are joined on the way."""
    relay = TranscriptionRelay()
    relay.feed(sse(*({"type": "transcript.text.delta", "delta": "ab"} for _ in range(200))))
    assert relay.spoken().chars_total == 400
