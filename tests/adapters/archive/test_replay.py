"""P10 over the archive: what is read of archive and table is what was read of the table alone, byte for byte."""

import threading
from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest

from adapters.eventstore.store import PostgresEventStore
from application.archive.ports import DetachRefused
from application.archive.segment import SegmentDamaged, SegmentMissing, decode_manifest
from application.archive.verify import verify_archive
from application.eventlog import NewEvent, RecordedEvent, VersionConflict
from application.ledger.wallet_reader import load_wallet
from application.verify import render_text, verify
from domain.ids import uuid7
from domain.topics import REGISTRY
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.runner import Runner
from projections.service import ProjectionService
from projections.snapshot import ReadModelReader
from projections.tail import LogTail
from tests.adapters.archive.archive_world import ArchiveWorld, accounts_of, look, read_all
from tests.fakes import ManualClock
from tests.histories import history


def fenced(tail: list[RecordedEvent]) -> list[NewEvent]:
    """What a reaper decides: the end, behind all that it was shown."""
    assert [event.version for event in tail] == list(range(1, len(tail) + 1))
    return [NewEvent(tail[0].stream_id, len(tail) + 1, "lease.fenced.v1", b"{}")]


def charge(stream_id: UUID, *, version: int) -> NewEvent:
    return NewEvent(stream_id, version, "lease.usage-charged.v1", b"{}")


@pytest.mark.parametrize("seed", range(3))
def test_an_archived_log_reads_as_it_did(world: ArchiveWorld, seed: int) -> None:
    """The log, every stream, control events, open leases and the head; also from any version and any position on."""
    world.fill(history(seed, steps=300), parts=4)
    before = look(world.store)
    world.archive()
    assert world.catalogue.until_position() > len(before.log) // 2
    assert look(world.store) == before
    for at in range(0, len(before.log), 23):
        assert (
            world.store.read_log(after_position=before.log[at].position, limit=50)
            == before.log[at + 1 : at + 51]
        )
    for stream_id, events in before.streams.items():
        for version in (1, len(events) // 2, len(events)):
            assert world.store.read_stream(stream_id, after_version=version) == events[version:]


def test_it_reads_on_as_it_did_when_more_leaves(world: ArchiveWorld) -> None:
    """Part by part, with snapshots as they come, until only what is open is in the table."""
    world.fill(history(11, steps=400), parts=5)
    before = look(world.store)
    world.write()
    for part in world.catalogue.parts():
        world.catalogue.detach(part, rested_s=0)
        assert look(world.store) == before
    world.catalogue.close_part()
    world.archive()
    assert look(world.store) == before
    assert world.catalogue.until_position() == before.head
    assert world.store.append([NewEvent(uuid7(), 1, "a.b.v1", b"{}")]) == before.head + 1


def test_books_and_read_models_come_out_the_same(world: ArchiveWorld) -> None:
    """`ledger verify` says the same figures; a rebuild out of the archive has the hash of the live read model."""
    world.fill(history(5, steps=400), parts=4)
    with projection_pool(world.url, size_max=4) as pool:
        projections = all_projections()
        runner = Runner(
            pool=pool,
            reader=LogTail(world.store),
            registry=REGISTRY,
            projections=projections,
            clock=ManualClock(),
        )
        service = ProjectionService(
            pool=pool, store=world.store, registry=REGISTRY, projections=projections, clock=ManualClock()
        )
        for projection in projections:
            runner.catch_up(projection.name)
        before = verify(world.store, REGISTRY, ReadModelReader(pool))
        hashes = {one.name: service.rebuild(one.name) for one in projections}
        world.archive()
        after = verify(world.store, REGISTRY, ReadModelReader(pool))
        assert {one.name: service.rebuild(one.name) for one in projections} == hashes
    before.figures.took_s = after.figures.took_s = 0.0
    assert after == before
    assert after.ok, render_text(after)


def test_what_every_start_needs_needs_no_archive(world: ArchiveWorld) -> None:
    """With the files away: control events, open leases and their streams, and wallets, by their snapshots."""
    world.fill(history(7, steps=300), parts=3)
    accounts = accounts_of(read_all(world.store))
    before, wallets = look(world.store), {one: load_wallet(world.store, one).wallet for one in accounts}
    world.archive()
    with PostgresEventStore(world.url) as store:
        assert store.read_control(after_position=0, limit=10_000) == before.control
        assert store.read_open_leases(after_position=0, limit=10_000) == before.open_leases != []
        for lease in before.open_leases:
            assert store.read_stream(lease.stream_id) == before.streams[lease.stream_id]
        assert {one: load_wallet(store, one).wallet for one in accounts} == wallets
        with pytest.raises(SegmentMissing, match="ARCHIVE_DIR"):
            store.read_log(after_position=0, limit=1)


def test_a_repeated_request_needs_no_archive(world: ArchiveWorld) -> None:
    """Idempotency keys never end: theirs are in the database, and whole, however old they are."""
    key = uuid7()
    keyed = [
        NewEvent(key, 1, "idempotency.key-claimed.v1", b"{}"),
        NewEvent(key, 2, "idempotency.outcome-recorded.v1", b"{}"),
    ]
    others = history(14, steps=150)
    world.fill([keyed[0], *others[:90], keyed[1], *others[90:]], parts=3)
    before = world.store.read_stream(key)
    world.catalogue.close_part()
    world.archive()
    with PostgresEventStore(world.url) as store:
        assert store.read_stream(key) == before
    assert [(event.version, event.topic) for event in before] == [(e.version, e.topic) for e in keyed]


def test_snapshots_are_mere_caches_of_archived_wallets(world: ArchiveWorld) -> None:
    """Without them, or with garbage in their place, wallets are folded out of the archive and come out the same."""
    world.fill(history(8, steps=300), parts=3)
    accounts = accounts_of(read_all(world.store))
    wallets = {one: load_wallet(world.store, one).wallet for one in accounts}
    world.archive()
    for vandal in ("UPDATE snapshots SET state = 'x', version = 999", "DELETE FROM snapshots"):
        with psycopg.connect(world.url, autocommit=True) as connection:
            connection.execute(vandal.encode())
        assert {one: load_wallet(world.store, one).wallet for one in accounts} == wallets


def test_versions_are_taken_for_ever(world: ArchiveWorld) -> None:
    """No event is stored a second time, or behind the end of its stream, though its stream has left the database."""
    world.fill(history(9, steps=300), parts=3)
    before = look(world.store)
    world.archive()
    for stream_id, events in before.streams.items():
        for version in (1, len(events)):
            with pytest.raises(VersionConflict):
                world.store.append([NewEvent(stream_id, version, "a.b.v1", b"{}")])
        ended = events[-1].topic.startswith(("lease.closed.", "lease.fenced."))
        following = [NewEvent(stream_id, len(events) + 1, "a.b.v1", b"{}")]
        if ended:
            with pytest.raises(VersionConflict):
                world.store.append(following)
        else:
            world.store.append(following)


def test_an_open_lease_of_an_archived_range_is_fenced(world: ArchiveWorld) -> None:
    """The reaper sees its whole stream under the lock, and the owner's next event is refused."""
    world.fill(history(10, steps=300), parts=3)
    world.catalogue.close_part()
    before = look(world.store)
    world.archive()
    assert before.open_leases
    for opened in before.open_leases:
        (fence,) = world.store.append_locked([opened.stream_id], fenced)
        assert fence.version == len(before.streams[opened.stream_id]) + 1
        with pytest.raises(VersionConflict):
            world.store.append([charge(opened.stream_id, version=fence.version)])
    assert world.store.read_open_leases(after_position=0, limit=10) == []


def test_a_locked_append_sees_archived_tails(world: ArchiveWorld) -> None:
    """Of several streams, in commit order, after the versions asked for, though a part of them is in the archive."""
    world.fill(history(12, steps=200), parts=3)
    before = look(world.store)
    world.archive()
    streams = sorted(before.streams, key=lambda one: -len(before.streams[one]))[:3]
    after = {streams[0]: 2}
    tails: list[RecordedEvent] = []

    def look_only(tail: list[RecordedEvent]) -> list[NewEvent]:
        tails.extend(tail)
        return []

    world.store.append_locked(streams, look_only, after_versions=after)
    assert tails == [
        e for e in before.log if e.stream_id in streams and e.version > after.get(e.stream_id, 0)
    ]


def test_readers_miss_nothing_while_parts_leave(world: ArchiveWorld) -> None:
    """Whoever reads the log, control events or open leases at any moment of it reads all of them."""
    world.fill(history(13, steps=500), parts=6)
    before, done = look(world.store), threading.Event()
    wrong: list[str] = []

    def keep_reading() -> None:
        with PostgresEventStore(world.url, archive=world.files) as store:
            while not done.is_set():
                if store.read_control(after_position=0, limit=10_000) != before.control:
                    wrong.append("control")
                if store.read_open_leases(after_position=0, limit=10_000) != before.open_leases:
                    wrong.append("open leases")
                if read_all(store, page=200) != before.log:
                    wrong.append("log")

    with ExitStack() as stack:
        readers = [threading.Thread(target=keep_reading) for _ in range(2)]
        for reader in readers:
            reader.start()
            stack.callback(reader.join)
        stack.callback(done.set)
        world.write()
        while world.catalogue.parts():
            part = world.catalogue.parts()[0]
            world.catalogue.detach(part, rested_s=0)
    assert wrong == []


def test_a_part_rests_before_it_leaves(world: ArchiveWorld) -> None:
    """So that an append in doubt still finds its events in the database."""
    world.fill(history(1, steps=50), parts=2)
    world.write()
    (part,) = world.catalogue.parts()
    with pytest.raises(DetachRefused, match="was closed less than"):
        world.catalogue.detach(part, rested_s=3600)


def test_only_what_is_archived_as_a_whole_leaves(world: ArchiveWorld) -> None:
    """Not before it is written, and not before the part that comes before it; nothing is changed by the attempt."""
    world.fill(history(2, steps=200), parts=3)
    before = look(world.store)
    first, second = world.catalogue.parts()
    with pytest.raises(DetachRefused, match="is not in the archive as a whole"):
        world.catalogue.detach(first, rested_s=0)
    world.write()
    with pytest.raises(DetachRefused, match="is not the oldest closed part"):
        world.catalogue.detach(second, rested_s=0)
    assert look(world.store) == before
    assert world.catalogue.until_position() == 0


def test_segments_go_on_with_the_tree(world: ArchiveWorld) -> None:
    """Each manifest names the leaves before it, and chains to the one before; the last root is that of the whole log."""
    world.fill(history(3, steps=200), parts=3)
    world.write()
    manifests = [decode_manifest(raw) for raw in world.catalogue.manifests()]
    assert len(manifests) > 3
    leaves = 0
    for manifest in manifests:
        assert manifest.first_leaf == leaves
        leaves += manifest.events
    assert [finding.wrong for finding in verify_archive(world.catalogue, world.files)] == [""] * len(
        manifests
    )


@pytest.mark.parametrize("damage", ["bytes", "missing", "manifest", "swapped"])
def test_a_tampered_archive_is_found_and_never_read_over(world: ArchiveWorld, damage: str) -> None:
    """By `verify`, which names the file; by a reader, which gives no event instead; and nothing is detached by it."""
    world.fill(history(4, steps=300), parts=3)
    world.write()
    segments = sorted(world.path.glob("*.zst"))
    victim = segments[1]
    if damage == "bytes":
        victim.write_bytes(victim.read_bytes()[:-7] + b"\x00" + victim.read_bytes()[-6:])
    elif damage == "missing":
        victim.unlink()
    elif damage == "manifest":
        beside = victim.with_name(victim.name.replace(".jsonl.zst", ".manifest.json"))
        beside.write_bytes(beside.read_bytes().replace(b'"events":', b'"events":1'))
    else:
        victim.write_bytes(segments[2].read_bytes())
    findings = list(verify_archive(world.catalogue, world.files))
    assert [bool(finding.wrong) for finding in findings] == [n == 1 for n in range(len(findings))]
    assert findings[1].file == victim.name
    with pytest.raises(DetachRefused, match=victim.name):
        world.detach()
    for part in world.catalogue.parts():
        world.catalogue.detach(part, rested_s=0)
    if damage != "manifest":  # readers go by the manifest that the database has
        with pytest.raises((SegmentDamaged, SegmentMissing), match=victim.name):
            read_all(world.store)
