"""Reads events out of the archive, in order or of one stream. Files are opened, hashed and unpacked as a whole.

A reader that goes on page by page finds its place again: a few readings are kept open, each at the position where its
last page ended.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final
from uuid import UUID

from application.archive.ports import ArchiveFiles
from application.archive.segment import Manifest, event_of
from application.eventlog import RecordedEvent

OPEN_READINGS_MAX: Final = 4

Manifests = Callable[[], list[Manifest]]
"""Those of the segments whose part has left the database, in order."""


class ArchiveReader:
    """Safe to use from threads; a reading is used by one of them at a time."""

    def __init__(self, files: ArchiveFiles, manifests: Manifests) -> None:
        self._files = files
        self._manifests = manifests
        self._lock = threading.Lock()
        self._readings: OrderedDict[int, Iterator[RecordedEvent]] = OrderedDict()

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        """Events in commit order; fewer than `limit` where the archive ends.

        Raises:
            SegmentMissing, SegmentDamaged: with the file's name; no event was passed over.
        """
        with self._lock:
            reading = self._readings.pop(after_position, None)
        reading = reading or self._events(after_position)
        page = list(islice(reading, limit))
        if len(page) == limit:
            self._keep(page[-1].position, reading)
        return page

    def read_stream(
        self, stream_id: UUID, *, after_version: int, within: tuple[int, int]
    ) -> list[RecordedEvent]:
        """The events of one stream after a version; `within` are positions that all of them are between.

        Raises: as `read_log`.
        """
        first, last = within
        wanted = b'"stream_id":"%b"' % str(stream_id).encode()
        events = (
            event_of(line)
            for manifest in self._manifests()
            if manifest.first_position <= last and first <= manifest.last_position
            for line in self._files.lines(manifest)
            if wanted in line
        )
        return [event for event in events if event.stream_id == stream_id and event.version > after_version]

    def _events(self, after_position: int) -> Iterator[RecordedEvent]:
        position = after_position
        while manifest := self._first_behind(position):
            for event in map(event_of, self._files.lines(manifest)):
                if event.position > after_position:
                    yield event
            position = manifest.last_position

    def _first_behind(self, position: int) -> Manifest | None:
        """Asked anew for each segment: while a reading is kept open, more of the log may have left the database."""
        return next((one for one in self._manifests() if one.last_position > position), None)

    def _keep(self, position: int, reading: Iterator[RecordedEvent]) -> None:
        with self._lock:
            self._readings[position] = reading
            if len(self._readings) > OPEN_READINGS_MAX:
                self._readings.popitem(last=False)
