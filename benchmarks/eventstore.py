"""What appending costs: ways to append, the journal on an event loop, and reading the log.

    python benchmarks/eventstore.py [append|journal|read|all] [--seconds 1.5] [--database-url URL]

Without a URL it starts the embedded Postgres. Client and server share the machine: rates say little, CPU per event is
steady within some 20 %. "server" is the CPU time of the client's backend (Linux only), so without the WAL writer.
"""

# ruff: noqa: SLF001  # measures the journal's two sides apart

import argparse
import asyncio
import contextlib
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.embedded import EmbeddedServers
from adapters.eventstore import wire
from adapters.eventstore.batch import Batch
from adapters.eventstore.connection import BoundedConnection, Limits, connect
from adapters.eventstore.journal import GroupCommitJournal
from adapters.eventstore.migrations import migrate
from adapters.eventstore.store import PostgresEventStore
from adapters.eventstore.writer import Delivery
from application.eventlog import NewEvent
from domain.ids import uuid7

STREAMS = 4
BATCHES = (1, 8, 32, 128)
STATE = b'{"request_id":"%s","charge_nano":123456,"price_version":7,"attempts":["%s"]}' % (
    str(uuid7()).encode(),
    secrets.token_hex(180).encode(),
)

# Alternatives to `tokenok_append`, for comparison only: none of them keeps a stream's events behind its head.
ALTERNATIVES = """
CREATE FUNCTION bench_insert(ids uuid[], versions bigint[], topics text[], states bytea[])
RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock(32773604352356203);
    INSERT INTO stored_events (originator_id, originator_version, topic, state)
        SELECT * FROM unnest(ids, versions, topics, states);
    RETURN currval(pg_get_serial_sequence('stored_events', 'notification_id'));
END $$;
CREATE FUNCTION bench_select_list(ids uuid[], versions bigint[], topics text[], states bytea[])
RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock(32773604352356203);
    INSERT INTO stored_events (originator_id, originator_version, topic, state)
        SELECT unnest(ids), unnest(versions), unnest(topics), unnest(states);
    RETURN currval(pg_get_serial_sequence('stored_events', 'notification_id'));
END $$;
CREATE FUNCTION bench_on_conflict(ids uuid[], versions bigint[], topics text[], states bytea[])
RETURNS SETOF bigint LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock(32773604352356203);
    RETURN QUERY INSERT INTO stored_events (originator_id, originator_version, topic, state)
        SELECT u.* FROM unnest(ids, versions, topics, states) u ON CONFLICT DO NOTHING RETURNING notification_id;
END $$;
CREATE FUNCTION bench_custom_plans(ids uuid[], versions bigint[], topics text[], states bytea[], groups int[])
RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE found bigint; BEGIN
    PERFORM pg_advisory_xact_lock(32773604352356203);
    SELECT count(*) INTO found FROM (SELECT DISTINCT u.id FROM unnest(ids) AS u (id)) AS d
        WHERE EXISTS (SELECT FROM stored_events s WHERE s.originator_id = d.id);
    INSERT INTO stored_events (originator_id, originator_version, topic, state)
        SELECT u.* FROM unnest(ids, versions, topics, states) u;
    RETURN found;
END $$;
"""

Step = Callable[[list[list[NewEvent]]], None]


class Result(msgspec.Struct):
    """Of one process: events, and CPU microseconds of the client and of its backend."""

    events: int
    elapsed_s: float
    client_us: float
    server_us: float
    commit_ms: list[float]


def batches(size: int) -> Iterator[list[list[NewEvent]]]:
    """Groups of one event, as charges of a few leases come."""
    streams = [uuid7() for _ in range(STREAMS)]
    versions = [0] * STREAMS
    while True:
        groups: list[list[NewEvent]] = []
        for number in range(size):
            stream = number % STREAMS
            versions[stream] += 1
            groups.append([NewEvent(streams[stream], versions[stream], "lease.usage-charged.v1", STATE)])
        yield groups


def columns(groups: list[list[NewEvent]]) -> list[list[Any]]:
    events = [group[0] for group in groups]
    return [
        [event.stream_id for event in events],
        [event.version for event in events],
        [event.topic for event in events],
        [event.state for event in events],
    ]


def variants(connection: BoundedConnection) -> dict[str, Step]:
    """Each as a step that commits one batch."""
    cursor = connection.cursor()
    casts = "%b::uuid[], %b::bigint[], %b::text[], %b::bytea[]"

    def product(groups: list[list[NewEvent]]) -> None:
        Batch(groups).commit(connection, prepared=True)

    def unprepared(groups: list[list[NewEvent]]) -> None:
        Batch(groups).commit(connection)

    def lists(groups: list[list[NewEvent]]) -> None:
        query = f"SELECT * FROM tokenok_append({casts}, %b::int[])"
        cursor.execute(query.encode(), [*columns(groups), list(range(len(groups)))], prepare=True)
        cursor.fetchone()

    def function(name: str) -> Step:
        query = f"SELECT {name}({casts})".encode()

        def call(groups: list[list[NewEvent]]) -> None:
            cursor.execute(query, columns(groups), prepare=True)
            cursor.fetchall()

        return call

    def custom_plans(groups: list[list[NewEvent]]) -> None:
        query = f"SELECT bench_custom_plans({casts}, %b::int[])"
        cursor.execute(query.encode(), [*columns(groups), list(range(len(groups)))], prepare=True)

    def pipelined(groups: list[list[NewEvent]]) -> None:
        with connection.pipeline(), connection.transaction():
            cursor.execute("SELECT tokenok_lock_log()", prepare=True)
            cursor.execute(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
                f"SELECT * FROM unnest({casts})".encode(),
                columns(groups),
                prepare=True,
            )

    return {
        "tokenok_append": product,
        "tokenok_append, not prepared": unprepared,
        "tokenok_append, cursor and lists": lists,
        "no check: FROM unnest": function("bench_insert"),
        "no check: SELECT unnest, unnest": function("bench_select_list"),
        "no check: ON CONFLICT RETURNING": function("bench_on_conflict"),
        "one look-up, custom plans": custom_plans,
        "no check: pipelined statements": pipelined,
    }


def backend_cpu_us(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1000


def measure_append(database_url: str, variant: str, size: int, seconds: float) -> Result:
    with connect(database_url, limits=Limits(), application_name="bench") as connection:
        wire.prepare(connection)
        step = variants(connection)[variant]
        pid = connection.info.backend_pid
        source = batches(size)
        for _ in range(10):
            step(next(source))
        result = Result(0, 0.0, 0.0, -backend_cpu_us(pid), [])
        begin_s = time.perf_counter()
        while time.perf_counter() - begin_s < seconds:
            groups = next(source)
            cpu_ns, at_s = time.process_time_ns(), time.perf_counter()
            step(groups)
            result.commit_ms.append((time.perf_counter() - at_s) * 1000)
            result.client_us += (time.process_time_ns() - cpu_ns) / 1000
            result.events += size
        result.elapsed_s = time.perf_counter() - begin_s
        result.server_us += backend_cpu_us(pid)
        return result


def run_processes(database_url: str, variant: str, size: int, seconds: float, processes: int) -> list[Result]:
    command = [sys.executable, __file__, "worker", "--variant", variant, "--size", str(size)]
    command += ["--seconds", str(seconds)]
    workers = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE) for _ in range(processes)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(database_url.encode())
        worker.stdin.close()
        worker.stdin = None
    return [msgspec.json.decode(worker.communicate()[0], type=Result) for worker in workers]


def bench_append(database_url: str, seconds: float) -> None:
    print("| way | processes | batch | events/s | client us/event | server us/event | commit p50 / p99 ms |")
    print("|---|---|---|---|---|---|---|")
    with psycopg.connect(database_url) as connection:
        connection.execute(ALTERNATIVES.encode())
    with connect(database_url, limits=Limits(), application_name="bench") as bounded:
        names = list(variants(bounded))
    for name in names:
        for processes in (1, 2) if name == "tokenok_append" else (1,):
            for size in BATCHES:
                results = run_processes(database_url, name, size, seconds, processes)
                events = sum(result.events for result in results)
                commits = sorted(ms for result in results for ms in result.commit_ms)
                print(
                    f"| {name} | {processes} | {size} "
                    f"| {sum(result.events / result.elapsed_s for result in results):.0f} "
                    f"| {sum(result.client_us for result in results) / events:.1f} "
                    f"| {sum(result.server_us for result in results) / events:.1f} "
                    f"| {percentile(commits, 0.5):.2f} / {percentile(commits, 0.99):.2f} |",
                    flush=True,
                )


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def measure_loop_side(size: int) -> tuple[float, float]:
    """CPU microseconds per event on the loop's thread: queueing, and handing the answers out. No database."""
    journal = GroupCommitJournal("", events_max=1 << 30)
    journal._loop = asyncio.get_running_loop()
    journal._closed = False
    source = batches(size)
    queue_ns = answer_ns = 0
    rounds = 20_000 // size
    for number in range(rounds):
        groups = next(source)
        begin_ns = time.thread_time_ns()
        for group in groups:
            journal.append(group)
        queue_ns += time.thread_time_ns() - begin_ns
        waiting = [journal._inbox.get() for _ in groups]
        delivery = Delivery(number, waiting, list(range(size)), has_refusals=False)  # type: ignore[arg-type]
        begin_ns = time.thread_time_ns()
        journal._deliver(delivery)
        answer_ns += time.thread_time_ns() - begin_ns
    return queue_ns / 1000 / (rounds * size), answer_ns / 1000 / (rounds * size)


async def measure_journal(database_url: str, rate: int, seconds: float) -> str:
    """Appends at random moments, `rate` a second; 0: 64 tasks, each on with the next when the last is durable."""
    journal = GroupCommitJournal(database_url)
    journal.start()
    while not journal.is_writable():  # noqa: ASYNC110  # it is asked, it does not tell
        await asyncio.sleep(0.01)
    streams: dict[int, tuple[UUID, int]] = {number: (uuid7(), 0) for number in range(STREAMS)}
    latencies_ms: list[float] = []
    commits: set[int] = set()
    deliver = journal._writer._deliver

    def count(delivery: Delivery) -> None:
        commits.add(delivery.number)
        deliver(delivery)

    journal._writer._deliver = count

    async def one() -> None:
        number = random.randrange(STREAMS)
        stream_id, version = streams[number]
        streams[number] = (stream_id, version + 1)
        at_s = time.perf_counter()
        await journal.append([NewEvent(stream_id, version + 1, "lease.usage-charged.v1", STATE)])
        latencies_ms.append((time.perf_counter() - at_s) * 1000)

    pid = await asyncio.to_thread(backend_of, database_url)
    assert journal._writer.ident is not None
    writer_clock = time.pthread_getcpuclockid(journal._writer.ident)
    server_us, writer_ns = -backend_cpu_us(pid), time.clock_gettime_ns(writer_clock)
    begin_s = time.perf_counter()
    if rate:
        await open_loop(one, rate, begin_s + seconds)
    else:
        await asyncio.gather(*[closed_loop(one, begin_s + seconds) for _ in range(64)])
    elapsed_s = time.perf_counter() - begin_s
    writer_us = (time.clock_gettime_ns(writer_clock) - writer_ns) / 1000
    server_us += backend_cpu_us(pid)
    await journal.close()
    done = len(latencies_ms)
    latencies_ms.sort()
    return (
        f"| {rate or '64 waiters'} | {done / elapsed_s:.0f} | {done / len(commits):.1f} "
        f"| {percentile(latencies_ms, 0.5):.2f} / {percentile(latencies_ms, 0.99):.2f} "
        f"| {writer_us / done:.1f} | {server_us / done:.1f} |"
    )


async def open_loop(one: Callable[[], Any], rate: int, end_s: float) -> None:
    tasks: set[asyncio.Task[None]] = set()
    next_s = time.perf_counter()
    while next_s < end_s:
        while next_s <= time.perf_counter():
            task = asyncio.create_task(one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            next_s += random.expovariate(rate)
        await asyncio.sleep(max(0.0, next_s - time.perf_counter()))
    await asyncio.gather(*tasks)


async def closed_loop(one: Callable[[], Any], end_s: float) -> None:
    while time.perf_counter() < end_s:
        await one()


def backend_of(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'tokenok-journal' "
            "AND datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0])


def bench_journal(database_url: str, seconds: float) -> None:
    import uvloop  # noqa: PLC0415  # not on every platform

    print("Loop's thread, CPU us per event: batch, queue + answer")
    for size in BATCHES:
        queue_us, answer_us = asyncio.run(measure_loop_side(size))
        print(f"  {size:4}  {queue_us:.2f} + {answer_us:.2f}")
    print("| rate | done/s | events a commit | p50 / p99 ms | writer's thread us/event | server us/event |")
    print("|---|---|---|---|---|---|")
    for rate in (500, 1000, 2000, 4000, 0):
        print(uvloop.run(measure_journal(database_url, rate, seconds * 2)), flush=True)


def bench_read(database_url: str) -> None:
    with PostgresEventStore(database_url) as store:
        source = batches(1000)
        for _ in range(20):
            store.append([event for group in next(source) for event in group])
        for limit in (1000, 5000):
            position = max(0, store.head_position() - 20_000)
            begin_s, cpu_ns, events = time.perf_counter(), time.process_time_ns(), 0
            while page := store.read_log(after_position=position, limit=limit):
                events += len(page)
                position = page[-1].position
            elapsed_s = time.perf_counter() - begin_s
            cpu_us = (time.process_time_ns() - cpu_ns) / 1000 / events
            print(
                f"read_log, pages of {limit}: {events / elapsed_s:.0f} events/s, client {cpu_us:.1f} us/event"
            )


@contextlib.contextmanager
def database(given_url: str) -> Iterator[str]:
    """A database of our own on the given server, or on one that is started for it."""
    with contextlib.ExitStack() as stack:
        if not given_url:
            scratch = Path(stack.enter_context(TemporaryDirectory(prefix="tokenok-bench-")))
            scratch.chmod(0o711)
            given_url = stack.enter_context(EmbeddedServers(scratch / "data")).start_postgres()
        name = f"bench_{os.getpid()}"
        with psycopg.connect(given_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            url = make_conninfo("", **conninfo_to_dict(given_url) | {"dbname": name})
            migrate(url)
            yield url
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "what", nargs="?", default="all", choices=["append", "journal", "read", "all", "worker"]
    )
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--variant", default="tokenok_append", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.what == "worker":
        url = sys.stdin.read()
        result = measure_append(url, arguments.variant, arguments.size, arguments.seconds)
        sys.stdout.buffer.write(msgspec.json.encode(result))
        return
    with database(arguments.database_url) as url:
        if arguments.what in {"append", "all"}:
            bench_append(url, arguments.seconds)
        if arguments.what in {"journal", "all"}:
            bench_journal(url, arguments.seconds)
        if arguments.what in {"read", "all"}:
            bench_read(url)


if __name__ == "__main__":
    main()
