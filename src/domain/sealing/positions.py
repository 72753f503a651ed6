"""Numbers of leaves and positions in the log: the first have no gaps, the second have some.

A run is a stretch without a gap. Its text is one line, `NUMBER POSITION` of its first leaf.
"""

from bisect import bisect_right
from collections.abc import Iterable

import msgspec


class Run(msgspec.Struct, frozen=True, order=True):
    index: int
    position: int

    @property
    def line(self) -> str:
        return f"{self.index} {self.position}\n"


class Positions:
    """The runs of a tree of `size` leaves."""

    def __init__(self, runs: Iterable[Run] = (), size: int = 0) -> None:
        self._runs = [run for run in runs if run.index < size]
        self.size = size

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(self._runs)

    @property
    def last(self) -> int:
        """The position of the last leaf, 0 without one."""
        return self._runs[-1].position + self.size - 1 - self._runs[-1].index if self.size else 0

    def add(self, position: int) -> Run | None:
        """Count one more leaf; the run that it begins, if it does not follow its predecessor."""
        assert position > self.last
        run = None if self.size and position == self.last + 1 else Run(self.size, position)
        if run is not None:
            self._runs.append(run)
        self.size += 1
        return run

    def position_of(self, index: int) -> int:
        """Where the event of a leaf is in the log."""
        assert 0 <= index < self.size
        run = self._runs[bisect_right(self._runs, index, key=lambda run: run.index) - 1]
        return run.position + index - run.index

    def index_of(self, position: int) -> int | None:
        """The leaf of the event at a position; none where there is no sealed event."""
        place = bisect_right(self._runs, position, key=lambda run: run.position) - 1
        if place < 0:
            return None
        run = self._runs[place]
        end = self._runs[place + 1].index if place + 1 < len(self._runs) else self.size
        index = run.index + position - run.position
        return index if index < end else None


def read_runs(text: str) -> list[Run]:
    """The runs that are written down whole; what comes after the last line's end is none yet."""
    return [
        Run(int(index), int(position))
        for index, _, position in (line.partition(" ") for line in text.split("\n")[:-1])
    ]
