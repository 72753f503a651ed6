"""The printer: a child process for each document, in an empty folder, within limits. See `child` for what it may do."""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Final

import msgspec
import structlog

from adapters.documents.child import COMPLAINED, Job
from adapters.documents.fonts import FOLDER
from adapters.documents.limits import LIMITS, PrintLimits
from adapters.documents.markup import markup
from application.documents.page import Page, PrintingFailed

_SAID_BYTES_MAX: Final = 2000
_SECOND_US: Final = 1_000_000

log = structlog.get_logger()


class ChildPrinter:
    """See `application.documents.page.Printer`. Prints one document at a time; a few others wait."""

    def __init__(self, limits: PrintLimits = LIMITS) -> None:
        self._limits = limits
        self._free = threading.Lock()
        self._places = threading.Semaphore(limits.waiting)

    def print_pdf(self, page: Page) -> bytes:
        if not self._places.acquire(blocking=False):
            raise PrintingFailed("too many documents wait to be printed: try again")
        try:
            return self._print(page)
        finally:
            self._places.release()

    def _print(self, page: Page) -> bytes:
        self._check(page)
        job = Job(
            html=markup(page),
            title=f"{page.title} {page.number}",
            author=page.author,
            fonts=str(FOLDER),
            memory_bytes=self._limits.memory_bytes,
            cpu_s=self._limits.cpu_s,
            output_bytes=self._limits.output_bytes,
        )
        with self._free, tempfile.TemporaryDirectory(prefix="tokenok-print-") as folder:
            return self._run(job, Path(folder), created_s=page.created_us // _SECOND_US)

    def _check(self, page: Page) -> None:
        if sum(len(table.rows) for table in page.tables) > self._limits.rows:
            raise PrintingFailed(f"a document has at most {self._limits.rows} rows")
        if len(msgspec.json.encode(page)) > self._limits.chars:
            raise PrintingFailed("a document has too much text")

    def _run(self, job: Job, folder: Path, *, created_s: int) -> bytes:
        empty = folder / "empty"
        empty.mkdir()
        with (folder / "pdf").open("w+b") as pdf, (folder / "said").open("w+b") as said:
            # Of the parent's environment, where secrets may be, nothing.
            child = subprocess.Popen(  # our own module
                [sys.executable, "-P", "-s", "-m", "adapters.documents.child"],
                stdin=subprocess.PIPE,
                stdout=pdf,
                stderr=said,
                cwd=empty,
                env={
                    "PYTHONHASHSEED": "0",
                    "SOURCE_DATE_EPOCH": str(created_s),
                    "TMPDIR": str(empty),
                    "TZ": "UTC",
                    "LC_ALL": "C.UTF-8",
                },
            )
            try:
                child.communicate(msgspec.json.encode(job), timeout=self._limits.wall_s)
            except (subprocess.TimeoutExpired, BrokenPipeError):
                raise PrintingFailed("printing took too long, or broke off") from None
            finally:
                child.kill()
                child.wait()
            return self._taken(child.returncode, pdf, said)

    def _taken(self, status: int, pdf: IO[bytes], said: IO[bytes]) -> bytes:
        pdf.seek(0)
        if status == 0:
            printed = pdf.read(self._limits.output_bytes + 1)
            if printed.startswith(b"%PDF-") and len(printed) <= self._limits.output_bytes:
                return printed
        said.seek(0)
        words = said.read(_SAID_BYTES_MAX).decode(errors="replace") if status == COMPLAINED else ""
        # What the renderer says may quote the document, so it is for the caller and not for the log.
        log.warning("printing_failed", status=status, complained=status == COMPLAINED)
        raise PrintingFailed(
            f"the printer complained: {words}" if words else f"the printer ended with {status}"
        )
