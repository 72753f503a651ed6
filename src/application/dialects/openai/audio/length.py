"""How long a piece of sound lasts, read while it passes. Nothing is decoded, and of the sound nothing is kept.

By how it begins: WAV (its bytes a second), MP3 and AAC (their frames), Opus in Ogg (the positions of its pages), FLAC (the
total that its head states, if it was known when that was written). PCM has no beginning: who asked for it knows.
"""

from typing import Final, Protocol

from application.dialects.openai.audio.frames import FrameLength, begins_frames
from application.dialects.openai.audio.ogg import OggLength

PCM_BYTES_PER_S: Final = 48_000
"""24 kHz of 16 bits, which is what `pcm` means here."""
_US: Final = 1_000_000
_START_BYTES: Final = 4
_HEAD_BYTES_MAX: Final = 4_096
_FLAC_BYTES: Final = 26
"""Up to and with the total of its samples."""


class SoundLength(Protocol):
    """Feed it the sound in any pieces. `us` is what came so far lasts, in microseconds; none if that cannot be told."""

    @property
    def us(self) -> int | None: ...

    def feed(self, piece: bytes) -> None: ...


class ByteLength:
    """So many bytes a second."""

    def __init__(self, bytes_per_s: int) -> None:
        self._bytes_per_s = bytes_per_s
        self._bytes = 0

    @property
    def us(self) -> int:
        return -(-self._bytes * _US // self._bytes_per_s)

    def feed(self, piece: bytes) -> None:
        self._bytes += len(piece)


class StatedLength:
    """As the head has it; none for a format that is not read."""

    def __init__(self, us: int | None) -> None:
        self.us = us

    def feed(self, piece: bytes) -> None:
        """What comes after the head says no more."""


class SniffedLength:
    """Sound of whatever format. What has come of its head is kept until that tells the length, or how to count it."""

    def __init__(self) -> None:
        self._head = b""
        self._length: SoundLength | None = None

    @property
    def us(self) -> int | None:
        return None if self._length is None else self._length.us

    def feed(self, piece: bytes) -> None:
        if self._length is None:
            self._head += piece
            self._length, piece = _begun(self._head)
            if self._length is None:
                return
            self._head = b""
        self._length.feed(piece)


def _begun(head: bytes) -> tuple[SoundLength | None, bytes]:
    """How the rest is counted, and what of the head is part of it; none while too little has come."""
    if len(head) < _START_BYTES:
        return None, b""
    if head.startswith(b"OggS"):
        return OggLength(), head
    if begins_frames(head):
        return FrameLength(), head
    if head.startswith(b"fLaC"):
        return (None if len(head) < _FLAC_BYTES else StatedLength(_flac_us(head))), b""
    data_at = _wav_data_at(head[:_HEAD_BYTES_MAX])
    if data_at:
        return ByteLength(max(int.from_bytes(head[28:32], "little"), 1)), head[data_at:]
    return (None if head.startswith(b"RIFF") and len(head) < _HEAD_BYTES_MAX else StatedLength(None)), b""


def _wav_data_at(head: bytes) -> int:
    """Where the samples begin; 0 if that has not come yet."""
    at = 12
    while at + 8 <= len(head) and head.startswith(b"RIFF") and head[8:16] == b"WAVEfmt ":
        if head[at : at + 4] == b"data":
            return at + 8
        at += 8 + int.from_bytes(head[at + 4 : at + 8], "little")
    return 0


def _flac_us(head: bytes) -> int | None:
    rate_and_total = int.from_bytes(head[18:26], "big")  # 20 bits, 8 of the format, 36 bits
    hz, samples = rate_and_total >> 44, rate_and_total & (2**36 - 1)
    return samples * _US // hz if hz and samples else None
