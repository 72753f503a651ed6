"""Archiving that is cut off at any step: nothing is lost, nothing counts twice, and the next run goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from application.archive.detach import detach_parts
from application.archive.ports import SegmentWriter
from application.archive.verify import verify_archive
from application.archive.write import write_segments
from tests.adapters.archive.archive_world import SEGMENT_EVENTS, ArchiveWorld, look
from tests.histories import history


class Cut(BaseException):
    """The process ends here."""


class Scissors:
    """Cuts before or after the nth call of what it stands before; with each run one step later."""

    def __init__(self, real: Any, names: tuple[str, ...], at: int, *, before: bool) -> None:
        self._real = real
        self._names = names
        self._left = at
        self._before = before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._real, name)
        if name not in self._names:
            return method

        def call(*arguments: Any, **more: Any) -> Any:
            self._left -= 1
            if self._left < 0 and self._before:
                raise Cut
            result = method(*arguments, **more)
            if self._left < 0:
                raise Cut
            return result

        return call


class CutFiles(Scissors):
    """As that, and in the midst of a segment's lines as well."""

    @contextmanager
    def writing(self) -> Iterator[SegmentWriter]:
        with self._real.writing() as segment:
            yield Scissors(segment, ("write", "finish"), self._left * 25, before=self._before)
        self._left -= 1


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("what", ["files", "catalogue"])
def test_archiving_goes_on_where_it_was_cut_off(world: ArchiveWorld, what: str, before: bool) -> None:
    """Each time one step later, until it is through; after every cut the log reads as it did."""
    world.fill(history(21, steps=200), parts=3)
    expected = look(world.store)
    cuts = 0
    for at in range(20):
        files: Any = CutFiles(world.files, ("put_manifest", "lines"), at, before=before)
        catalogue: Any = Scissors(world.catalogue, ("add", "detach"), at, before=before)
        if what == "files":
            catalogue = world.catalogue
        else:
            files = world.files
        try:
            list(write_segments(world.store, catalogue, files, events_max=SEGMENT_EVENTS))
            list(detach_parts(world.store, catalogue, files, sealed=None, rested_s=0))
        except Cut:
            cuts += 1
        assert look(world.store) == expected
        assert not [one for one in verify_archive(world.catalogue, world.files) if one.wrong]
    assert cuts
    world.archive()
    assert world.catalogue.parts() == []
    assert look(world.store) == expected
