"""Witnesses by C2SP tlog-witness, and the log's side of it: what is signed, and what never is."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.sealing.ed25519 import Ed25519Signer, verify
from application.sealing.submission import SIZE_TYPE, read_submission, write_submission
from application.sealing.verification import WitnessPolicy, verify_seal
from application.sealing.witness import Reply, Witness
from application.sealing.witnessing import WitnessAddress, WitnessAnswer, WitnessAway, Witnessing
from domain.sealing.cosignatures import WitnessKey, cosignatures_of
from domain.sealing.notes import BadNote
from domain.sealing.tree import consistency_path
from tests.application.sealing.sealed_world import LOG_KEY, SealedWorld
from tests.fakes import ManualClock

SIGNERS = [Ed25519Signer(f"witness.example/w{number}", bytes([number]) * 32) for number in (1, 2, 3)]
KEYS = [WitnessKey(one.public.name, one.public.key) for one in SIGNERS]


class MemoryState:
    def __init__(self) -> None:
        self.notes: dict[str, bytes] = {}

    def load(self, origin: str) -> bytes | None:
        return self.notes.get(origin)

    def save(self, origin: str, note: bytes) -> None:
        self.notes[origin] = note


def witness(number: int = 0, state: MemoryState | None = None) -> Witness:
    return Witness(
        signer=SIGNERS[number],
        logs=[LOG_KEY.public],
        state=state or MemoryState(),
        clock=ManualClock(5_000_000),
        verify=verify,
    )


def sealed(events: int) -> SealedWorld:
    world = SealedWorld()
    world.add(events)
    world.seal()
    return world


def submission(world: SealedWorld, old_size: int, *, changed: Callable[[bytes], bytes] = bytes) -> bytes:
    note, size = world.directory.checkpoint() or b"", world.signed().size
    path = consistency_path(world.directory.subtrees(size), old_size, size) if 0 < old_size <= size else []
    return write_submission(old_size, path, changed(note))


def test_a_witness_follows_a_log_that_grows() -> None:
    """From nothing, over any sizes, and again at the same size; each time its cosignature is right."""
    world, one, before = sealed(1), witness(), 0
    for more in (0, 3, 9, 300, 0):
        world.add(more)
        world.seal()
        reply = one.add_checkpoint(submission(world, before))
        assert reply.status == 200
        (found,) = cosignatures_of((world.directory.checkpoint() or b"") + reply.body, KEYS[:1], verify)
        assert found.time_s == 5
        before = world.signed().size


def test_what_it_has_signed_outlives_it() -> None:
    """Another process with the same state goes on where it was."""
    world, state = sealed(5), MemoryState()
    assert witness(state=state).add_checkpoint(submission(world, 0)).status == 200
    again = witness(state=state).add_checkpoint(submission(world, 0))
    assert again == Reply(409, b"5\n", SIZE_TYPE)


def _fork() -> SealedWorld:
    other = sealed(7)
    other.change(2)
    world = SealedWorld()
    world.log = other.log
    world.seal()
    return world


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (lambda world: submission(world, 9), 400),
        (lambda world: b"old 5\n", 400),
        (lambda world: b"old 05\n\n" + submission(world, 5).partition(b"\n\n")[2], 400),
        (lambda world: submission(world, 5).replace(b"example.com/log", b"example.com/other"), 404),
        (lambda world: submission(world, 5, changed=lambda note: note.replace(b"\n7\n", b"\n6\n")), 403),
        (lambda world: submission(world, 4), 409),
        (lambda world: submission(_fork(), 5), 422),
        (lambda world: write_submission(5, [bytes(32)] * 63, world.directory.checkpoint() or b""), 422),
        (lambda world: write_submission(5, [bytes(32)] * 64, world.directory.checkpoint() or b""), 400),
    ],
    ids=["above", "cut", "zeroes", "unknown log", "not signed", "other size", "fork", "no proof", "too long"],
)
def test_what_a_witness_never_signs(body: Callable[[SealedWorld], bytes], status: int) -> None:
    """By the status that the document names; and what it had signed stays."""
    world, state = sealed(5), MemoryState()
    one = witness(state=state)
    assert one.add_checkpoint(submission(world, 0)).status == 200
    kept = dict(state.notes)
    world.add(2)
    world.seal()
    reply = one.add_checkpoint(body(world))
    assert reply.status == status
    assert "witness.example" not in reply.body.decode()
    assert state.notes == kept


def test_two_trees_of_one_size_are_not_both_signed() -> None:
    """409, whoever of them comes second."""
    world, one = _fork(), witness()
    assert one.add_checkpoint(submission(world, 0)).status == 200
    assert one.add_checkpoint(submission(sealed(7), 7)).status == 409


def test_a_submission_is_read_as_it_was_written() -> None:
    """And what is none is refused."""
    world = sealed(9)
    body = submission(world, 4)
    found = read_submission(body)
    assert write_submission(found.old_size, found.path, found.note) == body
    for wrong in (b"", b"old -1\n\nx\n", b"old 1\nzz\n\nx\n", b"new 1\n\nx\n"):
        with pytest.raises(BadNote):
            read_submission(wrong)


class Network:
    """Witnesses by their addresses; those that are not there are away."""

    def __init__(self, *witnesses: Witness) -> None:
        self.witnesses: dict[str, Any] = {f"w{number}": one for number, one in enumerate(witnesses, 1)}
        self.asked = 0

    def submit(self, url: str, body: bytes) -> WitnessAnswer:
        self.asked += 1
        if url not in self.witnesses:
            raise WitnessAway("upstream_connect_failed")
        reply = self.witnesses[url].add_checkpoint(body)
        return WitnessAnswer(reply.status, reply.media_type, reply.body)


def witnessing(world: SealedWorld, network: Network, *, quorum: int = 1) -> Witnessing:
    addresses = [WitnessAddress(f"w{number}", key) for number, key in enumerate(KEYS, 1)]
    return Witnessing(
        directory=world.directory,
        trust=world.trust,
        witnesses=addresses,
        submit=network.submit,
        quorum=quorum,
    )


def verified(world: SealedWorld, quorum: int) -> tuple[bool, int, int]:
    report = verify_seal(world, world.directory, world.trust, WitnessPolicy(tuple(KEYS), quorum))
    return report.ok, report.witnessed_size, len(report.witnessed_by)


def test_a_cosigned_checkpoint_is_published_and_verified() -> None:
    """With all cosignatures there are; the policy says how many suffice."""
    world = sealed(5)
    network = Network(witness(0), witness(1))
    asking = witnessing(world, network)
    assert asking.run_once() == 2
    assert [verified(world, quorum) for quorum in (0, 2, 3)] == [(True, 5, 2), (True, 5, 2), (False, 5, 2)]
    world.add(4)
    world.seal()
    assert verified(world, 2) == (True, 5, 2)  # the tree has grown, what was cosigned is its beginning
    assert asking.run_once() == 2
    assert verified(world, 2) == (True, 9, 2)
    before = network.asked
    assert asking.run_once() == 0  # nothing new is nothing to ask
    assert network.asked == before
    assert witnessing(world, network).run_once() == 2  # a new process learns by 409 how far they are


def test_too_few_cosignatures_publish_nothing() -> None:
    """What had enough stays, and they are asked again."""
    world, network = sealed(5), Network(witness(0), witness(1))
    asking = witnessing(world, network, quorum=2)
    assert asking.run_once() == 2
    published = world.directory.witnessed()
    del network.witnesses["w2"]
    world.add(1)
    world.seal()
    assert asking.run_once() == 1
    assert world.directory.witnessed() == published
    network.witnesses["w2"] = witness(1)
    assert asking.run_once() == 2
    assert world.directory.witnessed() != published


class Liar:
    """Answers whatever it likes."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def add_checkpoint(self, _body: bytes) -> Reply:
        return self.reply


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b""),
        Reply(200, b"<html>"),
        Reply(200, "— witness.example/w1 AAAAAAAAAAAAAAAAAAAA\n".encode()),
        Reply(409, b"99\n", SIZE_TYPE),
        Reply(409, b"x\n", SIZE_TYPE),
        Reply(409, b"3\n", SIZE_TYPE),
        Reply(302, b""),
        Reply(500, b"no"),
    ],
)
def test_a_witness_that_misbehaves_costs_its_cosignature_and_nothing_else(reply: Reply) -> None:
    """The others' are published."""
    world = sealed(5)
    network = Network(witness(0), witness(1))
    network.witnesses["w1"] = Liar(reply)
    assert witnessing(world, network).run_once() == 1
    assert verified(world, 1) == (True, 5, 1)


def test_a_log_that_was_rewritten_is_not_what_was_cosigned() -> None:
    """Whoever holds the log's key can sign another history, but not have it cosigned, nor hide what was."""
    world = sealed(7)
    one = witness(0)
    assert witnessing(world, Network(one)).run_once() == 1
    fork = _fork()
    fork.files.files["checkpoint.witnessed"] = world.files.files["checkpoint.witnessed"]
    assert verified(fork, 1)[0] is False
    fork.add(2)
    fork.seal()
    assert witnessing(fork, Network(one)).run_once() == 0
