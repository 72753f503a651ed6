"""The languages of the console, and which one a visitor gets: what they chose, else what their browser asks for."""

from typing import Final

LANGUAGES: Final = {"en": "English", "zh": "简体中文", "ja": "日本語", "ko": "한국어"}
DEFAULT: Final = "en"
#: For `lang`, so that the right shapes of Han characters are shown.
TAGS: Final = {"en": "en", "zh": "zh-Hans", "ja": "ja", "ko": "ko"}
_WISHES_MAX: Final = 20


def choose(chosen: str | None, accept: str) -> str:
    """A language of ours by what was chosen, else by an `Accept-Language` header."""
    if chosen in LANGUAGES:
        return chosen or DEFAULT
    wishes = [_wish(part) for part in accept.split(",")[:_WISHES_MAX]]
    for quality, name in sorted(wishes, key=lambda wish: -wish[0]):
        language = name.partition("-")[0].lower()
        if quality > 0 and language in LANGUAGES:
            return language
    return DEFAULT


def _wish(part: str) -> tuple[float, str]:
    name, _, quality = part.strip().partition(";q=")
    try:
        return (float(quality) if quality else 1.0), name
    except ValueError:
        return 0.0, name
