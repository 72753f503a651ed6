"""The process that prints one document: `python -m adapters.documents.child`, a `Job` on standard input, PDF on standard output.

It limits itself before it reads anything, and from then on opens no file but fonts and the interpreter's own, no
connection and no process. Any complaint of the renderer is an error: it would mean a page that is not what was asked for.
"""

import io
import itertools
import logging
import mimetypes
import os
import resource
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

COMPLAINED: Final = 3  #: the exit status; the complaints are on standard error
_FORBIDDEN: Final = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "ctypes.dlopen",
)
_BASE: Final = "Base"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to print, and within which limits."""

    html: str
    title: str
    author: str
    fonts: str
    memory_bytes: int
    cpu_s: int
    output_bytes: int


class Complaints(logging.Handler):
    """Keeps what the renderer says."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name}: {record.getMessage()}")


def limit(job: Job) -> None:
    """Set the limits of this process; they cannot be raised again."""
    bounds = {
        resource.RLIMIT_CPU: job.cpu_s,
        resource.RLIMIT_FSIZE: job.output_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 64,
    }
    if sys.platform != "darwin":  # which refuses it
        bounds[resource.RLIMIT_AS] = job.memory_bytes
    for kind, value in bounds.items():
        resource.setrlimit(kind, (value, value))
    os.nice(10)


def confine(fonts: Path) -> None:
    """From here on, files outside of the interpreter's and the fonts' folders, connections and processes are errors."""
    roots = tuple(str(Path(one).resolve()) for one in (sys.prefix, sys.base_prefix, fonts, Path.cwd()))

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if path != os.devnull and not any(
                path == root or path.startswith(root + os.sep) for root in roots
            ):
                raise PermissionError(f"a document may not open {path}")
        elif event.startswith(_FORBIDDEN):
            raise PermissionError(f"a document may not do {event}")

    sys.addaudithook(watch)


def print_pdf(job: Job) -> tuple[bytes, list[str]]:
    """The document, and what the renderer complained about."""
    # Imported here, within the limits; and the renderer last, since it takes over which font is the basic one. That one begins
    # pages and tables, used or not, and the built-in ones are not embedded.
    from reportlab import rl_config  # noqa: PLC0415
    from reportlab.lib.fonts import addMapping  # noqa: PLC0415
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    fonts, complaints, out = Path(job.fonts), Complaints(), io.BytesIO()
    logging.getLogger().addHandler(complaints)
    mimetypes.init(files=())  # nothing of what this machine says about types of files
    confine(fonts)
    pdfmetrics.registerFont(TTFont(_BASE, str(fonts / "NotoSans-Regular.ttf")))
    for bold, italic in itertools.product((1, 0), repeat=2):  # the last is what it is taken for
        addMapping(_BASE, bold, italic, _BASE)
    rl_config.canvas_basefontname = _BASE

    from xhtml2pdf import pisa  # noqa: PLC0415
    from xhtml2pdf.config.resources import ResourceAccessPolicy  # noqa: PLC0415
    from xhtml2pdf.default import DEFAULT_CSS  # noqa: PLC0415

    done = pisa.CreatePDF(
        job.html,
        dest=out,
        default_css=DEFAULT_CSS.replace("Helvetica", "NotoSans"),
        context_meta={"title": job.title, "author": job.author},
        # Its own limit of time is of the wall; ours is of CPU.
        resource_policy=ResourceAccessPolicy.server(
            None, allow_remote=False, extra_roots=(fonts,), max_render_seconds=None
        ),
    )
    said = [*complaints.said, *(f"{kind} in line {line}: {text}" for kind, line, text, _ in done.log)]
    if done.err or done.warn:
        said.append(f"{done.err} errors, {done.warn} warnings")
    return out.getvalue(), said


def main() -> int:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    limit(job)
    pdf, complaints = print_pdf(job)
    if complaints:
        sys.stderr.write("\n".join(complaints[:20]) + "\n")
        return COMPLAINED
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
