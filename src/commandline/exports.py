"""Exports on the command line."""

import argparse
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from adapters.exporting.folder import new_file, new_folder, new_path
from application.clock import SystemClock
from application.exporting.charges import COLUMNS, TEXTS, ChargeFilter, Row, charge_rows
from application.exporting.csv_text import write_csv
from application.exporting.journal import transactions
from application.exporting.journal_text import beancount, hledger
from application.exporting.ledger import LINES_PER_FILE, LedgerExport, export_ledger
from application.exporting.manifest import Manifest
from application.exporting.reading import end_of, events_until
from application.reports.period import month
from bootstrap import open_store, sealed_log
from commandline.outcome import Outcome, add_tool
from commandline.parser import BadArgument
from domain.ledger.postings import load_rules
from domain.topics import REGISTRY
from settings import Settings

_THEN: Final = """\
The same log up to the same position gives the same bytes. `sha256sum -c SHA256SUMS` in the folder checks them;
audit/tokenok_audit.py, one file that needs nothing but Python, audits what they say."""


_JOURNALS: Final = {"beancount": beancount, "hledger": hledger}


def add_exports(verbs: Any) -> None:
    """Parsers of what leaves the system as files."""
    ledger = add_tool(verbs, "ledger", run_ledger, "every event with the posting rules, for auditors")
    ledger.epilog = _THEN
    ledger.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="a folder that is not there yet"
    )
    ledger.add_argument(
        "--until", type=int, metavar="POSITION", help="the last position; the end of the log if left out"
    )
    ledger.add_argument("--gzip", action="store_true", help="compress the lines")
    ledger.add_argument(
        "--lines", type=int, default=LINES_PER_FILE, metavar="NUMBER", help="events in a file (%(default)s)"
    )
    charges = add_tool(verbs, "charges", run_charges, "what each request cost, for spreadsheets")
    charges.add_argument("--format", choices=("csv", "parquet"), default="csv", help="(%(default)s)")
    charges.add_argument("--account-id", type=UUID, metavar="UUID", help="of this account")
    charges.add_argument("--month", metavar="YYYY-MM", help="recorded in this month")
    charges.add_argument("--zone", default="UTC", metavar="NAME", help="whose month it is (%(default)s)")
    journal = add_tool(verbs, "journal", run_journal, "the books for plain-text accounting")
    journal.add_argument("--format", choices=sorted(_JOURNALS), default="beancount", help="(%(default)s)")
    for one in (charges, journal):
        one.add_argument(
            "--out", type=Path, required=True, metavar="FILE", help="a file that is not there yet"
        )
        one.add_argument(
            "--until", type=int, metavar="POSITION", help="the last position; the end of the log if left out"
        )


def run_ledger(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = LedgerExport(until_position=values.until, lines_per_file=values.lines, compressed=values.gzip)
    with open_store(settings) as store, new_folder(values.out) as folder:
        sealed = sealed_log(settings, log=store, clock=SystemClock())
        manifest = export_ledger(wanted, log=store, folder=folder, registry=REGISTRY, sealed=sealed)
    return Outcome(_summary(manifest) | {"folder": str(values.out)})


def run_charges(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = ChargeFilter(account_id=values.account_id)
    if values.month is not None:
        asked = month(values.month, zone=values.zone)
        wanted = ChargeFilter(account_id=values.account_id, from_us=asked.from_us, until_us=asked.until_us)
    write = _write_csv if values.format == "csv" else _parquet_writer()
    with open_store(settings) as store:
        events = events_until(store, end_of(store, values.until))
        rows = write(values.out, charge_rows(events, REGISTRY, wanted))
    return Outcome({"rows": rows, "file": str(values.out)})


def _write_csv(place: Path, rows: Iterator[Row]) -> int:
    with new_file(place) as file:
        return write_csv(file, COLUMNS, rows)


def _parquet_writer() -> Callable[[Path, Iterator[Row]], int]:
    """Loaded when it is asked for: an installation without the extra has all the other commands."""
    try:
        parquet = import_module("adapters.exporting.parquet")
    except ModuleNotFoundError:
        raise BadArgument("--format parquet needs pyarrow: install tokenok[parquet]") from None

    def write(place: Path, rows: Iterator[Row]) -> int:
        with new_path(place) as path:
            count: int = parquet.write_parquet(path, COLUMNS, TEXTS, rows)
            return count

    return write


def run_journal(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store, new_file(values.out) as file:
        events = events_until(store, end_of(store, values.until))
        found = list(transactions(events, REGISTRY, load_rules()))
        for piece in _JOURNALS[values.format](found):
            file.write(piece.encode())
    return Outcome({"transactions": len(found), "file": str(values.out)})


def _summary(manifest: Manifest) -> dict[str, object]:
    names = ("events", "first_position", "last_position", "until_position")
    return {name: getattr(manifest, name) for name in names} | {"files": len(manifest.files)}
