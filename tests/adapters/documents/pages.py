"""Pages for tests of printing."""

import io
from typing import Final

import msgspec
import pypdf

from application.documents.page import Block, Column, Label, Page, Table
from application.i18n.locales import Locale

FOUR_SCRIPTS: Final = "Zażółć Gęślą 株式会社東京 北京公司 서울주식회사"
WORDS: Final[dict[Locale, tuple[str, str]]] = {
    "en": ("Invoice", "Total"),
    "zh": ("付款单据", "合计"),
    "ja": ("適格請求書", "合計"),
    "ko": ("거래명세서", "합계"),
}


def page(
    locale: Locale = "en", *, name: str = FOUR_SCRIPTS, rows: int = 3, line: str = "Prepaid credit"
) -> Page:
    """A small document that has one of everything."""
    title, total = WORDS[locale]
    columns = (Column(title, 60), Column(total, 40, "right"))
    return Page(
        locale=locale,
        title=title,
        sender="Tokenok Sandbox",
        number="INV-2026-000042",
        author="Tokenok Sandbox",
        created_us=1_796_000_000_000_000,
        facts=(Label("Number", "INV-2026-000042"),),
        parties=(Block("From", "Tokenok Sandbox", ("1 Example Street",)), Block("To", name)),
        tables=(
            Table(columns, tuple((f"{line} {number}", "10.00") for number in range(rows)), heading=title),
        ),
        totals=(Label("Net", "30.00"), Label(total, "33.00", strong=True)),
        notes=("Paid.",),
        fine_print=("Entry 1234",),
        page_of=("Page ", " of ", ""),
    )


def with_title(made: Page, title: str) -> Page:
    return msgspec.structs.replace(made, title=title)


class Printed:
    """What a PDF says about itself."""

    def __init__(self, pdf: bytes) -> None:
        self.reader = pypdf.PdfReader(io.BytesIO(pdf))
        self.pages = len(self.reader.pages)
        self.text = "\n".join(one.extract_text() for one in self.reader.pages)

    def fonts(self) -> dict[str, bool]:
        """Whether each font is embedded."""
        found: dict[str, bool] = {}
        for one in self.reader.pages:
            resources = one["/Resources"].get_object()
            for font in resources.get("/Font", {}).values():  # type: ignore[attr-defined]  # a dictionary of PDF
                described = font.get_object()
                embedded = "/FontFile2" in described.get("/FontDescriptor", {})
                found[described["/BaseFont"]] = embedded
        return found
