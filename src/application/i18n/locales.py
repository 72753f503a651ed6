"""The languages that pages, documents and mails are written in. A new one is added here, and then translated."""

from typing import Final, Literal, get_args

Locale = Literal["en", "zh", "ja", "ko"]

LOCALES: Final[tuple[Locale, ...]] = get_args(Locale)
SOURCE: Final[Locale] = "en"  #: texts in the code are written in it, so it has no catalogue


def best_locale(wanted: str | None) -> Locale:
    """The language for what someone asks for, such as `ja`, `zh-TW` or `zh_Hans_CN`; `SOURCE` when we do not write theirs."""
    language = (wanted or "").replace("_", "-").partition("-")[0].lower()
    return language if language in LOCALES else SOURCE
