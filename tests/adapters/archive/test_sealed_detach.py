"""A part leaves the database only as it was signed: afterwards nobody could tell a changed archive from the log."""

from collections.abc import Callable

import pytest

from application.archive.ports import DetachRefused
from application.sealing.reading import SealedLog
from tests.adapters.archive.archive_world import ArchiveWorld, look, read_all
from tests.application.sealing.sealed_world import SealedWorld
from tests.fakes import ManualClock
from tests.histories import history

EVENTS = history(1, steps=200)


def _seal(world: ArchiveWorld, *, size: int | None = None) -> SealedWorld:
    """Sign the first events of the log as it is now, and let the archive know of it."""
    seal = SealedWorld()
    seal.log = read_all(world.store)[:size]
    seal.seal()
    world.sealed = SealedLog(
        log=world.store, directory=seal.directory, trust=seal.trust, clock=ManualClock(0)
    )
    return seal


def _first_part_events(world: ArchiveWorld) -> int:
    last = world.catalogue.parts()[0].positions.last
    return sum(event.position <= last for event in read_all(world.store))


def test_what_is_sealed_may_leave(world: ArchiveWorld) -> None:
    """To the event: the checkpoint that ends with the part is enough."""
    world.fill(EVENTS, parts=2)
    before = look(world.store)
    world.write()
    _seal(world, size=_first_part_events(world))
    assert world.detach() == 1
    assert look(world.store) == before


def test_one_event_that_is_not_sealed_keeps_its_part(world: ArchiveWorld) -> None:
    """And nothing is changed; once it is sealed the part may go."""
    world.fill(EVENTS, parts=2)
    world.write()
    _seal(world, size=_first_part_events(world) - 1)
    with pytest.raises(DetachRefused, match="events are sealed, not"):
        world.detach()
    assert len(world.catalogue.parts()) == 1
    _seal(world)
    assert world.detach() == 1


def test_nothing_leaves_before_the_first_checkpoint(world: ArchiveWorld) -> None:
    """An empty directory has sealed nothing."""
    world.fill(EVENTS, parts=2)
    world.write()
    _seal(world, size=0)
    with pytest.raises(DetachRefused, match="nothing is sealed yet"):
        world.detach()


def _other_log(seal: SealedWorld) -> None:
    """What was signed is another history."""
    other = SealedWorld()
    other.log = list(seal.log)
    other.change(3)
    other.seal()
    seal.files.files = other.files.files


def _other_tile(seal: SealedWorld) -> None:
    name = next(name for name in seal.files.files if name.startswith("tile/0/"))
    seal.files.files[name] = bytes(32) + seal.files.files[name][32:]


def _no_tile(seal: SealedWorld) -> None:
    for name in [name for name in seal.files.files if name.startswith("tile/")]:
        del seal.files.files[name]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_other_log, "not those that were sealed"),
        (_other_tile, "do not have the root that was signed"),
        (_no_tile, "no usable"),
    ],
)
def test_what_is_not_what_was_signed_stays(
    world: ArchiveWorld, harm: Callable[[SealedWorld], None], words: str
) -> None:
    """Whichever of them was changed: the part is the only witness left."""
    world.fill(EVENTS, parts=2)
    world.write()
    harm(_seal(world))
    with pytest.raises(DetachRefused, match=words):
        world.detach()
    assert len(world.catalogue.parts()) == 1
