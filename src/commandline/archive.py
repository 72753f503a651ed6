"""The archive of the log on the command line: close, write, verify, detach, in this order."""

import argparse
from typing import Any, Final

from adapters.eventstore.catalogue import PostgresArchiveCatalogue
from adapters.sealing.book import PostgresCheckpointBook
from application.archive.detach import detach_parts, written_parts
from application.archive.ports import DetachRefused
from application.archive.segment import Manifest, decode_manifest
from application.archive.verify import SegmentFinding, verify_archive
from application.archive.write import unwritten, write_segments
from application.clock import SystemClock
from application.sealing.reading import SealedLog
from bootstrap import archive_of, open_pool, open_store, sealed_log
from commandline.help import sentence
from commandline.outcome import Outcome
from commandline.texts import table
from settings import Settings, require

NOT_CHECKED: Final = 2
_STEPS: Final = """\
close, write, verify, copy the directory to where it is safe, detach. Nothing leaves the database before detach, and it
compares every event with the archive once more."""
_EXIT_CODES: Final = "Exit codes: 0 the archive is in order, 1 it is not, 2 it could not be checked."
_CHANGING: Final = (
    ("close", "close the open part of the log, so that it can be written"),
    ("write", "write the closed parts into segments"),
    ("detach", "let written parts leave the database"),
)


def add_archive(verbs: Any) -> None:
    """Parsers of what makes the database smaller."""
    _add(verbs, "list", run_list, "segments, and parts that are closed")
    for (name, words), tool in zip(_CHANGING, (run_close, run_write, run_detach), strict=True):
        parser = _add(verbs, name, tool, words)
        parser.epilog = _STEPS
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument(
        "--unsealed",
        action="store_true",
        help="where no log is sealed; where one is, only what was signed may leave",
    )
    checking = _add(verbs, "verify", run_verify, "read every segment, and check the chain of them")
    checking.epilog = _EXIT_CODES
    checking.set_defaults(failure_status=NOT_CHECKED)


def run_list(settings: Settings, _values: argparse.Namespace) -> Outcome:
    catalogue = PostgresArchiveCatalogue(settings.database_url)
    segments = [decode_manifest(raw) for raw in catalogue.manifests()]
    until, parts = catalogue.until_position(), catalogue.parts()
    value = {"until_position": until, "segments": segments, "closed_parts": parts}
    rows = [_cells(one, "archive" if one.last_position <= until else "both") for one in segments]
    rows += [
        (part.table, str(part.positions.first), str(part.positions.last), "", "database") for part in parts
    ]
    text = table(("NAME", "FIRST", "LAST", "EVENTS", "READ FROM"), rows)
    return Outcome(value, text=text if rows else "Nothing is closed and nothing is archived.\n")


def run_close(settings: Settings, values: argparse.Namespace) -> Outcome:
    catalogue = PostgresArchiveCatalogue(settings.database_url)
    if values.dry_run:
        with open_store(settings) as store:
            return Outcome({"would_close_until": store.head_position()})
    return Outcome({"closed_until": catalogue.close_part()})


def run_write(settings: Settings, values: argparse.Namespace) -> Outcome:
    require(settings, "archive_dir")
    catalogue = PostgresArchiveCatalogue(settings.database_url)
    if values.dry_run:
        return Outcome({"would_write": unwritten(catalogue)})
    with open_store(settings) as store:
        events_max = settings.archive_segment_events
        return Outcome(
            {"written": list(write_segments(store, catalogue, archive_of(settings), events_max=events_max))}
        )


def run_verify(settings: Settings, _values: argparse.Namespace) -> Outcome:
    require(settings, "archive_dir")
    catalogue = PostgresArchiveCatalogue(settings.database_url)
    findings = list(verify_archive(catalogue, archive_of(settings)))
    return Outcome(findings, int(any(one.wrong for one in findings)), _findings_text(findings))


def run_detach(settings: Settings, values: argparse.Namespace) -> Outcome:
    require(settings, "archive_dir")
    catalogue, files = PostgresArchiveCatalogue(settings.database_url), archive_of(settings)
    if values.dry_run:
        return Outcome({"would_detach": written_parts(catalogue)})
    with open_store(settings) as store:
        sealed = _sealed(settings, sealed_log(settings, log=store, clock=SystemClock()), values)
        parts = detach_parts(store, catalogue, files, sealed=sealed, rested_s=settings.archive_rest_s)
        return Outcome({"detached": list(parts)})


def _sealed(settings: Settings, sealed: SealedLog | None, values: argparse.Namespace) -> SealedLog | None:
    """What was signed; none only where nothing ever was, and the operator says so."""
    if sealed is not None:
        return sealed
    with open_pool(settings, size_max=1) as pool:
        if PostgresCheckpointBook(pool).newest() is not None:
            raise DetachRefused(
                "the log is sealed: set SEAL_DIR and SEAL_KEY, so that the part can be compared with it"
            )
    if not values.unsealed:
        raise DetachRefused(
            "the log is not sealed, so nothing will tell later whether the archive was changed: --unsealed"
        )
    return None


def _cells(manifest: Manifest, where: str) -> tuple[str, ...]:
    first, last = manifest.first_position, manifest.last_position
    return (manifest.file, str(first), str(last), str(manifest.events), where)


def _findings_text(findings: list[SegmentFinding]) -> str:
    wrong = [f"{one.file}: {one.wrong}" for one in findings if one.wrong]
    events = sum(one.events for one in findings)
    return "\n".join(wrong or [f"{len(findings)} segments with {events} events are in order."]) + "\n"


def _add(verbs: Any, name: str, tool: Any, words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=words, description=sentence(words))
    parser.set_defaults(tool=tool)
    return parser
