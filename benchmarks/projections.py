"""What read models cost: lag and CPU under steady load, the speed of a rebuild, and of `ledger verify`.

    python -m benchmarks.projections steady --rate 1000 --seconds 20
    python -m benchmarks.projections bulk --requests 200000

Uses `DATABASE_URL` and `REDIS_URL` if they are set (a database is made and dropped there), else embedded servers.
CPU is that of the worker's process and of the Postgres backends that serve it, so also of what they do for it in
the background of nothing else; other processes of the machine are not counted.
"""

import argparse
import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.embedded import EmbeddedServers
from adapters.eventstore.migrations import migrate
from adapters.eventstore.store import PostgresEventStore
from application.clock import SystemClock
from application.eventlog import NewEvent
from application.verify import render_text, verify
from domain.event import encode
from domain.ids import stream_of, uuid7
from domain.ledger import credit, leasing, lending
from domain.ledger import lease as lease_rules
from domain.ledger import wallet as wallet_rules
from domain.ledger.events import Attempt, LeaseEvent, Owner, Units, WalletEvent
from domain.ledger.lease import Answer, Lease
from domain.ledger.wallet import Wallet
from domain.topics import REGISTRY
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.service import ProjectionService
from projections.snapshot import ReadModelReader

CREDIT = 10**9
ACCOUNTS = 50
REQUEST_S = 1.0
TICK_S = 0.01
SAMPLE_S = 0.02
_DEPLOYMENT, _KEY = uuid7(), uuid7()
_HERTZ = os.sysconf("SC_CLK_TCK")


class Traffic:
    """Lawful events of many requests on a few accounts, each account with one lease."""

    def __init__(self) -> None:
        self.opening: list[NewEvent] = []
        self._leases = [self._open() for _ in range(ACCOUNTS)]
        self._open_requests: deque[tuple[Lease, UUID]] = deque()
        self._turn = 0

    def admit(self) -> NewEvent:
        lease = self._leases[self._turn % ACCOUNTS]
        self._turn += 1
        request_id = uuid7()
        self._open_requests.append((lease, request_id))
        return self._record(
            lease,
            lease_rules.admit(
                lease,
                request_id=request_id,
                key_id=_KEY,
                alias="demo/large",
                stream=True,
                hold_nano=CREDIT // 100,
                price_version=1,
                client_ref=None,
                now_us=_now_us(),
            ),
        )

    def charge(self) -> NewEvent:
        lease, request_id = self._open_requests.popleft()
        attempt = Attempt(
            deployment_id=_DEPLOYMENT,
            provider="sandbox",
            model="large-2026",
            status=200,
            outcome="ok",
            started_us=_now_us(),
            duration_ms=950,
            upstream_request_id="req_0123456789abcdef",
        )
        answer = Answer(
            key_id=_KEY,
            alias="demo/large",
            price_version=1,
            units=Units(input=812, cached_input=100, output=344),
            usage_source="provider",
            usage_raw='{"prompt_tokens":912,"completion_tokens":344,"total_tokens":1256}',
            result="completed",
            provider="sandbox",
            deployment_id=_DEPLOYMENT,
            attempts=(attempt,),
            first_byte_ms=120,
            total_ms=1000,
        )
        return self._record(
            lease,
            lease_rules.charge(
                lease, request_id=request_id, rated_nano=CREDIT // 200, answer=answer, now_us=_now_us()
            ),
        )

    def _open(self) -> Lease:
        account_id, lease, wallet, owner = uuid7(), Lease(uuid7()), Wallet(), Owner(uuid7(), 1)
        amount_nano = 10**9 * CREDIT
        granted = credit.grant_credit(
            wallet,
            account_id=account_id,
            lot_id=uuid7(),
            amount_nano=amount_nano,
            source="paid",
            reason="benchmark",
            granted_by="system",
            now_us=_now_us(),
        )
        self._fold_wallet(account_id, wallet, granted)
        lent = lending.grant_lease(
            wallet,
            account_id=account_id,
            lease_id=lease.lease_id,
            owner=owner,
            mode="bulk",
            amount_nano=amount_nano,
            now_us=_now_us(),
        )
        self._fold_wallet(account_id, wallet, lent)
        opened = leasing.open_lease(
            lease,
            account_id=account_id,
            owner=owner,
            amount_nano=amount_nano,
            valid_ms=10_000,
            now_us=_now_us(),
        )
        self.opening.append(self._record(lease, opened))
        return lease

    def _fold_wallet(self, account_id: UUID, wallet: Wallet, events: list[WalletEvent]) -> None:
        for event in events:
            wallet_rules.evolve(wallet, event)
            self.opening.append(
                NewEvent(stream_of(account_id, "wallet"), wallet.version, event.TOPIC, encode(event))
            )

    def _record(self, lease: Lease, events: list[LeaseEvent]) -> NewEvent:
        (event,) = events
        lease_rules.evolve(lease, event)
        return NewEvent(lease.lease_id, lease.version, event.TOPIC, encode(event))


def _now_us() -> int:
    return time.time_ns() // 1_000


@contextlib.contextmanager
def servers() -> Iterator[tuple[str, str]]:
    """Addresses of a fresh, migrated database and of a Redis."""
    with contextlib.ExitStack() as stack:
        database_url, redis_url = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
        if not (database_url and redis_url):
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenok-bench-")))
            scratch.chmod(0o711)
            embedded = stack.enter_context(EmbeddedServers(scratch / "data"))
            database_url = database_url or embedded.start_postgres()
            redis_url = redis_url or embedded.start_valkey()
        name = f"bench_{secrets.token_hex(6)}"
        server = stack.enter_context(psycopg.connect(database_url, autocommit=True))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        stack.callback(server.execute, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        url = make_conninfo("", **conninfo_to_dict(database_url) | {"dbname": name})
        migrate(url)
        yield url, redis_url


@contextlib.contextmanager
def service(url: str) -> Iterator[ProjectionService]:
    connections = len(all_projections()) + 1
    with projection_pool(url, size_max=connections) as pool, PostgresEventStore(url) as store:
        found = ProjectionService(
            pool=pool, store=store, registry=REGISTRY, projections=all_projections(), clock=SystemClock()
        )
        found.install()
        yield found


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


def _backends(connection: psycopg.Connection) -> dict[str, float]:
    """CPU seconds of the worker's backends, by application name."""
    found: dict[str, float] = {}
    rows = connection.execute(
        "SELECT application_name, pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'tokenok-worker'"
    )
    for name, pid in rows:
        found[name] = found.get(name, 0.0) + _cpu_s(pid)
    return found


def feed(url: str, traffic: Traffic, *, rate: int, seconds: float) -> int:
    """Append admissions and, a second later, charges, in small groups as a journal would; returns the events."""
    waiting: deque[float] = deque()
    begun_s = time.monotonic()
    admitted = events = 0
    with PostgresEventStore(url) as store:
        store.append(traffic.opening)
        while (now_s := time.monotonic() - begun_s) < seconds + REQUEST_S:
            group = []
            while admitted < min(now_s, seconds) * rate:
                group.append(traffic.admit())
                waiting.append(now_s + REQUEST_S)
                admitted += 1
            while waiting and waiting[0] <= now_s:
                waiting.popleft()
                group.append(traffic.charge())
            if group:
                store.append(group)
                events += len(group)
            time.sleep(TICK_S)
    return events


def sample_lag(url: str, stop: threading.Event, lags_ms: dict[str, list[float]]) -> None:
    """How old the oldest event is that each read model has not taken, again and again."""
    with psycopg.connect(url, autocommit=True) as connection:
        while not stop.wait(SAMPLE_S):
            rows = connection.execute(
                "SELECT p.name, (SELECT extract(epoch FROM clock_timestamp() - e.recorded_at) * 1000 "
                "FROM stored_events e WHERE e.notification_id > p.position ORDER BY e.notification_id LIMIT 1) "
                "FROM projections p"
            )
            for name, lag_ms in rows:
                lags_ms.setdefault(name, []).append(float(lag_ms or 0.0))


def steady(rate: int, seconds: float) -> None:
    with servers() as (url, redis_url), service(url):
        environment = os.environ | {"DATABASE_URL": url, "REDIS_URL": redis_url}
        worker = subprocess.Popen(
            [sys.executable, "-m", "worker"], env=environment, cwd=Path(__file__).parents[1] / "src"
        )
        traffic, stop = Traffic(), threading.Event()
        lags_ms: dict[str, list[float]] = {}
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                feed(url, traffic, rate=rate, seconds=2)  # warm up
                before, before_pg = _cpu_s(worker.pid), _backends(connection)
                sampler = threading.Thread(target=sample_lag, args=(url, stop, lags_ms))
                sampler.start()
                traffic.opening.clear()
                traffic = Traffic()
                events = feed(url, traffic, rate=rate, seconds=seconds)
                stop.set()
                sampler.join()
                assert worker.poll() is None, "the worker ended"
                time.sleep(1)
                worker_s = _cpu_s(worker.pid) - before
                after_pg = _backends(connection)
        finally:
            worker.terminate()
            worker.wait()
    postgres_s = {name: after_pg[name] - before_pg.get(name, 0.0) for name in after_pg}
    total_s = worker_s + sum(postgres_s.values())
    print(f"{events} events at {rate} requests/s for {seconds} s")
    for name, found in lags_ms.items():
        found.sort()
        p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
        print(f"  lag of {name}: p50 {p50:.0f} ms, p99 {p99:.0f} ms, worst {found[-1]:.0f} ms")
    print(f"  worker {worker_s / events * 1e6:.1f} us/event")
    for name, used_s in postgres_s.items():
        print(f"  Postgres for {name} {used_s / events * 1e6:.1f} us/event")
    print(f"  together {total_s / events * 1e6:.1f} us/event, {2 * total_s / events * 1e6:.1f} us/request")


def bulk(requests: int) -> None:
    with servers() as (url, _), service(url) as projections, PostgresEventStore(url) as store:
        traffic = Traffic()
        store.append(traffic.opening)
        for _ in range(requests // 1_000):
            store.append([traffic.admit() for _ in range(1_000)])
            store.append([traffic.charge() for _ in range(1_000)])
        events = store.head_position()
        for name in projections.names():
            begun_s, begun_cpu_s = time.monotonic(), time.process_time()
            found = projections.rebuild(name)
            took_s, cpu_s = time.monotonic() - begun_s, time.process_time() - begun_cpu_s
            print(
                f"rebuild of {name}: {events} events in {took_s:.1f} s, {events / took_s:.0f}/s, "
                f"{cpu_s / events * 1e6:.1f} us/event here; {found.rows} rows"
            )
        with projection_pool(url, size_max=1) as pool:
            report = verify(store, REGISTRY, ReadModelReader(pool))
            print(render_text(report), end="")
            print(f"verify: {events / report.figures.took_s:.0f} events/s with the read models")
        report = verify(store, REGISTRY)
        print(f"verify: {events / report.figures.took_s:.0f} events/s without")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    modes = parser.add_subparsers(dest="mode", required=True)
    steadily = modes.add_parser("steady")
    steadily.add_argument("--rate", type=int, default=1_000)
    steadily.add_argument("--seconds", type=float, default=20)
    modes.add_parser("bulk").add_argument("--requests", type=int, default=100_000)
    asked = parser.parse_args()
    if asked.mode == "steady":
        steady(asked.rate, asked.seconds)
    else:
        bulk(asked.requests)


if __name__ == "__main__":
    main()
