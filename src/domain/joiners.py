"""Where the two invisible joiners of Unicode change what is read: in joined emoji, and in the words of some scripts.

Anywhere else they make two names that look alike, so a text with them there is refused (`domain.text`). The rules are A1,
A2 and B of UAX 31 with the letters' joining types of the Arabic script, the joined emoji of UTS 51, and the form of RA
before a virama that Bengali writes (chapter 12 of the standard).
"""

import re
import unicodedata
from typing import Final

NON_JOINER: Final = "\u200c"
JOINER: Final = "\u200d"

#: Arabic letters that join on both sides: without the non-joiner they would be tied to the letter after them.
ARABIC_DUAL: Final = (
    "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649\u064a\u066e\u066f\u0678-\u0687\u069a-\u06bf"
    "\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1\u06fa-\u06fc\u06ff"
    "\u0750-\u0758\u075c-\u076a\u076d-\u0770\u0772\u0775-\u0777\u077a-\u077f"
)
#: Those that join to the letter before them alone.
ARABIC_RIGHT: Final = (
    "\u0622-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd"
    "\u06cf\u06d2\u06d3\u06d5\u06ee\u06ef\u0759-\u075b\u076b\u076c\u0771\u0773\u0774\u0778\u0779"
)
_ARABIC_MARKS: Final = (
    "[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]*"
)
_PICTURE: Final = (
    "[\u2194\u2195\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\U0001f300-\U0001f3fa\U0001f400-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7f0\U0001f900-\U0001f9ff\U0001fa70-\U0001faff]"
)
#: A picture, perhaps with its presentation or a colour of skin; one after another is one emoji.
_EMOJI: Final = re.compile(
    f"{_PICTURE}[\ufe0f\U0001f3fb-\U0001f3ff]?(?:{JOINER}{_PICTURE}[\ufe0f\U0001f3fb-\U0001f3ff]?)+"
)
_ARABIC: Final = re.compile(
    f"(?<=[{ARABIC_DUAL}]){_ARABIC_MARKS}{NON_JOINER}(?={_ARABIC_MARKS}[{ARABIC_DUAL}{ARABIC_RIGHT}])"
)
_VIRAMA_CLASS: Final = 9


def without_fit_joiners(text: str) -> str:
    """`text` less the joiners that change how it is read; whatever joiners are left have no business there."""
    if NON_JOINER not in text and JOINER not in text:
        return text
    rest = _EMOJI.sub(lambda found: found[0].replace(JOINER, ""), _ARABIC.sub("", text))
    return "".join(
        character for place, character in enumerate(rest) if not _is_at_virama(rest, place, character)
    )


def _is_at_virama(text: str, place: int, joiner: str) -> bool:
    """Whether a joiner tells how a consonant and its virama are drawn."""
    if joiner not in {NON_JOINER, JOINER}:
        return False
    before, after = text[:place], text[place + 1 :]
    if joiner == JOINER and _is_virama(after[:1]):
        return _is_letter(before[-1:]) and _is_letter(after[1:2])
    if not _is_virama(before[-1:]) or not _is_letter(_base(before)):
        return False
    if joiner == JOINER:  # a half form may end a word
        return not after or unicodedata.category(after[0])[0] not in {"M", "C"}
    return _is_letter(after[:1])


def _is_virama(character: str) -> bool:
    return bool(character) and unicodedata.combining(character) == _VIRAMA_CLASS


def _is_letter(character: str) -> bool:
    return bool(character) and unicodedata.category(character) == "Lo"


def _base(text: str) -> str:
    """The last letter of `text`, below the marks on it."""
    for character in reversed(text):
        if unicodedata.category(character)[0] != "M":
            return character
    return ""
