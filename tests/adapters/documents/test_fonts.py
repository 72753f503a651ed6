"""The fonts of documents."""

import hashlib

import pytest

from adapters.documents.fonts import FOLDER, NOT_SHOWN, coverage, families, shown
from application.i18n.catalogues import load_catalogue
from application.i18n.locales import LOCALES


def charset(codec: str) -> set[str]:
    """All characters of a set of 94 by 94."""
    found = set()
    for lead in range(0xA1, 0xFF):
        for trail in range(0xA1, 0xFF):
            try:
                found.add(bytes([lead, trail]).decode(codec))
            except UnicodeDecodeError:
                continue
    return found


def test_the_fonts_are_what_the_tool_made() -> None:
    """Byte for byte; `python -m tools.make_fonts` writes both."""
    sums = dict(
        reversed(line.split("  "))
        for line in (FOLDER / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    )
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.ttf")}
    assert found == sums
    assert "SIL OPEN FONT LICENSE" in (FOLDER / "OFL.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("codec", "font"), [("gb2312", "NotoSansSC"), ("euc_jp", "NotoSansJP"), ("euc_kr", "NotoSansKR")]
)
def test_names_of_each_country_have_their_characters(codec: str, font: str) -> None:
    """The national sets in the font of the country or in the Latin one; but for the one that Noto draws in others only."""
    characters = {char for char in charset(codec) if char.isalpha() and not "\uf900" <= char <= "\ufaff"}
    have = coverage()[font] | coverage()["NotoSans"]
    assert {char for char in characters if ord(char) not in have} <= {"隙"}
    assert shown("".join(characters)) == "".join(characters)


def test_only_the_fonts_that_a_text_needs_are_loaded() -> None:
    """In the order of its language, since the same character is drawn differently."""
    assert families("Invoice", "en") == ("NotoSans",)
    assert families("Invoice 東京", "en") == ("NotoSans", "NotoSansSC")
    assert families("Invoice 東京", "ja") == ("NotoSans", "NotoSansJP")
    assert families("서울", "zh") == ("NotoSans", "NotoSansSC", "NotoSansKR")


def test_what_hides_or_turns_text_is_dropped() -> None:
    """Controls and marks of direction; a character that no font has is a box, or the one that it stands for."""
    assert shown("a\u202eb\x00c\u200bd\U0001f600") == f"abcd{NOT_SHOWN}"
    assert shown("\U0001d400") == "A"
    assert shown("a\nb\u00a0c") == "a\nb\u00a0c"


def test_our_own_words_can_be_printed() -> None:
    """Every text of the catalogue of documents, with no box in it."""
    for locale in LOCALES:
        try:
            catalogue = load_catalogue("documents", locale)
        except FileNotFoundError:
            continue
        for text in getattr(catalogue, "_catalog", {}).values():
            assert shown(text) == text
