"""How much, and for a buyer from where: what forms say when credit is bought."""

import re
from decimal import Decimal
from typing import Final
from uuid import UUID

from litestar.datastructures import FormMultiDict

from api.console import looking
from api.console.pages import Pages
from api.console.unreadable import Unreadable
from application.invoicing.streams import load_billing
from application.recharge.list_offers import load_offers
from application.recharge.taxing import ELSEWHERE
from domain.recharge.currencies import exponent_of

_ELSEWHERE: Final = "other"  #: as the form says it
_AMOUNT: Final = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,6})?", re.ASCII)
_PACKAGE: Final = "package"


def chosen_country(pages: Pages, form: FormMultiDict, account_id: UUID, currency: str) -> str | None:
    """Where the buyer is. It decides on tax, so it is nobody's to leave open.

    Raises:
        Unreadable: it was not chosen.
    """
    store = pages.tools.admin.ports.store
    profile = load_billing(store, account_id).profile
    if profile is not None:
        return profile.country
    offer = load_offers(store).by_currency.get(currency)
    given = str(form.get("country", ""))
    if not given and offer is not None and offer.taxes:
        raise Unreadable("country", "is empty")
    return ELSEWHERE if given == _ELSEWHERE else given or None


def amount_minor_of(form: FormMultiDict, currency: str) -> int:
    """A package, or what was written.

    Raises:
        BadField, Unreadable: it is no amount of this currency.
    """
    package = looking.number_of(str(form.get(_PACKAGE, "")))
    text = str(form.get("amount", "")).replace(",", "").strip()
    if package is not None and text:
        raise Unreadable("amount", "and a package do not go together")
    if package is not None:
        return package
    if not _AMOUNT.fullmatch(text):
        raise Unreadable("amount")
    minor = Decimal(text).scaleb(exponent_of(currency))
    if minor != minor.to_integral_value():
        raise Unreadable("amount", "is finer than the currency")
    return int(minor)
