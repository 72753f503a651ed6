"""Sellers and their series of numbers. The stream's id is the seller's; a series' numbers are a stream of their own.

In a series' stream the version of an event **is** its number, so numbers have no gap and are given once, however many
processes issue at once and wherever one of them dies.
"""

import re
from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID

import msgspec

from domain.fact import Fact, Stamp
from domain.ids import stream_of
from domain.invoicing.parties import Seller, checked_seller
from domain.refusal import AlreadyExists, BadField, NotFound

DocumentKind = Literal["invoice", "credit_note"]
_PREFIX: Final = re.compile(r"[A-Z0-9][A-Z0-9/-]{0,19}")
_DIGITS: Final = range(1, 11)


class SellerSet(Fact, frozen=True, kw_only=True):
    """Documents name this seller so from now on; those that were issued stay as they are."""

    TOPIC: ClassVar[str] = "seller.set.v1"

    seller_id: UUID
    seller: Seller


class SeriesOpened(Fact, frozen=True, kw_only=True):
    """Documents of one kind can be numbered with this prefix, from 1 on."""

    TOPIC: ClassVar[str] = "seller.series-opened.v1"

    seller_id: UUID
    series_id: UUID
    kind: DocumentKind
    prefix: str
    digits: int  #: numbers are filled up to this with zeros


class NumberTaken(Fact, frozen=True, kw_only=True):
    """The next number belongs to this document, which is stored in the same append."""

    TOPIC: ClassVar[str] = "series.number-taken.v1"

    series_id: UUID
    number: int  #: the version of this event in its stream
    document_id: UUID
    issued_on: str  #: the day, as the document says it


SellerEvent = SellerSet | SeriesOpened
SELLER_EVENTS: tuple[type[Fact], ...] = (SellerSet, SeriesOpened, NumberTaken)


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """How documents of one kind are numbered."""

    series_id: UUID
    kind: DocumentKind
    prefix: str
    digits: int

    def text(self, number: int) -> str:
        """The number as it is printed."""
        return f"{self.prefix}{number:0{self.digits}d}"


class SellerBook(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a seller's stream."""

    seller_id: UUID
    seller: Seller
    series: tuple[Series, ...] = ()

    def newest(self, kind: DocumentKind) -> Series:
        """The series that documents of this kind are numbered in.

        Raises:
            NotFound: none was opened.
        """
        for series in reversed(self.series):
            if series.kind == kind:
                return series
        raise NotFound("series", kind)


def evolve(book: SellerBook | None, event: SellerEvent) -> SellerBook:
    """The seller after one more fact."""
    match event:
        case SellerSet():
            series = () if book is None else book.series
            return SellerBook(seller_id=event.seller_id, seller=event.seller, series=series)
        case SeriesOpened():
            assert book is not None, "a seller's stream starts with SellerSet"
            opened = Series(
                series_id=event.series_id, kind=event.kind, prefix=event.prefix, digits=event.digits
            )
            return msgspec.structs.replace(book, series=(*book.series, opened))
        case _:
            assert_never(event)


def set_seller(
    book: SellerBook | None, *, seller_id: UUID, seller: Seller, stamp: Stamp
) -> list[SellerEvent]:
    """Name the seller so; the same again does nothing.

    Raises:
        BadField: something in it cannot be used.
    """
    seller = checked_seller(seller)
    if book is not None and book.seller == seller:
        return []
    return [SellerSet(seller_id=seller_id, seller=seller, occurred_us=stamp.now_us, actor=stamp.actor)]


def open_series(
    book: SellerBook | None, *, kind: DocumentKind, prefix: str, digits: int, stamp: Stamp
) -> list[SellerEvent]:
    """Number documents so from now on; the same again does nothing.

    Raises:
        NotFound: there is no such seller.
        AlreadyExists: the prefix numbers something else.
        BadField: the prefix or the digits cannot be used.
    """
    if book is None:
        raise NotFound("seller")
    if not _PREFIX.fullmatch(prefix):
        raise BadField("prefix", "must be 1 to 20 capital letters, digits, '-' and '/'")
    if digits not in _DIGITS:
        raise BadField("digits", "must be 1 to 10")
    for series in book.series:
        if series.prefix == prefix:
            if (series.kind, series.digits) == (kind, digits):
                return []
            raise AlreadyExists("series", prefix)
    return [
        SeriesOpened(
            seller_id=book.seller_id,
            series_id=stream_of(book.seller_id, f"series:{prefix}"),
            kind=kind,
            prefix=prefix,
            digits=digits,
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]
