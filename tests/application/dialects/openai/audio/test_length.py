"""How long sound lasts, in every format that clients can ask for, however it is cut; and what is no sound."""

import io
import struct
import wave
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.dialects.openai.audio.length import PCM_BYTES_PER_S, ByteLength, SniffedLength
from application.dialects.openai.audio.speech import SpeechRelay, parse_speech

HEAD = parse_speech(b'{"model":"m","input":"text","voice":"v"}')


def mp3(frames: int) -> bytes:
    """MPEG 1, layer III, 128 kbit/s at 44.1 kHz: 417 bytes and 1,152 samples a frame."""
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x14" + bytes(20)
    return tag + (b"\xff\xfb\x90\x00" + bytes(413)) * frames + b"TAG" + bytes(125)


def mp3_of_speech(frames: int) -> bytes:
    """MPEG 2, layer III, 64 kbit/s at 24 kHz: 192 bytes and 576 samples a frame."""
    return (b"\xff\xf3\x84\x00" + bytes(188)) * frames


def aac(frames: int) -> bytes:
    """ADTS at 24 kHz: 1,024 samples in a frame of 200 bytes."""
    size = 200
    head = bytes((0xFF, 0xF1, 0x58, 0x80 | size >> 11, size >> 3 & 255, (size & 7) << 5 | 0x1F, 0xFC))
    return (head + bytes(size - 7)) * frames


def page(ends_at: int, content: bytes) -> bytes:
    sizes = bytes([255] * (len(content) // 255) + [len(content) % 255])
    return b"OggS\x00\x00" + struct.pack("<qIII", ends_at, 7, 0, 0) + bytes((len(sizes),)) + sizes + content


def opus(samples: int) -> bytes:
    """312 samples of 48 kHz are skipped; a page in between on which nothing ends."""
    head = b"OpusHead\x01\x01" + struct.pack("<HIhB", 312, 24_000, 0, 0)
    return (
        page(0, head)
        + page(0, b"OpusTags" + bytes(300))
        + page(-1, bytes(254))
        + page(312 + samples, bytes(999))
    )


def flac(samples: int) -> bytes:
    """24 kHz, mono, 16 bits."""
    rate_and_total = 24_000 << 44 | 15 << 36 | samples
    return b"fLaC\x00\x00\x00\x22" + bytes(10) + rate_and_total.to_bytes(8, "big") + bytes(500)


def wav(samples: int) -> bytes:
    """As the standard library writes it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(24_000)
        writer.writeframes(bytes(2 * samples))
    return file.getvalue()


def wav_of_a_stream(samples: int) -> bytes:
    """Its sizes are not known yet, and another chunk comes before the samples."""
    head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
    head += struct.pack("<IIHH", 24_000, 48_000, 2, 16) + b"LIST\x04\x00\x00\x00abcd"
    return head + b"data\xff\xff\xff\xff" + bytes(2 * samples)


SOUNDS = {
    "mp3": (mp3(100), 100 * 26_122),
    "mp3 of speech": (mp3_of_speech(100), 2_400_000),
    "aac": (aac(75), 75 * 42_666),
    "opus": (opus(48_000), 1_000_000),
    "flac": (flac(36_000), 1_500_000),
    "wav": (wav(12_000), 500_000),
    "wav of a stream": (wav_of_a_stream(12_000), 500_000),
}


def us_of(parts: list[bytes]) -> int | None:
    length = SniffedLength()
    for part in parts:
        length.feed(part)
    return length.us


@pytest.mark.parametrize("name", SOUNDS)
def test_the_length_is_read_whole_or_byte_by_byte(name: str) -> None:
    """In microseconds, rounded down once a frame."""
    sound, us = SOUNDS[name]
    assert us_of([sound]) == us
    assert us_of([sound[at : at + 1] for at in range(len(sound))]) == us


@given(st.sampled_from(sorted(SOUNDS)), st.lists(st.integers(0, 3_000), max_size=20))
def test_the_length_does_not_depend_on_how_sound_is_cut(name: str, cuts: list[int]) -> None:
    """Within heads and frames, too."""
    sound, us = SOUNDS[name]
    places = [0, *sorted(cuts), len(sound)]
    assert us_of([sound[start:end] for start, end in pairwise(places)]) == us


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav"])
def test_a_relay_of_speech_tells_the_seconds_of_every_format(name: str) -> None:
    """Rounded up to a millisecond, beside the characters; the bytes pass as they came."""
    sound, us = SOUNDS[name]
    relay = SpeechRelay(HEAD, is_document=False)
    passed = b"".join(relay.feed(sound[at : at + 700]) for at in range(0, len(sound), 700))
    assert passed + relay.finish().data == sound
    assert (relay.used.audio_ms, relay.used.characters) == (-(-us // 1000), 4)


def test_pcm_is_so_many_bytes_a_second() -> None:
    """Rounded up."""
    length = ByteLength(PCM_BYTES_PER_S)
    length.feed(bytes(48_001))
    assert length.us == 1_000_021


@pytest.mark.parametrize(
    "sound",
    [
        b"",
        b"\xff",
        b"no sound at all",
        b"RIFF" + bytes(5_000),
        b"OggS" + bytes(500),
        page(0, b"\x01vorbis" + bytes(22)),
        flac(0),
        mp3(3) + b"something else that is long enough",
        b"\xff\xfb\xf0\x00" + bytes(100),
        aac(2)[:-3] + b"\xff\xf1" * 20,
        b"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00",
    ],
)
def test_what_cannot_be_told_is_not_guessed(sound: bytes) -> None:
    """Then the bound of the text is charged."""
    assert us_of([sound]) is None


@given(
    st.lists(st.binary(max_size=200), max_size=8),
    st.sampled_from((b"", b"OggS", b"\xff\xfb\x90\x00", b"RIFF", b"fLaC", b"ID3")),
)
def test_no_bytes_make_it_raise(parts: list[bytes], start: bytes) -> None:
    """Whatever a provider sends as sound."""
    us = us_of([start, *parts])
    assert us is None or us >= 0
