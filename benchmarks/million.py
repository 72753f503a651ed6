"""What a ledger of a million requests takes: every read model, a rebuild of all, proofs, verification, audit, and the archive.

    python -m benchmarks.million --requests 1000000

Uses `DATABASE_URL` and `REDIS_URL` if they are set, else embedded servers. Each step must come to what the others came to:
rebuilt rows are those that were written event by event, the auditor's trial balance is that of `ledger verify`, a receipt is
checked with public keys alone, and all of it once more when the first month has left the database for the archive.
"""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from benchmarks.projections import servers
from benchmarks.support.ledger_log import PACE_US, Load

from adapters.archive.files import ArchiveDirectory
from adapters.eventstore.catalogue import PostgresArchiveCatalogue
from adapters.eventstore.store import PostgresEventStore
from adapters.exporting.folder import new_folder
from adapters.sealing.book import PostgresCheckpointBook
from adapters.sealing.ed25519 import new_key
from adapters.sealing.ed25519 import verify as verify_signature
from adapters.sealing.files import LocalFiles
from adapters.sealing.keys import parse_seal_keys
from application.archive.detach import detach_parts
from application.archive.verify import verify_archive
from application.archive.write import write_segments
from application.clock import SystemClock
from application.eventlog import NewEvent
from application.exporting.ledger import LedgerExport, export_ledger
from application.projections import ContentHash
from application.receipts.issuing import Receipts
from application.sealing.directory import SealedDirectory
from application.sealing.reading import SealedLog
from application.sealing.sealer import LogSealer
from application.verify import render_text, verify
from domain.receipts.checking import check_receipt
from domain.topics import REGISTRY
from projections.pool import projection_pool
from projections.projection import Pool
from projections.registry import all_projections
from projections.request_log import RequestReader
from projections.runner import Runner
from projections.service import ProjectionService
from projections.snapshot import ReadModelReader
from projections.tail import LogTail

BATCH_EVENTS = 5_000
MONTH_REQUESTS = 30 * 86_400_000_000 // PACE_US
SEGMENT_EVENTS = 1_000_000
AUDITOR = Path(__file__).parents[1] / "audit" / "tokenok_audit.py"

_T = TypeVar("_T")


class Bench:
    """One ledger, and what is done to it, in this order."""

    def __init__(self, url: str, scratch: Path) -> None:
        self._url = url
        self._scratch = scratch
        self._files = ArchiveDirectory(scratch / "archive")
        self._store = PostgresEventStore(url, archive=self._files)
        self._catalogue = PostgresArchiveCatalogue(url)
        self._keys = parse_seal_keys(new_key("example.com/benchmark"))
        self._receipt_keys = parse_seal_keys(new_key("example.com/benchmark/receipts"))
        self._directory = SealedDirectory(LocalFiles(scratch / "seal"))
        self._sealed = SealedLog(
            log=self._store, directory=self._directory, trust=self._keys.trust, clock=SystemClock()
        )
        self.events = 0

    def load(self, requests: int) -> None:
        """Store the log in large batches. The first month, or two thirds of a shorter log, is a part of its own."""
        batch: list[NewEvent] = []
        month = min(MONTH_REQUESTS, requests * 2 // 3)
        closed = False
        load = Load()
        for group in load.groups(requests):
            batch += group
            if len(batch) >= BATCH_EVENTS or (not closed and load.requests == month):
                self._append(batch)
                batch = []
                if not closed and load.requests >= month:
                    self._catalogue.close_part()
                    closed = True
        self._append(batch)

    def _append(self, batch: list[NewEvent]) -> None:
        if batch:
            self._store.append(batch)
            self.events += len(batch)

    def project(self) -> dict[str, ContentHash]:
        """As a worker does it, a read model after the other; hashes of their rows."""
        with self._projections() as (pool, service):
            service.install()
            runner = Runner(
                pool=pool,
                reader=LogTail(self._store),
                registry=REGISTRY,
                projections=all_projections(),
                clock=SystemClock(),
            )
            for name in service.names():
                runner.catch_up(name)
            return {name: service.content_hash(name) for name in service.names()}

    def rebuild(self) -> dict[str, ContentHash]:
        with self._projections() as (_, service):
            return service.rebuild_all()

    @contextmanager
    def _projections(self) -> Iterator[tuple[Pool, ProjectionService]]:
        projections = all_projections()
        with projection_pool(self._url, size_max=len(projections) + 1) as pool:
            yield (
                pool,
                ProjectionService(
                    pool=pool,
                    store=self._store,
                    registry=REGISTRY,
                    projections=projections,
                    clock=SystemClock(),
                ),
            )

    def verify(self) -> str:
        """The hash of the trial balance."""
        with projection_pool(self._url, size_max=1) as pool:
            report = verify(self._store, REGISTRY, ReadModelReader(pool))
        assert report.ok, render_text(report)
        return report.figures.trial_balance_sha256

    def export(self) -> Path:
        place = self._scratch / "export"
        with new_folder(place) as folder:
            export_ledger(LedgerExport(), log=self._store, folder=folder, registry=REGISTRY)
        return place

    def audit(self, place: Path, trial_balance_sha256: str) -> None:
        """With the auditor's own program, which must come to the same trial balance."""
        command = [sys.executable, str(AUDITOR), str(place), "--unsigned"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert trial_balance_sha256 in done.stdout, done.stdout

    def seal(self) -> None:
        assert self._keys.signer is not None
        with projection_pool(self._url, size_max=1) as pool:
            sealer = LogSealer(
                log=self._store,
                directory=self._directory,
                book=PostgresCheckpointBook(pool),
                signer=self._keys.signer,
                trust=self._keys.trust,
            )
            while sealer.run_once():
                pass

    def receipt(self) -> None:
        """Of a request in the middle of the first month, with its proof; checked as its owner would, off line."""
        with projection_pool(self._url, size_max=1) as pool:
            with pool.connection() as connection:
                row = connection.execute(
                    "SELECT request_id FROM request_log WHERE state = 'charged' AND first_position >= %s "
                    "ORDER BY first_position LIMIT 1",
                    [self.events // 4],
                ).fetchone()
            assert row is not None
            receipts = Receipts(
                requests=RequestReader(pool),
                store=self._store,
                sealed=self._sealed,
                signer=self._receipt_keys.signer,
            )
            issued = receipts.issue_to_operator(row[0])
        assert issued.seal == "sealed"
        public = [*self._receipt_keys.public, *self._keys.public]
        verdict = check_receipt(msgspec.json.encode(issued), public, verify_signature)
        assert verdict.log is not None
        assert not verdict.not_checked, verdict

    def archive(self) -> None:
        """The closed month: written, compared with what was sealed, and out of the database."""
        assert list(write_segments(self._store, self._catalogue, self._files, events_max=SEGMENT_EVENTS))
        assert list(detach_parts(self._store, self._catalogue, self._files, sealed=self._sealed, rested_s=0))
        assert self._catalogue.until_position() > self.events // 2

    def verify_archive(self) -> None:
        assert not [one for one in verify_archive(self._catalogue, self._files) if one.wrong]

    def close(self) -> None:
        self._store.close()


def timed(what: str, events: int, work: Callable[[], _T]) -> _T:
    begun_s, begun_cpu_s = time.monotonic(), _cpu_s()
    result = work()
    took_s, cpu_s = time.monotonic() - begun_s, _cpu_s() - begun_cpu_s
    print(f"| {what} | {took_s:.1f} | {cpu_s:.1f} | {events / took_s:,.0f} |", flush=True)
    return result


def _cpu_s() -> float:
    """Of this process and of those that it has waited for; Postgres is not among them."""
    return sum(os.times()[:4])


def run(bench: Bench, requests: int) -> None:
    begun_s = time.monotonic()
    bench.load(requests)
    events = bench.events
    print(f"{requests:,} requests, {events:,} events, stored in {time.monotonic() - begun_s:.0f} s")
    print(f"load average {os.getloadavg()[0]:.1f}\n")
    print("| what | s | CPU s here | events/s |\n|---|---|---|---|")
    written = timed("read models, event by event, one after the other", events, bench.project)
    rebuilt = timed("rebuild of all read models", events, bench.rebuild)
    assert rebuilt == written, "rebuilt rows differ"
    trial_balance = timed("`ledger verify`, read models too", events, bench.verify)
    place = timed("`export ledger`", events, bench.export)
    timed("`tokenok_audit.py`", events, lambda: bench.audit(place, trial_balance))
    timed("sealing", events, bench.seal)
    timed("a receipt with its proof, checked off line", 1, bench.receipt)
    timed("a month into the archive, and out of the database", events, bench.archive)
    timed("`archive verify`", events, bench.verify_archive)
    replayed = timed("rebuild of all read models, the month out of the archive", events, bench.rebuild)
    assert replayed == written, "replayed rows differ"
    timed("a receipt out of the archive, checked off line", 1, bench.receipt)
    size_bytes = sum(path.stat().st_size for path in place.iterdir())
    rows = sum(one.rows for one in written.values())
    print(f"\n{rows:,} rows are equal however they were made; trial balances are equal: {trial_balance}")
    print(f"the export has {size_bytes / 1e9:.2f} GB; load average {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=1_000_000)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    requests = parser.parse_args().requests
    with (
        tempfile.TemporaryDirectory(prefix="tokenok-bench-") as scratch,
        servers() as (url, _),
        closing(Bench(url, Path(scratch))) as bench,
    ):
        run(bench, requests)


if __name__ == "__main__":
    main()
