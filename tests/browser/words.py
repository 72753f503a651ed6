"""What a page says in a language, looked up by what it says in English: walks go by what people read, whatever they read."""

from typing import Final

from application.i18n.catalogues import load_catalogue

LOCALES: Final = {"en": "en-GB", "zh": "zh-CN", "ja": "ja-JP", "ko": "ko-KR"}
"""What a browser asks for, by our languages."""


class Words:
    """The texts of the console in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = load_catalogue("console", language)  # type: ignore[arg-type]  # a name of ours

    def __call__(self, text: str, /, **values: object) -> str:
        """Filled in. A text that no page says any more is in no catalogue, and fails the test."""
        said = self._texts.gettext(text)
        assert self.language == "en" or said != text or text in SAME, f"{text!r} is not in the catalogues"
        return said % values if values else said


SAME: Final = frozenset({"Python"})
"""What stands in the catalogues as it is in English."""
