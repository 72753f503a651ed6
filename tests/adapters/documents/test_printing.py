"""Printing in a real child process."""

import socket
from pathlib import Path

import msgspec
import pytest

from adapters.documents import markup as markup_module
from adapters.documents.limits import PrintLimits
from adapters.documents.printing import ChildPrinter
from application.documents.page import PrintingFailed
from application.i18n.locales import LOCALES, Locale
from tests.adapters.documents.pages import FOUR_SCRIPTS, WORDS, Printed, page, with_title

HOSTILE = (
    '<img src="file:///etc/passwd"> <pdf:include src="/etc/passwd"/> </p></td></table><script>1</script>'
    '<td colspan="100000000"> <style>@page{size:1mm}</style> &lt; {{ 7*7 }} =cmd|calc!A1 \u202eevil\u202c \x1b[2J'
)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_document_has_its_words_and_embeds_every_font(locale: Locale) -> None:
    """In each language, with a name of four scripts on one line; and the same page gives the same bytes."""
    first = ChildPrinter().print_pdf(page(locale))
    printed = Printed(first)
    assert FOUR_SCRIPTS in printed.text
    assert all(word in printed.text for word in WORDS[locale])
    fonts = printed.fonts()
    assert fonts
    assert all(fonts.values()), fonts
    if locale in {"en", "ja"}:
        assert ChildPrinter().print_pdf(page(locale)) == first


def test_what_callers_write_stays_text() -> None:
    """Markup, paths, styles, formulas, templates and turning characters come out as they were typed, or not at all."""
    printed = Printed(ChildPrinter().print_pdf(page(name=HOSTILE, line=HOSTILE)))
    said = printed.text.replace("\n", "")
    for typed in (
        '<img src="file:///etc/passwd">',
        '<td colspan="100000000">',
        "@page{size:1mm}",
        "&lt;",
        "{{ 7*7 }}",
        "=cmd",
    ):
        assert typed in said
    assert "root:" not in said
    assert not {"\u202e", "\u202c", "\x1b"} & set(printed.text)


def test_a_character_that_no_font_has_is_a_box() -> None:
    """Rather than a document that cannot be made, or one that hides it."""
    assert "Anna □□□□ B" in Printed(ChildPrinter().print_pdf(page(name="Anna שלום B"))).text


def test_a_flood_is_refused_and_not_queued() -> None:
    """Who asks for too many documents at once waits for none of them, and nobody else's threads are used up."""
    with pytest.raises(PrintingFailed, match="too many"):
        ChildPrinter(PrintLimits(waiting=0)).print_pdf(page())
    one = ChildPrinter(PrintLimits(waiting=1, rows=0))
    for _ in range(3):  # a place is free again, whatever became of who had it
        with pytest.raises(PrintingFailed, match="rows"):
            one.print_pdf(page(rows=1))


def test_long_words_and_long_tables_stay_on_the_page() -> None:
    """Every row is there, once, with the head of the table on each page; long words are broken."""
    printed = Printed(ChildPrinter().print_pdf(page(name="x" * 300, rows=130)))
    assert printed.pages > 2
    assert printed.text.replace("\n", "").count("x" * 300) == 1
    for number in (0, 39, 40, 129):
        assert printed.text.count(f"Prepaid credit {number}\n") == 1
    assert all("Total" in one.extract_text() for one in printed.reader.pages)
    assert f"Page {printed.pages} of {printed.pages}" in printed.text


def test_a_complaint_of_the_renderer_is_no_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A style that it does not know, here in a template of the test's own."""
    for name in ("head.html", "page.html"):
        text = (Path(markup_module.__file__).parent / "templates" / name).read_text(encoding="utf-8")
        (tmp_path / "templates").mkdir(exist_ok=True)
        (tmp_path / "templates" / name).write_text(
            text.replace("color: #1d2433", "border-collapse: collapse"), encoding="utf-8"
        )
    monkeypatch.setattr(markup_module, "__file__", str(tmp_path / "markup.py"))
    with pytest.raises(PrintingFailed, match="border-collapse"):
        ChildPrinter().print_pdf(page())


@pytest.mark.parametrize(
    ("limits", "rows", "said"),
    [
        (PrintLimits(memory_bytes=96 << 20), 120, "ended with"),
        (PrintLimits(cpu_s=1), 900, "ended with"),
        (PrintLimits(output_bytes=4096), 120, "ended with"),
        (PrintLimits(wall_s=0.05), 120, "too long"),
    ],
)
def test_a_document_beyond_a_limit_is_not_made(limits: PrintLimits, rows: int, said: str) -> None:
    """The child is gone by then, and the next document is printed."""
    with pytest.raises(PrintingFailed, match=said):
        ChildPrinter(limits).print_pdf(page("ja", rows=rows))


def test_a_page_that_is_too_long_is_not_begun() -> None:
    """Rows and text have bounds of their own."""
    with pytest.raises(PrintingFailed, match="at most 10 rows"):
        ChildPrinter(PrintLimits(rows=10)).print_pdf(page(rows=11))
    with pytest.raises(PrintingFailed, match="too much text"):
        ChildPrinter(PrintLimits(chars=1000)).print_pdf(page(name="x" * 1000))


class TestMarkupThatGotThrough:
    """If ever a text were not escaped, the child would still reach nothing. Its markup is given to it as it is."""

    def run(self, monkeypatch: pytest.MonkeyPatch, body: str, limits: PrintLimits | None = None) -> Printed:
        monkeypatch.setattr(
            "adapters.documents.printing.markup", lambda _: f"<html><body>{body}</body></html>"
        )
        return Printed(ChildPrinter(limits or PrintLimits()).print_pdf(page()))

    @pytest.mark.parametrize(
        "source",
        ["file:///etc/passwd", "/etc/passwd", "../../../../../../etc/passwd", "/proc/self/environ", __file__],
    )
    def test_it_reads_no_file(self, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
        """Neither by a path nor by an address; asking for one is a complaint."""
        with pytest.raises(PrintingFailed, match="complained"):
            self.run(monkeypatch, f'<img src="{source}">')

    def test_it_connects_to_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that listens hears nothing."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            address = f"http://127.0.0.1:{server.getsockname()[1]}/x.png"
            with pytest.raises(PrintingFailed, match="complained"):
                self.run(monkeypatch, f'<img src="{address}"><link rel="stylesheet" href="{address}">')
            with pytest.raises(BlockingIOError):
                server.accept()

    @pytest.mark.parametrize(
        "body",
        [
            '<table><tr><td colspan="100000000">x</td></tr></table>',
            '<table><tr><td rowspan="100000000">x</td></tr></table>',
            "<div>" * 3000 + "x",
            f"<p>{'x' * 30_000_000}</p>",
        ],
        ids=["colspan", "rowspan", "nested", "long"],
    )
    def test_it_breaks_off_within_the_limits(self, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
        """Whatever it would take to draw it."""
        limits = PrintLimits(cpu_s=4, wall_s=120.0, memory_bytes=512 << 20)
        with pytest.raises(PrintingFailed):
            self.run(monkeypatch, body, limits)


def test_the_child_gets_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in a variable of ours is in none of its."""
    monkeypatch.setenv("TOKENOK_MASTER_KEY", "canary")
    seen: list[dict[str, str]] = []
    import subprocess  # noqa: PLC0415  # to look at what the printer starts

    real = subprocess.Popen

    def watching(*args: object, **options: object) -> object:
        environment = options["env"]
        assert isinstance(environment, dict)
        seen.append(environment)
        return real(*args, **options)  # type: ignore[call-overload]  # as they came

    monkeypatch.setattr(subprocess, "Popen", watching)
    ChildPrinter().print_pdf(with_title(page(), "Invoice"))
    assert len(seen) == 1
    assert "canary" not in msgspec.json.encode(seen[0]).decode()


@pytest.mark.slow
def test_a_statement_of_three_thousand_lines_stays_within_the_limits() -> None:
    """The limits of every document hold for it; see docs/operations.md."""
    printed = Printed(ChildPrinter().print_pdf(page("zh", rows=3000)))
    assert printed.text.count("Prepaid credit 2999\n") == 1
