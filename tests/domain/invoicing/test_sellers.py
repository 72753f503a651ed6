"""Sellers, buyers and series."""

from uuid import UUID

import msgspec
import pytest

from domain.fact import Stamp
from domain.invoicing.parties import Buyer, Seller, TaxId, TaxIdKind, checked_buyer, checked_seller
from domain.invoicing.sellers import SellerSet, SeriesOpened, evolve, open_series, set_seller
from domain.refusal import AlreadyExists, BadField, NotFound, Refusal
from tests.spec import Spec

SELLER_ID = UUID(int=1)
AT = Stamp(now_us=5, actor="system")
SELLER = Seller(legal_name="Example GmbH", address=("1 Street",), country="DE", zone="Europe/Berlin")
SET = SellerSet(seller_id=SELLER_ID, seller=SELLER, occurred_us=5, actor="system")
spec = Spec(evolve, initial=None)


def opened(prefix: str = "INV-", digits: int = 6) -> SeriesOpened:
    (event,) = open_series(spec.fold(SET), kind="invoice", prefix=prefix, digits=digits, stamp=AT)
    assert isinstance(event, SeriesOpened)
    return event


def test_the_same_seller_again_is_nothing_new() -> None:
    """A change replaces what was, and series stay."""
    spec.given(SET).when(
        lambda book: set_seller(book, seller_id=SELLER_ID, seller=SELLER, stamp=AT)
    ).then_nothing()
    moved = msgspec.structs.replace(SET, seller=msgspec.structs.replace(SELLER, address=("2 Street",)))
    book = spec.fold(SET, opened(), moved)
    assert book is not None
    assert (book.seller.address, len(book.series)) == (("2 Street",), 1)


def test_a_prefix_numbers_one_series() -> None:
    """The same again does nothing; the newest series of a kind is used, and what has none is told."""
    again = spec.given(SET, opened())
    again.when(
        lambda book: open_series(book, kind="invoice", prefix="INV-", digits=6, stamp=AT)
    ).then_nothing()
    again.when(
        lambda book: open_series(book, kind="credit_note", prefix="INV-", digits=6, stamp=AT)
    ).then_refused(AlreadyExists, kind="series")
    book = spec.fold(SET, opened(), opened("B-", 3))
    assert book is not None
    assert book.newest("invoice").text(7) == "B-007"
    with pytest.raises(NotFound):
        book.newest("credit_note")


@pytest.mark.parametrize(
    ("prefix", "digits", "refusal"),
    [
        ("", 6, BadField),
        ("inv", 6, BadField),
        ("A" * 21, 6, BadField),
        ("A\n", 6, BadField),
        ("A", 0, BadField),
    ],
)
def test_a_number_must_be_able_to_stand_on_a_document(
    prefix: str, digits: int, refusal: type[Refusal]
) -> None:
    """Capital letters, digits and a few marks; and there must be a seller."""
    spec.given(SET).when(
        lambda book: open_series(book, kind="invoice", prefix=prefix, digits=digits, stamp=AT)
    ).then_refused(refusal)
    spec.given().when(
        lambda book: open_series(book, kind="invoice", prefix="A", digits=6, stamp=AT)
    ).then_refused(NotFound)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("vat", "DE123456789", "123"),
        ("jp_invoice", "T1234567890123", "T123"),
        ("kr_business", "123-45-67890", "1234567890"),
        ("cn_uscc", "91110108MA01ABCD1X", "911101"),
        ("other", "12 345", "\u202e1"),
    ],
)
def test_tax_numbers_have_the_form_of_their_country(kind: TaxIdKind, good: str, bad: str) -> None:
    """Whether they exist is for a register to say."""
    checked_seller(msgspec.structs.replace(SELLER, tax_ids=(TaxId(kind=kind, value=good),)))
    with pytest.raises(BadField):
        checked_seller(msgspec.structs.replace(SELLER, tax_ids=(TaxId(kind=kind, value=bad),)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\u202eb"},
        {"address": ()},
        {"address": ("x",) * 7},
        {"country": "de"},
        {"email": "nobody"},
        {"email": "a b@c"},
        {"tax_id": TaxId(kind="vat", value="?")},
    ],
)
def test_a_buyer_that_cannot_be_printed_is_refused(wrong: dict[str, object]) -> None:
    """Field by field; and a seller needs a time zone that exists."""
    buyer = Buyer(name="Ada", address=("x",), country="DE", email="ada@example.com")
    assert checked_buyer(buyer) == buyer
    with pytest.raises(BadField):
        checked_buyer(msgspec.structs.replace(buyer, **wrong))
    with pytest.raises(BadField):
        checked_seller(msgspec.structs.replace(SELLER, zone="Nowhere/None"))
