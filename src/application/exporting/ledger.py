"""The export for auditors: every event as its canonical line, with what a replayer needs to read them alone."""

import hashlib

import msgspec

from application.exporting.lines import LineFiles
from application.exporting.manifest import MANIFEST, Manifest, RulesFile
from application.exporting.ports import ExportFolder, ExportRefused
from application.exporting.reading import BATCH_EVENTS, end_of, events_until
from application.exporting.seal import Seal
from application.projections import ReadableLog
from application.sealing.reading import SealedLog
from domain.event import TopicRegistry
from domain.ledger.postings import CURRENT_RULES, rules_file

LINES_PER_FILE = 131_072
"""A power of two, so that each full file is one subtree of the sealed tree."""


class LedgerExport(msgspec.Struct, frozen=True, kw_only=True):
    """What to export: all up to a position (none means what is the end now), in files of so many lines."""

    until_position: int | None = None
    lines_per_file: int = LINES_PER_FILE
    compressed: bool = False
    batch_events: int = BATCH_EVENTS  #: read at once; changes no byte of the export


def export_ledger(
    wanted: LedgerExport,
    *,
    log: ReadableLog,
    folder: ExportFolder,
    registry: TopicRegistry,
    sealed: SealedLog | None = None,
) -> Manifest:
    """Write the export. Blocking, for minutes if the log is long; others may go on writing to the log.

    Raises:
        ExportRefused: the log does not reach so far, or a number makes no sense.
        LogUnavailable: the log cannot be read to the end.
        SealBroken: the log's seal is damaged; an export of it would prove nothing.
    """
    if wanted.lines_per_file < 1:
        raise ExportRefused("a file has at least one line")
    seal = Seal(sealed)
    end_position = end_of(log, wanted.until_position)
    files = LineFiles(folder, lines_per_file=wanted.lines_per_file, compressed=wanted.compressed)
    written = tuple(files.write(events_until(log, end_position, batch_events=wanted.batch_events)))
    manifest = Manifest(
        until_position=end_position,
        events=sum(file.events for file in written),
        first_position=written[0].first_position if written else 0,
        last_position=written[-1].last_position if written else 0,
        lines_per_file=wanted.lines_per_file,
        files=written,
        posting_rules=_write_rules(folder),
        topics=tuple(sorted(registry.topics())),
    )
    _write(folder, MANIFEST, manifest.encoded())
    seal.write(folder, events=manifest.events)
    return manifest


def _write_rules(folder: ExportFolder) -> RulesFile:
    name, content = f"posting-rules-{CURRENT_RULES}.json", rules_file(CURRENT_RULES)
    _write(folder, name, content)
    return RulesFile(name=name, version=CURRENT_RULES, sha256=hashlib.sha256(content).hexdigest())


def _write(folder: ExportFolder, name: str, data: bytes) -> None:
    with folder.create(name) as file:
        file.write(data)
