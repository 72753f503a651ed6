"""Makes the fonts of documents anew: `python -m tools.make_fonts FOLDER`, with the packages of `PACKAGES` unpacked in it.

    mkdir FOLDER && cd FOLDER && npm pack @expo-google-fonts/noto-sans@0.4.2 ...; for each: mkdir NAME && tar xzf ... -C NAME

Static TrueType, since the renderer takes nothing else. The regular weight has all that people's names may need; the bold one,
which documents use for their own words only, the common characters of each language. Hints, layout tables and Latin of
the CJK fonts are left out, but for the blanks: the renderer draws one in the font of what is before it. All have the heights
of the first, so that lines of different scripts stand level. The same sources and the same `fonttools` give the same bytes.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from fontTools import subset
from fontTools.ttLib import TTFont

#: Font: npm package and version, its file without weight.
PACKAGES: Final = {
    "NotoSans": ("noto-sans@0.4.2", "NotoSans"),
    "NotoSansSC": ("noto-sans-sc@0.4.3", "NotoSansSC"),
    "NotoSansJP": ("noto-sans-jp@0.4.3", "NotoSansJP"),
    "NotoSansKR": ("noto-sans-kr@0.4.3", "NotoSansKR"),
}
WEIGHTS: Final = {"Regular": "400Regular", "Bold": "700Bold"}
TARGET: Final = Path(__file__).parent.parent / "src" / "adapters" / "documents" / "fonts"
_LATIN_LAST: Final = 0x024F
_BLANKS: Final = (0x20, 0xA0)
_ASCENT, _DESCENT = 1069, -293  # of Noto Sans, in units of 1000 an em
_HAN: Final = (0x3400, 0xF8FF)  # and Hangul
_HANGUL: Final = (0xAC00, 0xD7FF)
_DROPPED: Final = ["GPOS", "GSUB", "GDEF", "BASE", "VORG", "vhea", "vmtx", "STAT", "gasp", "DSIG", "meta"]


def _can(codecs: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether one of the character sets has it."""

    def has(char: str) -> bool:
        for codec in codecs:
            try:
                char.encode(codec)
            except UnicodeEncodeError:
                continue
            return True
        return False

    return has


def _rows(codec: str, last_row: int) -> Callable[[str], bool]:
    """Whether it is in the first rows of a character set of 94 by 94: those hold what is common."""

    def has(char: str) -> bool:
        try:
            code = char.encode(codec)
        except UnicodeEncodeError:
            return False
        return len(code) == 2 and code[0] <= last_row  # noqa: PLR2004  # two bytes a character

    return has


def _within(char: str, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= ord(char) <= bounds[1]


_JIS, _KS = _can(("euc_jis_2004", "cp932")), _can(("euc_kr",))
KEPT: Final[dict[str, Callable[[str], bool]]] = {
    "NotoSans-Regular": lambda _: True,
    "NotoSans-Bold": lambda _: True,
    "NotoSansSC-Regular": lambda _: True,
    "NotoSansSC-Bold": _rows("gb2312", 0xD7),
    "NotoSansJP-Regular": lambda char: not _within(char, _HAN) or _JIS(char),
    "NotoSansJP-Bold": _rows("euc_jp", 0xCF),
    "NotoSansKR-Regular": lambda char: not _within(char, _HAN) or _within(char, _HANGUL) or _KS(char),
    "NotoSansKR-Bold": _rows("euc_kr", 0xC8),
}


def _without_latin(keep: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda char: ord(char) in _BLANKS or (ord(char) > _LATIN_LAST and keep(char))


def make(source: Path, target: Path, keep: Callable[[str], bool]) -> None:
    """Cut one font."""
    options: Any = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.drop_tables += _DROPPED
    options.name_languages = [0x409]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    options.recalc_timestamp = False
    font = subset.load_font(str(source), options)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=[code for code in font.getBestCmap() if keep(chr(code))])
    cut.subset(font)
    font["hhea"].ascent = font["OS/2"].sTypoAscender = font["OS/2"].usWinAscent = _ASCENT
    font["hhea"].descent = font["OS/2"].sTypoDescender = _DESCENT
    font["OS/2"].usWinDescent = -_DESCENT
    font["hhea"].lineGap = font["OS/2"].sTypoLineGap = 0
    subset.save_font(font, str(target), options)


def _ranges(codes: list[int]) -> str:
    """Such as `20-7e,a0`: both ends included."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return ",".join(f"{first:x}-{last:x}" if last > first else f"{first:x}" for first, last in runs)


def main(folder: Path) -> None:
    for name, keep in KEPT.items():
        family, weight = name.split("-")
        package, file = PACKAGES[family]
        source = (
            folder / package.partition("@")[0] / "package" / WEIGHTS[weight] / f"{file}_{WEIGHTS[weight]}.ttf"
        )
        make(source, TARGET / f"{name}.ttf", keep if family == "NotoSans" else _without_latin(keep))
    regular = {family: TTFont(TARGET / f"{family}-Regular.ttf").getBestCmap() for family in PACKAGES}
    (TARGET / "COVERAGE").write_text(
        "".join(f"{family} {_ranges(sorted(codes))}\n" for family, codes in regular.items()), encoding="ascii"
    )
    files = sorted(TARGET.glob("*.ttf"))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (TARGET / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
