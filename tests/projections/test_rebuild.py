"""Rebuilding a read model beside the one in use."""

import threading
from collections.abc import Sequence
from typing import ClassVar

import msgspec
import psycopg
import pytest
from psycopg.pq import TransactionStatus

from application.eventlog import RecordedEvent
from application.projections import RebuildRunning
from domain.topics import REGISTRY
from projections import generations
from projections.balances import BalanceReader, Balances
from projections.projection import Connection, Located, Table, Write
from projections.rebuild import Rebuild
from projections.session import Outdated, ProjectionFailed
from projections.tail import PlainReader
from tests.histories import ListLog, history
from tests.projections.lab import Lab
from tests.waiting import until


def _schemas(lab: Lab) -> set[str]:
    with lab.pool.connection() as connection:
        return {
            name
            for (name,) in connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rm\\_%'")
        }


def _generation(lab: Lab, name: str) -> int:
    with lab.pool.connection() as connection:
        return generations.require(connection, name).generation


class Crash(Exception):
    """Stands for the end of the process."""


class Crashing(Balances):
    """Ends after some batches."""

    def __init__(self, batches: int) -> None:
        self._left = batches

    def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
        if not self._left:
            raise Crash
        self._left -= 1
        return super().fold(connection, schema, facts)


def _rebuild_that_crashes(lab: Lab, *, after_batches: int) -> None:
    with lab.pool.connection() as connection, pytest.raises(Crash):
        Rebuild(
            connection,
            Crashing(after_batches),
            reader=PlainReader(lab.log),
            registry=REGISTRY,
            batch_events=20,
        ).run()


def test_a_rebuild_repairs_rows_that_are_wrong(lab: Lab) -> None:
    """Whatever happened to the rows, the log makes them right again."""
    lab.start_over(history(3, steps=200))
    lab.catch_up()
    right = lab.hashes()["balances"]
    with lab.pool.connection() as connection:
        connection.execute("UPDATE rm_balances_1.balances SET granted_nano = granted_nano + 1")
    assert lab.hashes()["balances"] != right
    assert lab.rebuild("balances") == right
    assert lab.hashes()["balances"] == right


def test_a_rebuild_that_dies_leaves_the_one_in_use_alone(lab: Lab) -> None:
    """Readers and runner notice nothing; the next rebuild sweeps up what is left over."""
    lab.start_over(history(3, steps=200))
    lab.catch_up()
    before = lab.hashes()
    _rebuild_that_crashes(lab, after_batches=3)
    assert lab.hashes() == before
    assert _generation(lab, "balances") == 1
    assert "rm_balances_2" in _schemas(lab)

    lab.log.extend(history(4, steps=20))
    lab.catch_up()
    grown = lab.hashes()["balances"]
    assert lab.rebuild("balances") == grown
    assert len([name for name in _schemas(lab) if name.startswith("rm_balances_")]) == 1


def test_a_connection_lost_in_a_rebuild_frees_its_lock(lab: Lab) -> None:
    """A rebuild whose backend was killed does not keep the next one out."""
    lab.start_over(history(3, steps=200))
    lab.catch_up()
    before = lab.hashes()["balances"]

    class Killed(Balances):
        def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
            with lab.pool.connection() as other:
                other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
            return super().fold(connection, schema, facts)

    with pytest.raises(psycopg.OperationalError), lab.pool.connection() as connection:
        Rebuild(connection, Killed(), reader=PlainReader(lab.log), registry=REGISTRY).run()
    assert lab.hashes()["balances"] == before
    assert lab.rebuild("balances") == before


def test_the_migration_sweeps_up_too(lab: Lab) -> None:
    """`install` drops what a dead rebuild left, and nothing that is in use."""
    lab.start_over(history(3, steps=200))
    _rebuild_that_crashes(lab, after_batches=1)
    assert lab.service().install() == ()
    assert _schemas(lab) == {"rm_balances_1", "rm_request_log_1"}


def test_a_runner_goes_on_through_a_rebuild(lab: Lab) -> None:
    """Events come and are taken while it builds and while it switches: none is lost, none counts twice."""
    events = history(21, steps=3_000)
    half = len(events) // 2
    lab.start_over(events[:half])
    failures: list[BaseException] = []
    stop = threading.Event()

    def run() -> None:
        try:
            runner = lab.runner(batch_events=13)
            while not stop.is_set():
                runner.catch_up("balances")
        except BaseException as error:  # noqa: BLE001  # told to the test
            failures.append(error)

    def write() -> None:
        for start in range(half, len(events), 5):
            lab.log.extend(events[start : start + 5])
            if stop.wait(0.001):
                return

    threads = [threading.Thread(target=run), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            lab.rebuild("balances")
        threads[1].join()
        until(lambda: lab.position("balances") == lab.log.head_position())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert _generation(lab, "balances") == 4
    assert lab.log.head_position() == 1 + 3 * (len(events) - 1)
    grown = lab.hashes()["balances"]
    lab.start_over(events)
    lab.catch_up()
    assert lab.hashes()["balances"] == grown


class LateEvents(ListLog):
    """Just when a reader sees its end for the first time, events come and the one in use takes them."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.events = lab.log.events
        self._lab = lab
        self._late = [history(4, steps=30)]

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        found = super().read_log(after_position=after_position, limit=limit)
        if not found and self._late:
            self.extend(self._late.pop())
            self._lab.runner().catch_up("balances")
        return found


def test_a_switch_never_goes_back(lab: Lab) -> None:
    """What the one in use took between the rebuild's last look and the switch is in the new one from the start."""
    lab.start_over(history(3, steps=100))
    lab.catch_up()
    lab.log = LateEvents(lab)
    lab.rebuild("balances")
    assert _generation(lab, "balances") == 2
    assert lab.position("balances") == lab.log.head_position()
    grown = lab.hashes()["balances"]
    assert lab.rebuild("balances") == grown


def test_a_batch_that_meets_a_switch_goes_into_the_new_tables(lab: Lab) -> None:
    """The runner waits for the switch, finds itself moved, and takes the batch once, where it counts."""
    lab.start_over(history(3, steps=100))
    lab.catch_up()
    lab.log = LateEvents(lab)
    runner = threading.Thread(target=lab.runner().catch_up, args=("balances",))

    class Switching(Balances):
        """In the switch's transaction, sends the runner ahead and waits until it waits."""

        def fold(self, connection: Connection, schema: str, facts: Sequence[Located]) -> Sequence[Write]:
            if connection.info.transaction_status == TransactionStatus.INTRANS:
                lab.log.extend(history(5, steps=30))
                runner.start()
                until(lambda: _is_someone_waiting(lab), within_s=20)
            return super().fold(connection, schema, facts)

    with lab.pool.connection() as connection:
        Rebuild(connection, Switching(), reader=PlainReader(lab.log), registry=REGISTRY).run()
    runner.join()
    assert _generation(lab, "balances") == 2
    assert lab.position("balances") == lab.log.head_position()
    grown = lab.hashes()["balances"]
    assert lab.rebuild("balances") == grown


def test_a_session_that_slept_through_a_rebuild_goes_on(lab: Lab) -> None:
    """The tables that it knew are gone; it finds the new ones and is not taken for broken."""
    lab.start_over(history(3, steps=100))
    topics = {event.position: event.topic for event in lab.log.events}
    with lab.runner(batch_events=1).session("balances") as session:
        assert session
        while session.position < 30 or topics[session.position + 3] not in Balances.topics:
            session.step()
        lab.rebuild("balances")
        lab.log.extend(history(4, steps=30))
        while session.step():
            pass
    assert lab.position("balances") == lab.log.head_position()
    assert not [status for status in lab.service().status() if status.stopped]
    grown = lab.hashes()["balances"]
    assert lab.rebuild("balances") == grown


def _is_someone_waiting(lab: Lab) -> bool:
    with lab.pool.connection() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return row is not None and row[0] > 0


def test_only_one_rebuild_at_a_time(lab: Lab) -> None:
    """A second one is told so; another read model may be rebuilt meanwhile."""
    lab.start_over(history(3, steps=20))
    lab.catch_up()
    with lab.pool.connection() as connection:
        key = generations.lock_key("rebuild", "balances")
        connection.execute("SELECT pg_advisory_lock(%s)", [key])
        with pytest.raises(RebuildRunning):
            lab.rebuild("balances")
        lab.rebuild("request_log")
        connection.execute("SELECT pg_advisory_unlock(%s)", [key])
    lab.rebuild("balances")


def test_a_long_reader_holds_up_the_switch_but_nobody_else(lab: Lab) -> None:
    """While someone reads a snapshot the old rows stay and others read too; then the switch happens."""
    lab.start_over(history(3, steps=100))
    lab.catch_up()
    expected = lab.hashes()["balances"]
    rebuilt = threading.Thread(target=lab.rebuild, args=("balances",))
    with lab.pool.connection() as reading, reading.transaction():
        reading.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        seen = reading.execute("SELECT * FROM balances ORDER BY account_id").fetchall()
        rebuilt.start()
        until(lambda: "rm_balances_2" in _schemas(lab))
        assert BalanceReader(lab.pool).balances()
        assert reading.execute("SELECT * FROM balances ORDER BY account_id").fetchall() == seen
        assert _generation(lab, "balances") == 1
    rebuilt.join()
    assert _generation(lab, "balances") == 2
    assert lab.hashes()["balances"] == expected


def test_a_rebuild_of_a_stopped_read_model_ends_its_alarm(lab: Lab) -> None:
    """Built past the event that it stood in front of, it is no longer stopped."""
    lab.start_over(history(3, steps=100))
    lab.projections["balances"] = Crashing(0)
    with pytest.raises(ProjectionFailed):
        lab.runner().catch_up("balances")
    lab.projections["balances"] = Balances()
    assert [status.name for status in lab.service().status() if status.stopped] == ["balances"]
    lab.rebuild("balances")
    assert not [
        status
        for status in lab.service().status()
        if status.stopped or (status.events_behind and status.name == "balances")
    ]


class WiderBalances(Balances):
    """The next version of the code: a column more."""

    version: ClassVar[int] = Balances.version + 1
    tables: ClassVar[tuple[Table, ...]] = (
        msgspec.structs.replace(
            Balances.tables[0], columns=f"note text DEFAULT 'new', {Balances.tables[0].columns}"
        ),
        *Balances.tables[1:],
    )


def test_a_new_shape_waits_for_its_rebuild_then_is_served(lab: Lab) -> None:
    """Upgrade: the migration names what is outdated, the rebuild brings the new tables, old workers stop."""
    lab.start_over(history(3, steps=100))
    lab.catch_up()
    old = lab.runner()
    lab.projections["balances"] = WiderBalances()
    assert lab.service().install() == ("balances",)
    with pytest.raises(Outdated):
        lab.runner().catch_up("balances")
    lab.rebuild("balances")
    with lab.pool.connection() as connection:
        assert connection.execute("SELECT DISTINCT note FROM balances").fetchall() == [("new",)]
    assert lab.service().install() == ()
    with pytest.raises(Outdated):
        old.catch_up("balances")
    lab.log.extend(history(4, steps=10))
    lab.catch_up()
    assert lab.position("balances") == lab.log.head_position()


def test_rights_on_the_views_outlive_a_rebuild(lab: Lab) -> None:
    """Who was allowed to read a read model still is."""
    lab.start_over(history(3, steps=20))
    with lab.pool.connection() as connection:
        connection.execute("GRANT SELECT ON balances TO PUBLIC")
    lab.rebuild("balances")
    with lab.pool.connection() as connection:
        row = connection.execute("SELECT has_table_privilege('pg_monitor', 'balances', 'SELECT')").fetchone()
    assert row == (True,)


def test_an_empty_log_rebuilds_to_nothing(lab: Lab) -> None:
    """No events: no rows, position 0, and it is in use."""
    found = lab.rebuild("request_log")
    assert (found.position, found.rows) == (0, 0)
    assert _generation(lab, "request_log") == 2
