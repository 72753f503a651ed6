"""What stands on a document, in words and numbers of its language, and the port that prints it.

A page holds text and nothing that is interpreted: whoever wrote a name or a line cannot change more than that text.
"""

from typing import Literal, Protocol

import msgspec

from application.i18n.locales import Locale

Align = Literal["left", "right"]


class Label(msgspec.Struct, frozen=True):
    """A value and what it is."""

    label: str
    value: str
    strong: bool = False  #: set off from its neighbours, as a total is; such a value must be in our own words


class Block(msgspec.Struct, frozen=True):
    """Someone's name and address under a heading."""

    heading: str
    name: str
    lines: tuple[str, ...] = ()


class Column(msgspec.Struct, frozen=True):
    """The head of a column; widths are in percent, and those of a table are 100 together."""

    head: str
    width: int
    align: Align = "left"


class Table(msgspec.Struct, frozen=True):
    """Rows of as many texts as there are columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    heading: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A document. The same page gives the same bytes, as long as printer and fonts are the same."""

    locale: Locale
    title: str  #: our own words
    subtitle: str = ""
    sender: str  #: whose document it is
    number: str
    author: str
    created_us: int  #: when it was issued, for the file's properties
    facts: tuple[Label, ...]
    parties: tuple[Block, ...]
    tables: tuple[Table, ...]
    totals: tuple[Label, ...]
    notes: tuple[str, ...]
    fine_print: tuple[str, ...]  #: at the foot of every page
    page_of: tuple[str, str, str]  #: what stands before, between and after the numbers of page and pages


class PrintingFailed(Exception):
    """The printer gave no document: it complained, went beyond a limit, or died. Nothing was kept."""


class Printer(Protocol):
    """Makes documents of pages. Blocking, for seconds; safe to use from threads."""

    def print_pdf(self, page: Page) -> bytes:
        """The document.

        Raises:
            PrintingFailed: see there.
        """
        ...
