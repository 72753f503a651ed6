"""Exports on the command line."""

import argparse
from pathlib import Path
from typing import Any, Final

from adapters.exporting.folder import new_folder
from application.clock import SystemClock
from application.exporting.ledger import LINES_PER_FILE, LedgerExport, export_ledger
from application.exporting.manifest import Manifest
from bootstrap import open_store, sealed_log
from commandline.outcome import Outcome, add_tool
from domain.topics import REGISTRY
from settings import Settings

_THEN: Final = """\
The same log up to the same position gives the same bytes. `sha256sum -c SHA256SUMS` in the folder checks them;
audit/tokenok_audit.py, one file that needs nothing but Python, audits what they say."""


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


def run_ledger(settings: Settings, values: argparse.Namespace) -> Outcome:
    wanted = LedgerExport(until_position=values.until, lines_per_file=values.lines, compressed=values.gzip)
    with open_store(settings) as store, new_folder(values.out) as folder:
        sealed = sealed_log(settings, log=store, clock=SystemClock())
        manifest = export_ledger(wanted, log=store, folder=folder, registry=REGISTRY, sealed=sealed)
    return Outcome(_summary(manifest) | {"folder": str(values.out)})


def _summary(manifest: Manifest) -> dict[str, object]:
    names = ("events", "first_position", "last_position", "until_position")
    return {name: getattr(manifest, name) for name in names} | {"files": len(manifest.files)}
