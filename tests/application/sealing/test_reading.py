"""Proofs out of the sealed log, and the comparison of all of it."""

import msgspec
import pytest

from application.eventlog import RecordedEvent
from application.sealing.reading import NotSealed, SealBroken, SealedLog
from application.sealing.verification import SealReport, verify_seal
from domain.refusal import BadField, NotFound
from domain.sealing.checking import check_consistency
from domain.sealing.checkpoint import hash_text, read_hash
from domain.sealing.leaf import leaf
from domain.sealing.proof import read_proof
from domain.sealing.tree import leaf_hash
from tests.application.sealing.sealed_world import LOG_KEY, SealedWorld
from tests.domain.sealing import naive
from tests.fakes import ManualClock

NOW_US = 2_000_000


@pytest.fixture
def world() -> SealedWorld:
    """300 sealed events with a gap behind the second, and one that is not sealed."""
    world = SealedWorld()
    world.add(2)
    world.add(298, gap=10)
    world.seal()
    world.add(1)
    return world


def test_every_sealed_event_can_be_proved(world: SealedWorld) -> None:
    """To somebody who has the line, the proof and the public key, and nothing else."""
    for index in (0, 1, 2, 255, 256, 299):
        event = world.log[index]
        proved = _sealed(world).prove(event.position)
        assert (proved.position, proved.index) == (event.position, index)
        assert proved.leaf == leaf(event).decode()
        found = read_proof(proved.proof.encode())
        signed = found.check(leaf_hash(proved.leaf.encode()), [LOG_KEY.public], world.trust.verify)
        assert signed == world.wanted(300)


def test_nothing_is_proved_of_what_is_not_sealed(world: SealedWorld) -> None:
    """An event behind the checkpoint is in the log, and nobody has signed it."""
    with pytest.raises(NotSealed):
        _sealed(world).prove(world.log[-1].position)
    with pytest.raises(NotSealed):
        _sealed(SealedWorld()).status()


@pytest.mark.parametrize("position", [3, 12, 10_000])
def test_a_position_without_an_event_is_said_to_be_one(world: SealedWorld, position: int) -> None:
    """A gap has no proof, and its neighbour's is not given instead."""
    with pytest.raises(NotFound):
        _sealed(world).prove(position)


def test_a_changed_event_is_not_proved(world: SealedWorld) -> None:
    """What is given out was checked first."""
    world.change(7)
    with pytest.raises(SealBroken):
        _sealed(world).prove(world.log[7].position)


def test_damage_is_said_to_be_damage(world: SealedWorld) -> None:
    """A missing tile, or a checkpoint that was touched: neither a proof nor a fault of ours."""
    del world.files.files["tile/0/000"]
    with pytest.raises(SealBroken):
        _sealed(world).prove(world.log[7].position)
    with pytest.raises(SealBroken):
        _sealed(world).consistency(old_size=7)
    note = world.files.files["checkpoint"]
    world.files.files["checkpoint"] = note.replace(b"\n300\n", b"\n299\n")
    with pytest.raises(SealBroken):
        _sealed(world).status()


def test_the_status_says_what_is_not_sealed(world: SealedWorld) -> None:
    """How much, how old; nothing once all is sealed."""
    status = _sealed(world).status()
    assert (status.size, status.position, status.events_behind) == (300, world.log[299].position, 1)
    assert status.behind_s == (NOW_US - world.log[300].recorded_at_us) / 1_000_000
    assert status.root == hash_text(world.wanted(300).root)
    assert status.checkpoint.encode() == world.directory.checkpoint()
    world.seal()
    after = _sealed(world).status()
    assert (after.events_behind, after.behind_s) == (0, 0.0)


@pytest.mark.parametrize(("old_size", "size"), [(1, None), (256, 300), (17, 100), (300, 300)])
def test_one_tree_is_shown_to_be_the_beginning_of_another(
    world: SealedWorld, old_size: int, size: int | None
) -> None:
    """Any two sizes, of which neither need have been signed."""
    found = _sealed(world).consistency(old_size=old_size, size=size)
    assert found.old_root == hash_text(world.wanted(old_size).root)
    check_consistency(
        old_size=found.old_size,
        old_root=read_hash(found.old_root),
        size=found.size,
        root=read_hash(found.root),
        path=[read_hash(digest) for digest in found.path],
    )


def test_the_root_at_an_event_never_changes(world: SealedWorld) -> None:
    """It is that of the tree up to the event, whatever was sealed since; of what is not sealed there is none."""
    before = {index: _sealed(world).root_at(world.log[index].position) for index in (0, 2, 256, 299)}
    for index, found in before.items():
        assert (found.size, found.root) == (index + 1, hash_text(world.wanted(index + 1).root))
    for nothing in (3, world.log[-1].position):
        with pytest.raises(NotSealed):
            _sealed(world).root_at(nothing)
    world.seal()
    assert {index: _sealed(world).root_at(world.log[index].position) for index in before} == before


@pytest.mark.parametrize(("old_size", "size"), [(0, 5), (6, 5), (1, 301), (301, None)])
def test_sizes_that_are_not_there_are_refused(world: SealedWorld, old_size: int, size: int | None) -> None:
    """In order, and within what was signed."""
    with pytest.raises(BadField):
        _sealed(world).consistency(old_size=old_size, size=size)


def test_an_unchanged_log_is_found_to_be_so(world: SealedWorld) -> None:
    """Every sealed event is hashed; the one that is not sealed is left alone."""
    assert _verified(world) == SealReport(origin="example.com/log", size=300, events=300, findings=())
    assert _verified(world).ok


@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_a_changed_event_is_named(world: SealedWorld, index: int) -> None:
    """P21: by its position."""
    world.change(index)
    assert f"position {world.log[index].position} " in _verified(world).findings[0]


@pytest.mark.parametrize("index", [0, 100, 256, 298])
@pytest.mark.parametrize("what", ["removed", "doubled", "swapped"])
def test_every_other_change_is_found(world: SealedWorld, index: int, what: str) -> None:
    """P21: an event that is missing, twice, or at another's place."""
    if what == "removed":
        del world.log[index]
    elif what == "doubled":
        world.add(1)
        world.log[index + 1 :] = [*world.log[index:-1]]
        world.log[index + 1 :] = [_at(event, event.position + 1) for event in world.log[index + 1 :]]
    else:
        other = (index + 1) % 300
        one, two = world.log[index], world.log[other]
        world.log[index], world.log[other] = _at(two, one.position), _at(one, two.position)
    assert not _verified(world).ok


def test_a_shorter_log_is_found(world: SealedWorld) -> None:
    """So many events were signed."""
    del world.log[200:]
    assert "300 events were signed, the log has 200" in _verified(world).findings


def test_changed_files_are_found(world: SealedWorld) -> None:
    """Tiles, above too, and the file of positions."""
    for name, data in (("tile/1/000.p/1", bytes(32)), ("tile/0/001.p/44", b""), ("positions", b"0 1\n")):
        files = dict(world.files.files)
        world.files.files[name] = data
        assert len(_verified(world).findings) == 1, name
        world.files.files = files


def test_without_a_checkpoint_nothing_is_clean(world: SealedWorld) -> None:
    """None at all, or one that nobody signed."""
    world.files.files["checkpoint"] = b"example.com/log\n5\n"
    assert not _verified(world).ok
    del world.files.files["checkpoint"]
    assert _verified(world).findings == ("nothing is sealed yet",)


def test_findings_are_bounded(world: SealedWorld) -> None:
    """A log that is wrong all over does not fill the memory."""
    world.add(256 * 30)
    world.seal()
    for index in range(0, len(world.log), 256):
        world.change(index)
    assert len(_verified(world).findings) == 20


def test_the_naive_tree_agrees(world: SealedWorld) -> None:
    """The root that is signed is that of the lines, hashed by hand."""
    assert world.signed().root == naive.mth(world.leaves()[:300])


def _at(event: RecordedEvent, position: int) -> RecordedEvent:
    return msgspec.structs.replace(event, position=position)


def _sealed(world: SealedWorld) -> SealedLog:
    return SealedLog(log=world, directory=world.directory, trust=world.trust, clock=ManualClock(NOW_US))


def _verified(world: SealedWorld) -> SealReport:
    return verify_seal(world, world.directory, world.trust)
