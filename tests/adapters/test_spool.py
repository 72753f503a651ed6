"""Spools: what was written comes back as often as it is asked for, and nothing of it stays."""

import asyncio
import os
import tracemalloc
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from adapters.spool import PIECE_BYTES, TemporarySpool, TemporarySpools
from application.speech.upload import SpoolFull

MIB = 1024 * 1024


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await scenario

    asyncio.run(main())


def _count(folder: Path) -> int:
    return len(list(folder.iterdir()))


def _open_files() -> int:
    return _count(Path("/proc/self/fd"))


async def everything(spool: TemporarySpool) -> bytes:
    return b"".join([piece async for piece in spool.pieces()])


@pytest.mark.parametrize("sizes", [[], [1], [100, 0, 28], [128, 1], [300, 300, 300], [PIECE_BYTES * 3, 5]])
def test_pieces_come_back_as_written_each_time(sizes: list[int]) -> None:
    """From memory, from the file, and from both."""

    async def scenario() -> None:
        spools = TemporarySpools(bytes_max=MIB, memory_bytes=128)
        spool = spools.open()
        written = [os.urandom(size) for size in sizes]
        for piece in written:
            await spool.write(piece)
        assert spools.held_bytes == sum(sizes)
        assert await everything(spool) == b"".join(written)
        assert await everything(spool) == b"".join(written)
        assert all([len(piece) <= PIECE_BYTES async for piece in spool.pieces()])
        spool.close()
        spool.close()
        assert spools.held_bytes == 0

    run(scenario())


def test_small_uploads_make_no_file_and_large_ones_one_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nothing is left on the disk, however the process ends."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def scenario() -> None:
        spool = TemporarySpools(bytes_max=MIB, memory_bytes=1_000).open()
        open_before = _open_files()
        await spool.write(b"x" * 1_000)
        assert _open_files() == open_before
        await spool.write(b"x")
        assert _open_files() == open_before + 1
        assert _count(tmp_path) == 0
        spool.close()
        assert _open_files() == open_before

    if not Path("/proc/self/fd").exists():
        pytest.skip("open files are counted in /proc")
    run(scenario())


def test_all_spools_share_one_limit() -> None:
    """What does not fit is refused; what is closed makes room."""

    async def scenario() -> None:
        spools = TemporarySpools(bytes_max=100)
        one, other = spools.open(), spools.open()
        await one.write(b"x" * 60)
        with pytest.raises(SpoolFull):
            await other.write(b"x" * 41)
        other.close()
        one.close()
        last = spools.open()
        await last.write(b"x" * 100)
        last.close()
        assert spools.held_bytes == 0

    run(scenario())


def test_a_disk_that_is_full_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the shared limit is."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("adapters.spool.os.pwrite", full)

    async def scenario() -> None:
        spool = TemporarySpools(bytes_max=MIB, memory_bytes=10).open()
        with pytest.raises(SpoolFull):
            await spool.write(b"x" * 11)
        spool.close()

    run(scenario())


def test_memory_is_bounded_by_the_threshold() -> None:
    """64 MiB written and read take some blocks of the threshold, and no more; what else this process does meanwhile counts too."""

    async def scenario() -> None:
        spools = TemporarySpools(bytes_max=65 * MIB)
        spool, block = spools.open(), bytes(PIECE_BYTES)
        tracemalloc.start()
        for _ in range(64 * MIB // PIECE_BYTES):
            await spool.write(block)
        read = 0
        async for piece in spool.pieces():
            read += len(piece)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        spool.close()
        assert read == 64 * MIB
        assert peak_bytes < 8 * MIB

    run(scenario())
