"""A directory of small files that are put in place whole and are on disk before anyone relies on them."""

import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

_STAGED: Final = ".new"
_SYNC_THREADS: Final = 8


class LocalFiles:
    """Implements `application.sealing.ports.SealedFiles` below `root`, which is made when it is first written to."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, files: Mapping[str, bytes]) -> None:
        paths = [self._root / name for name in files]
        folders = {path.parent for path in paths}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        staged = [path.with_name(f"{path.name}{_STAGED}") for path in paths]
        for path, data in zip(staged, files.values(), strict=True):
            path.write_bytes(data)
        # Together: a file system puts many on disk with one flush, which one after another would each wait for.
        with ThreadPoolExecutor(min(_SYNC_THREADS, len(staged))) as threads:
            list(threads.map(_sync, staged))
        for path, target in zip(staged, paths, strict=True):
            path.replace(target)
        for folder in sorted(self._with_parents(folders)):
            _sync(folder)

    def remove(self, folders: Iterable[str]) -> None:
        for folder in folders:
            shutil.rmtree(self._root / folder, ignore_errors=True)

    def _with_parents(self, folders: set[Path]) -> set[Path]:
        """Also the folders that had to be made for them: their names are on disk when their parents are."""
        return folders | {parent for folder in folders for parent in folder.parents if parent >= self._root}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
