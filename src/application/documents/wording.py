"""How a document speaks: its language's words and formats, with the amounts' currency where it has one."""

from functools import cache
from gettext import NullTranslations

from application.i18n import formats
from application.i18n.catalogues import load_catalogue
from application.i18n.locales import Locale
from domain.recharge.order import BY_TRANSFER

DOMAIN = "documents"
_BRANDS = {"stripe": "Stripe", "alipay": "Alipay", "wechat": "WeChat Pay"}


@cache
def texts(locale: Locale) -> NullTranslations:
    """The catalogue of documents; it does not change while the process lives."""
    return load_catalogue(DOMAIN, locale)


class Wording:
    """Words and formats of one language."""

    def __init__(self, locale: Locale, *, currency: str = "", exponent: int = 0) -> None:
        self.locale = locale
        self._currency, self._exponent = currency, exponent
        catalogue = texts(locale)
        self.gettext, self.ngettext = catalogue.gettext, catalogue.ngettext

    def money(self, amount_minor: int) -> str:
        return formats.money(
            amount_minor, currency=self._currency, exponent=self._exponent, locale=self.locale
        )

    def credit(self, amount_nano: int) -> str:
        return formats.credit(amount_nano, locale=self.locale)

    def number(self, value: int) -> str:
        return formats.number(value, locale=self.locale)

    def percent(self, rate_ppm: int) -> str:
        return formats.percent(rate_ppm, locale=self.locale)

    def day(self, iso: str) -> str:
        return formats.day(iso, locale=self.locale)

    def country(self, code: str) -> str:
        return formats.country(code, locale=self.locale)

    def paid_through(self, provider: str) -> str:
        """How a payment came, as a customer says it."""
        if provider in BY_TRANSFER:
            return self.gettext("Bank transfer")
        return _BRANDS.get(provider, provider)

    def page_of(self) -> tuple[str, str, str]:
        """What stands before, between and after the numbers of the page and of all pages."""
        _ = self.gettext
        # NOTE: at the foot of each page; keep %(page)s before %(pages)s
        before, _page, rest = _("Page %(page)s of %(pages)s").partition("%(page)s")
        between, _pages, after = rest.partition("%(pages)s")
        return before, between, after
