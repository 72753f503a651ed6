"""MP3 and AAC: what the head of a frame says of its size and of how long it lasts. Tags between frames last nothing."""

from typing import Final

HEAD_BYTES: Final = 10
"""As much as is looked at: the head of a tag is the longest of them."""
_US: Final = 1_000_000
_ALL, _HIGH_3, _HIGH_4 = 0xFF, 0xE0, 0xF0
_AAC, _MP3 = 0, 1  # as the bits for the layer say it
_MPEG_1 = 3  # as the bits for the version say it
_FREE, _BAD = 0, 15  # bit rates of which no size follows
_MP3_KBITS: Final = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By whether it is MPEG 1, then by their index."""
_MP3_HZ: Final = {
    _MPEG_1: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
_AAC_HZ: Final = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000),
    *(22_050, 16_000, 12_000, 11_025, 8_000, 7_350),
)
_AAC_SAMPLES: Final = 1_024
_TAG_BYTES: Final = 128


def begins_frames(start: bytes) -> bool:
    """Whether sound that starts like this (two bytes at least) is of frames."""
    return start.startswith(b"ID3") or (start[0] == _ALL and start[1] & _HIGH_3 == _HIGH_3)


class FrameLength:
    """A `SoundLength`. It is lost for good at the first frame that is none."""

    def __init__(self) -> None:
        self._us: int | None = None
        self._is_lost = False
        self._head = b""
        self._skip_bytes = 0

    @property
    def us(self) -> int | None:
        return None if self._is_lost else self._us

    def feed(self, piece: bytes) -> None:
        at = 0
        while at < len(piece) and not self._is_lost:
            step = min(self._skip_bytes, len(piece) - at)
            self._skip_bytes -= step
            at += step
            if self._skip_bytes == 0:
                wanted = HEAD_BYTES - len(self._head)
                self._head += piece[at : at + wanted]
                at += wanted
            if len(self._head) == HEAD_BYTES:
                self._take(self._head)
                self._head = b""

    def _take(self, head: bytes) -> None:
        found = _frame(head)
        if found is None or found[0] < HEAD_BYTES:
            self._is_lost = True
            return
        size_bytes, us = found
        self._skip_bytes = size_bytes - HEAD_BYTES
        if us:
            self._us = (self._us or 0) + us


def _frame(head: bytes) -> tuple[int, int] | None:
    """The size of a frame or a tag in bytes, and what it lasts in microseconds."""
    if head.startswith(b"ID3"):
        return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]), 0
    if head.startswith(b"TAG"):
        return _TAG_BYTES, 0
    if not begins_frames(head):
        return None
    layer = head[1] >> 1 & 3
    if layer == _MP3:
        return _mp3_frame(head)
    return _aac_frame(head) if layer == _AAC and head[1] & _HIGH_4 == _HIGH_4 else None


def _mp3_frame(head: bytes) -> tuple[int, int] | None:
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    rates = _MP3_HZ.get(version, ())
    if rate >= len(rates) or bits in (_FREE, _BAD):
        return None
    samples = 1_152 if version == _MPEG_1 else 576
    bits_per_s = _MP3_KBITS[version == _MPEG_1][bits] * 1_000
    padding_bytes = head[2] >> 1 & 1
    return samples // 8 * bits_per_s // rates[rate] + padding_bytes, samples * _US // rates[rate]


def _aac_frame(head: bytes) -> tuple[int, int] | None:
    rate = head[2] >> 2 & 15
    if rate >= len(_AAC_HZ):
        return None
    size_bytes = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size_bytes, _AAC_SAMPLES * ((head[6] & 3) + 1) * _US // _AAC_HZ[rate]
