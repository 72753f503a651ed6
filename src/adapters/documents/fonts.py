"""Which of our fonts have which characters, and what is printed for a character that none has. See `fonts/OFL.txt`."""

import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from application.i18n.locales import Locale

FOLDER: Final = Path(__file__).parent / "fonts"
NOT_SHOWN: Final = "\u25a1"  #: an empty box
#: The order in which fonts are asked: Chinese, Japanese and Korean draw many of the same characters differently.
ORDER: Final[dict[Locale, tuple[str, ...]]] = {
    "en": ("NotoSans", "NotoSansSC", "NotoSansJP", "NotoSansKR"),
    "zh": ("NotoSans", "NotoSansSC", "NotoSansJP", "NotoSansKR"),
    "ja": ("NotoSans", "NotoSansJP", "NotoSansSC", "NotoSansKR"),
    "ko": ("NotoSans", "NotoSansKR", "NotoSansSC", "NotoSansJP"),
}
#: Those that the words of a language's documents need, in both weights.
_OWN: Final = {"en": 1, "zh": 2, "ja": 2, "ko": 2}


@cache
def coverage() -> dict[str, frozenset[int]]:
    """The characters of each font's regular weight, by its name."""
    lines = (FOLDER / "COVERAGE").read_text(encoding="ascii").splitlines()
    return {name: _codes(runs) for name, runs in (line.split(" ") for line in lines)}


def _codes(runs: str) -> frozenset[int]:
    codes: set[int] = set()
    for run in runs.split(","):
        first, _, last = run.partition("-")
        codes.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(codes)


def families(text: str, locale: Locale) -> tuple[str, ...]:
    """The fonts to load for a document, in the order in which they are asked."""
    order, missing = ORDER[locale], {ord(char) for char in text}
    needed = list(order[: _OWN[locale]])
    for name in order:
        found = missing & coverage()[name]
        if found and name not in needed:
            needed.append(name)
        missing -= found
    return tuple(needed)


def shown(text: str) -> str:
    """The text with a box for each character that no font has, and without those that only turn others around or hide.

    A character that means the same as one that we have is printed as that.
    """
    known = frozenset().union(*coverage().values())
    table: dict[int, str | None] = {}
    for char in set(text) - {"\n"}:
        kind = unicodedata.category(char)
        if kind[0] == "C":
            table[ord(char)] = None
        elif ord(char) not in known:
            same = unicodedata.normalize("NFKC", char)
            table[ord(char)] = same if all(ord(one) in known for one in same) else NOT_SHOWN
    return text.translate(table)
