"""Keeps uploads while they are under way: in memory while they are small, in files without a name beyond that.

A file is unlinked as it is made, so nothing of it is left when the process ends, however it ends. Its bytes are as the
client sent them. All spools of a process share one limit, so that uploads cannot fill the disk.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Callable
from typing import BinaryIO, Final, TypeVar, cast

from application.speech.upload import SpoolFull

MEMORY_BYTES: Final = 1024 * 1024
"""An upload that is larger goes to a file; so much of it is in memory at most."""
PIECE_BYTES: Final = 64 * 1024
READ_BYTES: Final = 256 * 1024
_T = TypeVar("_T")


class TemporarySpools:
    """Belongs to the event loop. `held_bytes` is what all open spools have together."""

    def __init__(self, *, bytes_max: int, memory_bytes: int = MEMORY_BYTES) -> None:
        self.held_bytes = 0
        self.memory_bytes = memory_bytes
        self._bytes_max = bytes_max

    def open(self) -> "TemporarySpool":
        return TemporarySpool(self)

    def take(self, size_bytes: int) -> None:
        """Raises: SpoolFull."""
        if self.held_bytes + size_bytes > self._bytes_max:
            raise SpoolFull
        self.held_bytes += size_bytes


class TemporarySpool:
    """Implements `application.speech.upload.Spool`. One writer, then readers one after the other."""

    def __init__(self, spools: TemporarySpools) -> None:
        self._spools = spools
        self._size_bytes = 0
        self._written_bytes = 0  # to the file
        self._pending = bytearray()
        self._file: BinaryIO | None = None
        self._busy: asyncio.Future[object] | None = None

    async def write(self, piece: bytes) -> None:
        self._spools.take(len(piece))
        self._size_bytes += len(piece)
        self._pending += piece
        if len(self._pending) > self._spools.memory_bytes:
            await self._flush()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        at = 0
        while at < self._written_bytes:
            block = await self._in_thread(_reader(self._open_file(), at, self._written_bytes))
            assert block, "a spool has lost its end"
            at += len(block)
            for start in range(0, len(block), PIECE_BYTES):
                yield block[start : start + PIECE_BYTES]
        for start in range(0, len(self._pending), PIECE_BYTES):
            yield bytes(self._pending[start : start + PIECE_BYTES])

    def close(self) -> None:
        self._spools.held_bytes -= self._size_bytes
        self._size_bytes = self._written_bytes = 0
        self._pending.clear()
        file, self._file = self._file, None
        if file is None:
            return
        if (
            self._busy is not None and not self._busy.done()
        ):  # a thread is at it; its number must stay its own
            self._busy.add_done_callback(lambda _: file.close())
        else:
            file.close()

    async def _flush(self) -> None:
        block, self._pending = bytes(self._pending), bytearray()
        file = self._open_file()
        at, self._written_bytes = self._written_bytes, self._written_bytes + len(block)
        try:
            await self._in_thread(_writer(file, at, block))
        except OSError:
            raise SpoolFull from None

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            self._file = cast("BinaryIO", tempfile.TemporaryFile(buffering=0, prefix="tokenok-upload-"))  # noqa: SIM115  closed by `close`
        return self._file

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        running = asyncio.get_running_loop().run_in_executor(None, work)
        self._busy = cast("asyncio.Future[object]", running)
        return await asyncio.shield(running)


def _writer(file: BinaryIO, at: int, block: bytes) -> Callable[[], None]:
    def work() -> None:
        view, place = memoryview(block), at
        while view:
            written = os.pwrite(file.fileno(), view, place)
            view, place = view[written:], place + written

    return work


def _reader(file: BinaryIO, at: int, end: int) -> Callable[[], bytes]:
    return lambda: os.pread(file.fileno(), min(READ_BYTES, end - at), at)
