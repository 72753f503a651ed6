"""The sealer: one tree whatever happens to its process, and never a second one."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sealing.ed25519 import Ed25519Signer, verify
from application.sealing.sealer import Forked, LogSealer
from application.sealing.trust import Trust
from domain.sealing.checkpoint import sign_checkpoint
from domain.sealing.notes import BadNote
from domain.sealing.tree import EMPTY_ROOT
from tests.application.sealing.sealed_world import LOG_KEY, Killed, SealedWorld


@pytest.fixture
def world() -> SealedWorld:
    return SealedWorld()


def test_an_empty_log_is_not_signed(world: SealedWorld) -> None:
    """There is nothing to prove."""
    assert world.sealer().run_once() == 0
    assert world.directory.checkpoint() is None


def test_what_is_sealed_is_the_log_in_its_order(world: SealedWorld) -> None:
    """The checkpoint has the root over all events, and the position where the tree ends is remembered."""
    world.add(300)
    world.seal()
    assert world.signed() == world.wanted()
    newest = world.book.newest()
    assert newest is not None
    assert (newest.size, newest.position) == (300, 300)


def test_a_checkpoint_comes_at_the_latest_after_so_many_events(world: SealedWorld) -> None:
    """A long queue is signed in parts."""
    world.add(25)
    world.seal(events_max=10)
    assert [one.size for one in world.book.kept] == [10, 20, 25]


def test_nothing_new_is_not_signed_again(world: SealedWorld) -> None:
    """An idle log costs no signatures and no files."""
    world.add(3)
    sealer = world.sealer()
    sealer.run_once()
    done = world.steps.done
    assert sealer.run_once() == 0
    assert world.steps.done == done


def test_partial_tiles_make_room_for_the_full_one(world: SealedWorld) -> None:
    """What the full tile supersedes is removed; what the newest checkpoint needs is there."""
    world.add(200)
    world.seal()
    assert "tile/0/000.p/200" in world.files.files
    world.add(100)
    world.seal()
    assert {name for name in world.files.files if name.startswith("tile/")} == {
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
    }


def test_gaps_in_positions_leave_none_in_the_tree(world: SealedWorld) -> None:
    """A rolled-back transaction has drawn positions: the tree goes on with the next event."""
    world.add(3)
    world.add(2, gap=30)
    world.seal()
    world.add(1, gap=5)
    world.seal()
    assert world.signed() == world.wanted()
    assert world.files.files["positions"] == b"0 1\n3 34\n5 41\n"
    assert world.directory.positions(6).index_of(41) == 5


@settings(max_examples=25, deadline=None)
@given(
    chunks=st.lists(st.tuples(st.integers(1, 300), st.integers(0, 2)), min_size=1, max_size=4),
    events_max=st.integers(40, 400),
)
def test_it_does_not_matter_how_the_log_came(chunks: list[tuple[int, int]], events_max: int) -> None:
    """In any pieces, by any number of processes: the same tiles, the same root."""
    world = SealedWorld()
    for count, gap in chunks:
        world.add(count, gap=gap)
        world.seal(events_max=events_max)
    at_once = SealedWorld()
    at_once.log = world.log
    at_once.seal()
    assert world.signed() == world.wanted() == at_once.signed()
    full = {name: data for name, data in world.files.files.items() if ".p/" not in name}
    assert full == {name: data for name, data in at_once.files.files.items() if ".p/" not in name}


def test_a_crash_between_any_two_steps_leaves_the_same_tree() -> None:
    """Killed before each single file, row and removal in turn: the next process ends at the same place."""
    whole = _before_the_crash()
    whole.seal(events_max=150)
    for left in range(whole.steps.done + 1):
        world = _before_the_crash()
        world.steps.left = left
        with contextlib.suppress(Killed):
            world.seal(events_max=150)
        world.steps.left = None
        signed = world.signed()
        assert signed == world.wanted(signed.size), left  # what is signed is true at every moment
        world.add(7)
        world.seal(events_max=150)
        assert world.signed() == world.wanted(), left
        assert (
            world.directory.positions(len(world.log)).index_of(world.log[-1].position) == len(world.log) - 1
        )


def test_a_failed_write_is_tried_again_by_the_same_process(world: SealedWorld) -> None:
    """The tree in memory was ahead of the directory: it is read again."""
    world.add(300)
    sealer = world.sealer()
    world.steps.left = 1
    with pytest.raises(Killed):
        sealer.run_once()
    world.steps.left = None
    assert sealer.run_once() == 300
    assert world.signed() == world.wanted()


@pytest.mark.parametrize("is_running", [True, False])
def test_a_changed_last_event_stops_it(world: SealedWorld, *, is_running: bool) -> None:
    """P22: the event at the end of the tree is looked at again each time, so a lost tail of the log is noticed."""
    world.add(10)
    sealer = world.sealer()
    sealer.run_once()
    world.change(9)
    world.add(5)
    with pytest.raises(Forked) as fork:
        (sealer if is_running else world.sealer()).run_once()
    assert fork.value.code == "log_changed"
    assert world.signed().size == 10


def test_a_log_that_lost_its_tail_stops_it(world: SealedWorld) -> None:
    """A database restored to an earlier moment may not get another history under the same key."""
    world.add(10)
    world.seal()
    del world.log[6:]
    with pytest.raises(Forked):
        world.sealer().run_once()


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "positions"])
@pytest.mark.parametrize("is_gone", [True, False])
def test_changed_or_missing_files_stop_it(world: SealedWorld, name: str, *, is_gone: bool) -> None:
    """The tree that goes on must have the root that was signed."""
    world.add(300)
    world.seal()
    data = world.files.files.pop(name)
    if not is_gone:
        world.files.files[name] = data[:-1] + bytes([data[-1] ^ 1]) if name != "positions" else b"0 2\n"
    world.add(1)
    if name == "tile/0/000":  # not at the edge: found by `verify`, not needed to go on
        world.seal()
        assert world.signed() == world.wanted()
        return
    with pytest.raises(Forked):
        world.sealer().run_once()
    assert world.signed().size == 300


def test_a_checkpoint_of_somebody_else_stops_it(world: SealedWorld) -> None:
    """Whoever can write to the directory but has not the key cannot make it go on."""
    world.add(3)
    world.seal()
    forger = Ed25519Signer(LOG_KEY.public.name, bytes(32))
    world.files.files["checkpoint"] = sign_checkpoint(size=2, root=world.wanted(2).root, signer=forger)
    with pytest.raises(Forked) as fork:
        world.sealer().run_once()
    assert fork.value.code == "checkpoint_unusable"


def test_an_old_directory_grows_to_what_was_signed_before_it_signs(world: SealedWorld) -> None:
    """The directory came from a backup: the database remembers more, and the log still says the same."""
    world.add(300)
    world.seal()
    backup = dict(world.files.files)
    world.add(100)
    world.seal()
    world.add(50)
    kept = len(world.book.kept)
    world.files.files = backup
    world.seal()
    assert world.signed() == world.wanted()
    assert [one.size for one in world.book.kept[kept:]] == [400, 450]


def test_a_lost_directory_is_made_again_from_the_log(world: SealedWorld) -> None:
    """In several parts, none of which is signed before the root is the one that was signed."""
    world.add(300)
    world.seal()
    kept = len(world.book.kept)
    world.files.files.clear()
    world.seal(events_max=100)
    assert world.signed() == world.wanted()
    assert [one.size for one in world.book.kept[kept:]] == [300]


def test_a_lost_directory_does_not_make_room_for_another_history(world: SealedWorld) -> None:
    """Remove the directory, change the log: the database's memory of what was signed stands in the way."""
    world.add(300)
    world.seal()
    world.files.files.clear()
    world.change(17)
    with pytest.raises(Forked):
        world.seal(events_max=100)
    assert world.directory.checkpoint() is None


def test_a_lost_directory_and_a_shorter_log_stop_it(world: SealedWorld) -> None:
    """So many events were signed, and so many must be there."""
    world.add(300)
    world.seal()
    world.files.files.clear()
    del world.log[200:]
    with pytest.raises(Forked) as fork:
        world.seal()
    assert fork.value.code == "log_shorter"


def test_a_forged_memory_does_not_pass(world: SealedWorld) -> None:
    """Another tree of the same log in the database, rightly signed: somebody has the key, or two sealers ran apart."""
    world.add(10)
    world.seal()
    other = SealedWorld()
    other.add(8)
    other.change(3)
    other.seal()
    world.book.kept = other.book.kept
    with pytest.raises(Forked) as fork:
        world.sealer().run_once()
    assert fork.value.code == "checkpoints_differ"


def test_what_an_earlier_key_signed_stays_believed(world: SealedWorld) -> None:
    """After a change of keys the tree goes on, signed by the new one."""
    world.add(3)
    world.seal()
    world.add(2)
    new = Ed25519Signer(LOG_KEY.public.name, bytes(reversed(range(32))))
    trust = Trust((new.public, LOG_KEY.public), verify)
    LogSealer(log=world, directory=world.directory, book=world.book, signer=new, trust=trust).run_once()
    world.trust = Trust((new.public,), verify)
    assert world.signed() == world.wanted()


def test_a_checkpoint_of_another_log_is_not_ours(world: SealedWorld) -> None:
    """Even if its key is trusted for its own log."""
    other = Ed25519Signer("example.com/other", bytes(32))
    trust = Trust((LOG_KEY.public, other.public), verify)
    with pytest.raises(BadNote):
        trust.open(sign_checkpoint(size=0, root=EMPTY_ROOT, signer=other))


def _before_the_crash() -> SealedWorld:
    """A tree of 250, and then events with a gap that fill tiles."""
    world = SealedWorld()
    world.add(250)
    world.seal()
    world.add(200, gap=3)
    world.add(90, gap=1)
    world.steps.done = 0
    return world
