"""The part of the worker that does long work of operators: rebuilds, and exports into `EXPORTS_DIR` for the console to hand out."""

import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from adapters.eventstore.store import PostgresEventStore
from adapters.exporting.folder import new_file, new_folder, new_path
from adapters.jobs.rounds import Rounds
from adapters.work_runs import PostgresRuns
from application.clock import SystemClock, SystemIds
from application.eventlog import RecordedEvent
from application.exporting.charges import COLUMNS, ChargeFilter, charge_rows
from application.exporting.csv_text import write_csv
from application.exporting.journal import transactions
from application.exporting.journal_text import beancount, hledger
from application.exporting.ledger import LedgerExport, export_ledger
from application.exporting.ports import ExportRefused
from application.exporting.reading import events_until
from application.reports.period import month
from application.work.files import KEPT_S, suffix_of
from application.work.queries import WorkRow
from application.work.workshop import Perform, Tell, Workshop
from bootstrap import open_pool, open_store, sealed_log
from domain.ledger.postings import load_rules
from domain.topics import REGISTRY
from domain.work import WorkKind
from projections.pool import projection_pool
from projections.registry import all_projections
from projections.service import ProjectionService
from projections.work import WorkReader
from settings import Settings

_NAME: Final = "tokenok-workshop"  # of its database connections
_LOOK_S: Final = 1.0
_STOP_S: Final = 10.0
_JOURNALS: Final = {"beancount": beancount, "hledger": hledger}
_ZIP_DATE: Final = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the first that a ZIP file can have: the same export gives the same bytes


class Works:
    """A context manager: it works until it is left. What is under way then is begun anew by whichever worker is there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._stack = ExitStack()
        self._rounds: Rounds | None = None

    def __enter__(self) -> Self:
        settings, clock = self._settings, SystemClock()
        store = self._stack.enter_context(open_store(settings, connections_max=2, application_name=_NAME))
        pool = self._stack.enter_context(open_pool(settings, size_max=3))
        folder = Path(settings.exports_dir) if settings.exports_dir else None
        exports = Exports(folder, settings, store)
        performers: dict[WorkKind, Perform] = {
            "rebuild": Rebuilds(settings, store).perform,
            "ledger": exports.ledger,
            "charges": exports.charges,
            "journal": exports.journal,
        }
        workshop = Workshop(
            worker_id=SystemIds().new(),
            works=WorkReader(pool),
            runs=PostgresRuns(pool),
            store=store,
            clock=clock,
            performers=performers,
            stop=self._stop,
        )

        def do_due() -> int:
            clear(folder, now_s=clock.now_us() // 1_000_000)
            return workshop.round()

        self._rounds = Rounds("work", do_due, every_s=_LOOK_S, stop=self._stop)
        self._rounds.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._rounds is not None:
            self._rounds.join(_STOP_S)
        self._stack.close()


class Rebuilds:
    """Read models, beside those in use."""

    def __init__(self, settings: Settings, store: PostgresEventStore) -> None:
        self._settings, self._store = settings, store

    def perform(self, row: WorkRow, tell: Tell) -> dict[str, int]:
        """Raises: UnknownProjection, RebuildRunning."""
        projections = all_projections()
        whole = self._store.head_position()
        with projection_pool(
            self._settings.database_url, size_max=len(projections) + 1, application_name=_NAME
        ) as pool:
            service = ProjectionService(
                pool=pool,
                store=self._store,
                registry=REGISTRY,
                projections=projections,
                clock=SystemClock(),
            )
            if row.target:
                hashes = [service.rebuild(row.target, lambda done: tell(done, whole))]
            else:
                hashes = [*service.rebuild_all(lambda done: tell(done, whole)).values()]
        return {"rows": sum(one.rows for one in hashes), "position": min(one.position for one in hashes)}


class Exports:
    """Files of what the log says up to its end when they are begun, each in its place at its end only."""

    def __init__(self, folder: Path | None, settings: Settings, store: PostgresEventStore) -> None:
        """`folder` None: there are no exports."""
        self._folder, self._settings, self._store = folder, settings, store

    def ledger(self, row: WorkRow, tell: Tell) -> dict[str, int]:
        """One ZIP of what `tokenok export ledger` writes; its parts are compressed already."""
        parts = self._place(row).with_suffix("")
        try:
            with new_folder(parts) as folder:
                manifest = export_ledger(
                    LedgerExport(compressed=True),
                    log=_Told(self._store, tell),
                    folder=folder,
                    registry=REGISTRY,
                    sealed=sealed_log(self._settings, log=self._store, clock=SystemClock()),
                )
            with new_path(self._place(row)) as path:
                _zip(parts, path)
        finally:
            shutil.rmtree(parts, ignore_errors=True)
        return self._figures(row, events=manifest.events, position=manifest.until_position)

    def charges(self, row: WorkRow, tell: Tell) -> dict[str, int]:
        """As CSV."""
        wanted = ChargeFilter()
        if row.target:
            asked = month(row.target, zone="UTC")
            wanted = ChargeFilter(from_us=asked.from_us, until_us=asked.until_us)
        end = self._store.head_position()
        with new_file(self._place(row)) as file:
            rows = write_csv(file, COLUMNS, charge_rows(self._events(end, tell), REGISTRY, wanted))
        return self._figures(row, rows=rows, position=end)

    def journal(self, row: WorkRow, tell: Tell) -> dict[str, int]:
        """For plain-text accounting."""
        end = self._store.head_position()
        found = list(transactions(self._events(end, tell), REGISTRY, load_rules()))
        with new_file(self._place(row)) as file:
            for piece in _JOURNALS[row.target](found):
                file.write(piece.encode())
        return self._figures(row, transactions=len(found), position=end)

    def _events(self, end: int, tell: Tell) -> Iterator[RecordedEvent]:
        return events_until(_Told(self._store, tell, whole=end), end)

    def _place(self, row: WorkRow) -> Path:
        """Where the file is to be; what an earlier try has left there is gone.

        Raises:
            ExportRefused: there are no exports here.
        """
        if self._folder is None:
            raise ExportRefused("EXPORTS_DIR is not set")
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{row.work_id}.{suffix_of(row)}"

    def _figures(self, row: WorkRow, **figures: int) -> dict[str, int]:
        return figures | {"bytes": self._place(row).stat().st_size}


def clear(folder: Path | None, *, now_s: int) -> None:
    """Remove what was kept long enough."""
    if folder is None or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_file() and now_s - path.stat().st_mtime > KEPT_S:
            path.unlink(missing_ok=True)


class _Told:
    """A log whose reader is followed."""

    def __init__(self, log: PostgresEventStore, tell: Tell, *, whole: int | None = None) -> None:
        self._log, self._tell = log, tell
        self._whole = log.head_position() if whole is None else whole

    def head_position(self) -> int:
        return self._log.head_position()

    def read_log(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        self._tell(after_position, self._whole)
        return self._log.read_log(after_position=after_position, limit=limit)


def _zip(folder: Path, place: Path) -> None:
    with zipfile.ZipFile(place, "x", zipfile.ZIP_STORED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _ZIP_DATE)
            name.external_attr = 0o640 << 16
            with path.open("rb") as source, packed.open(name, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
