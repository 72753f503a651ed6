"""Money in the words of a language."""

import re

import pytest
from babel import Locale as BabelLocale

from application.i18n.formats import country, money
from application.i18n.locales import LOCALES, Locale
from domain.recharge.currencies import EXPONENTS


@pytest.mark.parametrize("locale", LOCALES)
def test_money_is_shown_to_the_last_minor_unit(locale: Locale) -> None:
    """Of every currency: whoever adds up a document's figures finds its total. Rupiahs have cents, whatever is done with cash."""
    for currency, exponent in EXPONENTS.items():
        for known in (locale, BabelLocale.parse(locale)):
            shown = money(1_234_567, currency=currency, exponent=exponent, locale=known)  # type: ignore[arg-type]  # either will do
            assert re.sub(r"[^0-9]", "", shown) == "1234567", (currency, shown)
            assert len(shown.partition(".")[2]) == exponent, (currency, shown)


def test_money_that_went_out_has_a_sign() -> None:
    """Before the currency."""
    assert money(-5, currency="EUR", exponent=2, locale="en") == "-€0.05"
    assert money(-5, currency="JPY", exponent=0, locale="ja") == "-￥5"


def test_a_country_is_named_as_people_name_it() -> None:
    """In each language; a code that nobody knows stays one."""
    assert [country("FR", locale=one) for one in ("en", "zh", "ja", "ko")] == [
        "France",
        "法国",
        "フランス",
        "프랑스",
    ]
    assert country("QX", locale="en") == "QX"
