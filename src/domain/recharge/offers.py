"""What credit costs: for each currency one offer, with packages, free amounts, rate, bonus and tax.

All offers are in one stream. An order copies what it needs, so a later offer changes no order. Amounts of money are
integers of the currency's minor unit; the rate is a fraction, `rate_num` nano-credits for `rate_den` minor units.
"""

from typing import ClassVar, Final
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.ledger.events import AMOUNT_NANO_MAX
from domain.recharge.currencies import exponent_of, require_minor
from domain.refusal import BadField, NotFound, Refusal
from domain.rounding import PPM, tax_in, tax_on

OFFERS_STREAM: Final = UUID("2f6f9a1e-5d0b-5b6e-9c37-9f0f5b7e1a04")
RATE_MAX: Final = 10**18
LIST_MAX: Final = 50
_COUNTRY_CHARS: Final = 2


class Package(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fixed amount with a bonus of its own."""

    amount_minor: int
    bonus_nano: int = 0


class BonusTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From this amount on, so many millionths of the credit come on top."""

    from_minor: int
    bonus_ppm: int


class FreeAmounts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Customers may choose any amount between these two."""

    min_minor: int
    max_minor: int


class TaxRate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a buyer from this country (ISO 3166, two letters) pays in tax, in millionths."""

    country: str
    rate_ppm: int


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in the event, and what an operator sets."""

    currency: str
    rate_num: int
    rate_den: int
    packages: tuple[Package, ...] = ()
    free: FreeAmounts | None = None
    bonus: tuple[BonusTier, ...] = ()  #: for free amounts; the highest that applies
    taxes: tuple[TaxRate, ...] = ()
    tax_included: bool = False  #: whether amounts are what is paid, or what tax comes on top of
    approval_minor: int | None = None  #: a transfer of so much or more needs a second operator
    open: bool = True  #: false: nothing can be bought with this currency


class RechargeOfferSet(Fact, frozen=True, kw_only=True):
    """From now on credit costs this in this currency; it replaces the currency's offer before."""

    TOPIC: ClassVar[str] = "offer.set.v1"

    currency: str
    exponent: int  #: decimals of the minor unit
    offer: Offer


OFFER_EVENTS: tuple[type[Fact], ...] = (RechargeOfferSet,)


class Offers(msgspec.Struct, frozen=True):
    """The fold of the stream: the offer of each currency."""

    by_currency: dict[str, Offer] = {}


class AmountNotOffered(Refusal):
    """The amount is no package, and outside of what may be chosen freely; nothing was ordered."""

    code: ClassVar[str] = "amount_not_offered"

    def __init__(self, *, amount_minor: int, currency: str) -> None:
        super().__init__(f"{amount_minor} minor units of {currency} are not offered")
        self.amount_minor = amount_minor
        self.currency = currency


class TaxQuote(msgspec.Struct, frozen=True, kw_only=True):
    """How an amount divides; rounded once, half to even."""

    country: str | None
    rate_ppm: int
    net_minor: int
    tax_minor: int

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.tax_minor


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What an amount buys."""

    amount_minor: int  #: to be paid, tax included
    credits_nano: int  #: bonus included
    bonus_nano: int
    tax: TaxQuote


def evolve(offers: Offers, event: RechargeOfferSet) -> Offers:
    """The offers after one more."""
    return Offers({**offers.by_currency, event.currency: event.offer})


def set_offer(offers: Offers, *, offer: Offer, stamp: Stamp) -> list[RechargeOfferSet]:
    """Offer credit for a currency; the same offer again does nothing.

    Raises:
        BadField: the currency is not known, or a number cannot be meant.
    """
    exponent = exponent_of(offer.currency)
    _check(offer)
    if offers.by_currency.get(offer.currency) == offer:
        return []
    return [
        RechargeOfferSet(
            currency=offer.currency,
            exponent=exponent,
            offer=offer,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def quote(
    offers: Offers, *, currency: str, amount_minor: int, country: str | None, reverse_charge: bool = False
) -> Quote:
    """What `amount_minor` buys in this currency, for a buyer from this country, who may owe the tax instead of us.

    Raises:
        NotFound: nothing is offered for the currency.
        AmountNotOffered: see there.
        BadField: the amount buys no credit, or more than a wallet can hold.
    """
    offer = offers.by_currency.get(currency)
    if offer is None or not offer.open:
        raise NotFound("offer", currency)
    base_nano = amount_minor * offer.rate_num // offer.rate_den
    bonus_nano = _bonus_nano(offer, amount_minor, base_nano)
    if not 0 < base_nano + bonus_nano <= AMOUNT_NANO_MAX:
        raise BadField("amount_minor", "buys no credit, or too much")
    tax = _tax(offer, amount_minor, country, reverse_charge=reverse_charge)
    return Quote(
        amount_minor=tax.gross_minor, credits_nano=base_nano + bonus_nano, bonus_nano=bonus_nano, tax=tax
    )


def _bonus_nano(offer: Offer, amount_minor: int, base_nano: int) -> int:
    for package in offer.packages:
        if package.amount_minor == amount_minor:
            return package.bonus_nano
    if offer.free is None or not offer.free.min_minor <= amount_minor <= offer.free.max_minor:
        raise AmountNotOffered(amount_minor=amount_minor, currency=offer.currency)
    reached = [tier for tier in offer.bonus if tier.from_minor <= amount_minor]
    best = max(reached, key=lambda tier: tier.from_minor, default=None)
    return 0 if best is None else base_nano * best.bonus_ppm // PPM


def _tax(offer: Offer, amount_minor: int, country: str | None, *, reverse_charge: bool) -> TaxQuote:
    usual_ppm = next((tax.rate_ppm for tax in offer.taxes if tax.country == country), 0)
    rate_ppm = 0 if reverse_charge else usual_ppm
    if offer.tax_included:
        tax_minor = tax_in(amount_minor, rate_ppm)
        net_minor = amount_minor - tax_minor
    else:
        tax_minor = tax_on(amount_minor, rate_ppm)
        net_minor = amount_minor
    return TaxQuote(country=country, rate_ppm=rate_ppm, net_minor=net_minor, tax_minor=tax_minor)


def _check(offer: Offer) -> None:
    if not (0 < offer.rate_num <= RATE_MAX and 0 < offer.rate_den <= RATE_MAX):
        raise BadField("rate_num", "and rate_den must be positive, at most 10^18")
    if max(len(offer.packages), len(offer.bonus), len(offer.taxes)) > LIST_MAX:
        raise BadField("packages", f"and the other lists have at most {LIST_MAX} entries")
    for package in offer.packages:
        require_minor(package.amount_minor, field="packages")
        if not 0 <= package.bonus_nano <= AMOUNT_NANO_MAX:
            raise BadField("packages", "must not have a negative bonus")
    if offer.free is not None:
        require_minor(offer.free.min_minor, field="free")
        require_minor(offer.free.max_minor, field="free")
        if offer.free.min_minor > offer.free.max_minor:
            raise BadField("free", "must not begin behind its end")
    if not (offer.packages or offer.free) and offer.open:
        raise BadField("packages", "or free amounts are needed, or nothing can be bought")
    _check_rates(offer)


def _check_rates(offer: Offer) -> None:
    if any(not 0 <= tier.bonus_ppm <= 10 * PPM or tier.from_minor < 0 for tier in offer.bonus):
        raise BadField("bonus", "must be 0 to 10000000 millionths, from an amount that is not negative")
    if len({tier.from_minor for tier in offer.bonus}) != len(offer.bonus):
        raise BadField("bonus", "must not have two tiers from one amount")
    if any(not 0 <= tax.rate_ppm <= PPM for tax in offer.taxes):
        raise BadField("taxes", "must be 0 to 1000000 millionths")
    for tax in offer.taxes:
        country_code(tax.country, field="taxes")
    if len({tax.country for tax in offer.taxes}) != len(offer.taxes):
        raise BadField("taxes", "must not name a country twice")
    if offer.approval_minor is not None and offer.approval_minor < 0:
        raise BadField("approval_minor", "must not be negative")


def country_code(country: str, *, field: str = "country") -> str:
    """Two upper-case letters.

    Raises:
        BadField: it is something else.
    """
    if len(country) != _COUNTRY_CHARS or not (country.isascii() and country.isalpha() and country.isupper()):
        raise BadField(field, "must be an ISO 3166 code of two upper-case letters")
    return country
