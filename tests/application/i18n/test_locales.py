"""Which language someone gets."""

import pytest

from application.i18n.locales import LOCALES, best_locale


@pytest.mark.parametrize(
    ("wanted", "locale"),
    [
        ("ja", "ja"),
        ("zh-TW", "zh"),
        ("zh_Hans_CN", "zh"),
        ("KO-kr", "ko"),
        ("de", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_language_is_found_for_what_is_asked_for(wanted: str | None, locale: str) -> None:
    """By its language, whatever the region; English for a language that we do not write."""
    assert best_locale(wanted) == locale
    assert locale in LOCALES
