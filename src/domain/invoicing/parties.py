"""Who sells and who buys, as documents name them. A seller is a company of the operator's; a buyer is personal data."""

import re
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from domain.refusal import BadField
from domain.text import printable

TaxIdKind = Literal["vat", "jp_invoice", "kr_business", "cn_uscc", "other"]

_FORMS: Final[dict[str, re.Pattern[str]]] = {
    "vat": re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}"),
    "jp_invoice": re.compile(r"T[0-9]{13}"),
    "kr_business": re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{5}"),
    "cn_uscc": re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}"),
    "other": re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,38}[\x21-\x7e])?"),
}
_LINES_MAX: Final = 6
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


class TaxId(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that a tax office has given."""

    kind: TaxIdKind
    value: str


class Seller(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose documents they are, as printed on them."""

    legal_name: str
    address: tuple[str, ...]  #: lines below the name
    country: str  #: ISO 3166, two letters
    zone: str  #: the time zone in which documents are dated
    tax_ids: tuple[TaxId, ...] = ()
    email: str = ""


class Buyer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a document is for. Stands in events sealed only; shows nothing of it in a log or a traceback."""

    name: str
    address: tuple[str, ...]
    country: str
    tax_id: TaxId | None = None
    email: str = ""  #: where documents are sent to

    def __repr__(self) -> str:
        return "Buyer(***)"


class VatEvidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the register of VAT numbers (VIES) said about the buyer's, and when it was asked."""

    valid: bool
    checked_us: int
    reference: str  #: the register's own, of the inquiry


def checked_seller(seller: Seller) -> Seller:
    """A seller that documents can be issued for.

    Raises:
        BadField: something in it cannot be used.
    """
    try:
        ZoneInfo(seller.zone)
    except (KeyError, ValueError, OSError):
        raise BadField("zone", "must be the name of a time zone, such as UTC or Asia/Tokyo") from None
    for one in seller.tax_ids:
        _check_tax_id(one)
    return msgspec.structs.replace(
        seller,
        legal_name=printable(seller.legal_name, field="legal_name"),
        address=_address(seller.address),
        country=country_code(seller.country),
        email=_email(seller.email),
    )


def checked_buyer(buyer: Buyer) -> Buyer:
    """A buyer that documents can be issued to.

    Raises:
        BadField: something in it cannot be used.
    """
    if buyer.tax_id is not None:
        _check_tax_id(buyer.tax_id)
    return msgspec.structs.replace(
        buyer,
        name=printable(buyer.name, field="name"),
        address=_address(buyer.address),
        country=country_code(buyer.country),
        email=_email(buyer.email),
    )


def country_code(country: str) -> str:
    """Two upper-case letters.

    Raises:
        BadField: it is something else.
    """
    if not _COUNTRY.fullmatch(country):
        raise BadField("country", "must be an ISO 3166 code of two upper-case letters")
    return country


def tax_id(tax_ids: tuple[TaxId, ...], kind: TaxIdKind) -> str | None:
    """The number of this kind."""
    return next((one.value for one in tax_ids if one.kind == kind), None)


def _address(lines: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(lines) <= _LINES_MAX:
        raise BadField("address", f"must have one to {_LINES_MAX} lines")
    return tuple(printable(line, field="address") for line in lines)


def _email(email: str) -> str:
    if not email:
        return ""
    local, at, host = printable(email, field="email", chars_max=254).rpartition("@")
    if not (local and at and host) or " " in email:
        raise BadField("email", "is no mail address")
    return email


def _check_tax_id(one: TaxId) -> None:
    if not _FORMS[one.kind].fullmatch(one.value):
        raise BadField("tax_id", f"is no {one.kind} number")
