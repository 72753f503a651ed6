"""Pages as the markup that the renderer takes. Texts are escaped, and stand between tags, never in them."""

from pathlib import Path
from typing import Final
from unicodedata import east_asian_width

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.documents.fonts import FOLDER, families, shown
from application.documents.page import Page

#: A word beyond this may be broken anywhere; widths are those of narrow characters.
_WORD_WIDTH_MAX: Final = 18


def markup(page: Page) -> str:
    """The whole document."""
    body = shown(_environment().get_template("page.html").render(page=page))
    head = _environment().get_template("head.html")
    return head.render(page=page, families=families(body, page.locale), fonts=FOLDER.as_uri()) + body


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["wrapping"] = wrapping
    # Beside the number of a page the renderer drops a blank.
    made.filters["hard_blanks"] = lambda text: text.replace(" ", "\u00a0")
    return made


def wrapping(text: str) -> str:
    """The style class for a paragraph: lines break between words, or anywhere where a word is too long for that."""
    return "anywhere" if any(_width(word) > _WORD_WIDTH_MAX for word in text.split()) else "words"


def _width(word: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in word)
