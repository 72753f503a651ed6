"""Opus in Ogg: each page states where it ends, in samples of 48 kHz, counted from before a part that is skipped."""

from typing import Final

_US: Final = 1_000_000
_HZ: Final = 48_000
_PAGE: Final = b"OggS"
_HEAD_BYTES: Final = 27
"""Of a page; its last byte says how many more say the sizes of what is in it."""
_START_BYTES: Final = 64
"""Has the head of the first page, which is short, and of Opus."""
_OPUS: Final = b"OpusHead"


class OggLength:
    """A `SoundLength`. Of another codec than Opus it knows nothing."""

    def __init__(self) -> None:
        self._start = b""
        self._head = b""
        self._skip_bytes = 0
        self._ends_at = 0
        self._is_lost = False

    @property
    def us(self) -> int | None:
        at = self._start.find(_OPUS)
        if self._is_lost or at < 0:
            return None
        skipped = int.from_bytes(self._start[at + 10 : at + 12], "little")
        return max(self._ends_at - skipped, 0) * _US // _HZ

    def feed(self, piece: bytes) -> None:
        self._start += piece[: _START_BYTES - len(self._start)]
        at = 0
        while at < len(piece) and not self._is_lost:
            step = min(self._skip_bytes, len(piece) - at)
            self._skip_bytes -= step
            at += step
            if self._skip_bytes == 0:
                wanted = self._head_bytes - len(self._head)
                self._head += piece[at : at + wanted]
                at += wanted
            if len(self._head) == self._head_bytes:
                self._take(self._head)
                self._head = b""

    @property
    def _head_bytes(self) -> int:
        return _HEAD_BYTES + (self._head[_HEAD_BYTES - 1] if len(self._head) >= _HEAD_BYTES else 0)

    def _take(self, head: bytes) -> None:
        self._is_lost = not head.startswith(_PAGE)
        ends_at = int.from_bytes(head[6:14], "little", signed=True)
        self._ends_at = max(self._ends_at, ends_at)  # it is -1 where nothing ends on the page
        self._skip_bytes = sum(head[_HEAD_BYTES:])
