"""What sealing costs: how fast the sealer catches up with a log, and the CPU that it takes under steady load.

    python -m benchmarks.sealing --events 1000000 --rate 1000 --seconds 20

Uses `DATABASE_URL` if it is set (a database is made and dropped there), else an embedded server.
"""

import argparse
import contextlib
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.embedded import EmbeddedServers
from adapters.eventstore.migrations import migrate
from adapters.eventstore.store import PostgresEventStore
from adapters.sealing.book import PostgresCheckpointBook
from adapters.sealing.ed25519 import new_key
from adapters.sealing.files import LocalFiles
from adapters.sealing.keys import parse_seal_keys
from application.sealing.directory import SealedDirectory
from application.sealing.sealer import LogSealer
from projections.pool import projection_pool

# About as long as what a request charges.
_FILL = """
    INSERT INTO stored_events (originator_id, originator_version, topic, state)
    SELECT gen_random_uuid(), 1, 'lease.usage-charged.v1',
        convert_to('{"request_id":"' || gen_random_uuid() || '","n":' || n || ',"rest":"' || repeat('x', 700) || '"}', 'UTF8')
    FROM generate_series(1, %s) AS n"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with (
        _database() as url,
        tempfile.TemporaryDirectory() as folder,
        PostgresEventStore(url) as store,
        projection_pool(url, size_max=1) as pool,
    ):
        keys = parse_seal_keys(new_key("example.com/benchmark"))
        assert keys.signer is not None
        sealer = LogSealer(
            log=store,
            directory=SealedDirectory(LocalFiles(Path(folder))),
            book=PostgresCheckpointBook(pool),
            signer=keys.signer,
            trust=keys.trust,
        )
        _catch_up(sealer, url, options.events)
        _follow(sealer, url, rate=options.rate, seconds=options.seconds)


def _catch_up(sealer: LogSealer, url: str, events: int) -> None:
    _fill(url, events)
    began, cpu = time.perf_counter(), time.process_time()
    while sealer.run_once():
        pass
    _tell("caught up", events, time.perf_counter() - began, time.process_time() - cpu)


def _follow(sealer: LogSealer, url: str, *, rate: int, seconds: int) -> None:
    """Once a second a second's events, as the sealer sees them; CPU of this process alone."""
    began, cpu = time.perf_counter(), 0.0
    for second in range(seconds):
        _fill(url, rate)
        before = time.process_time()
        while sealer.run_once():
            pass
        cpu += time.process_time() - before
        time.sleep(max(0.0, began + second + 1 - time.perf_counter()))
    _tell("followed", rate * seconds, time.perf_counter() - began, cpu)


def _tell(what: str, events: int, elapsed_s: float, cpu_s: float) -> None:
    print(
        f"{what} {events} events in {elapsed_s:.1f} s, {events / elapsed_s:.0f} events/s, "
        f"CPU of the sealer {cpu_s:.1f} s ({100 * cpu_s / elapsed_s:.1f} % of a core), "
        f"{1e6 * cpu_s / events:.1f} us an event"
    )


def _fill(url: str, events: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(_FILL, (events,))


@contextlib.contextmanager
def _database() -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        server = os.environ.get("DATABASE_URL", "")
        if not server:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenok-bench-"))
            Path(scratch).chmod(0o711)
            server = stack.enter_context(EmbeddedServers(Path(scratch, "data"))).start_postgres()
        name = f"bench_{secrets.token_hex(6)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = make_conninfo("", **conninfo_to_dict(server) | {"dbname": name})
        migrate(url)
        yield url
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


if __name__ == "__main__":
    main()
