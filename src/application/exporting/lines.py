"""Events as lines of JSON, in the order of the log, in files of so many lines."""

import hashlib
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from application.eventlog import RecordedEvent
from application.exporting.manifest import LinesFile
from application.exporting.ports import ExportFile, ExportFolder
from domain.sealing.leaf import leaf

_PIECE_EVENTS: Final = 1_000
"""So many lines are in memory at once."""


class LineFiles:
    """Writes events to as many files as they need; the names count from 1."""

    def __init__(self, folder: ExportFolder, *, lines_per_file: int, compressed: bool) -> None:
        self._folder = folder
        self._lines_per_file = lines_per_file
        self._compressed = compressed

    def write(self, events: Iterator[RecordedEvent]) -> Iterator[LinesFile]:
        """Write all events; each file is told of once it is whole."""
        number = 0
        while first := next(events, None):
            number += 1
            yield self._write_file(number, islice(chain((first,), events), self._lines_per_file))

    def _write_file(self, number: int, events: Iterator[RecordedEvent]) -> LinesFile:
        name = f"events-{number:06d}.jsonl{'.gz' if self._compressed else ''}"
        with self._folder.create(name, compressed=self._compressed) as file:
            return _fill(file, name, events)


def _fill(file: ExportFile, name: str, events: Iterator[RecordedEvent]) -> LinesFile:
    digest, size_bytes, count, first_position, last_position = hashlib.sha256(), 0, 0, 0, 0
    while piece := list(islice(events, _PIECE_EVENTS)):
        lines = b"".join([leaf(event) + b"\n" for event in piece])
        digest.update(lines)
        file.write(lines)
        size_bytes += len(lines)
        count += len(piece)
        first_position = first_position or piece[0].position
        last_position = piece[-1].position
    return LinesFile(
        name=name,
        events=count,
        first_position=first_position,
        last_position=last_position,
        bytes=size_bytes,
        sha256=digest.hexdigest(),
    )
