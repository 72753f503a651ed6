"""A receipt: what became of one request, as the line that is signed. `docs/sealing.md` has its members.

It shows customers nothing that `GET /v1/generation` does not: no ids of deployments and credentials, no cost of ours.
The stored event has these; the receipt has the hash of its line.
"""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec

from domain.ledger.events import (
    Attempt,
    RequestAbandoned,
    RequestReleased,
    Units,
    UsageCharged,
    UsageSource,
)
from domain.ledger.postings import Posting, PostingRules, postings
from domain.pricing import NO_MARKUP_PPM, Price, PriceInForce
from domain.receipts.formula import Formula, formula
from domain.sealing.checkpoint import hash_text
from domain.sealing.leaf import Stored, leaf
from domain.sealing.tree import leaf_hash

FORM: Final = "tokenok.receipt/v1"
DEFAULT_OPERATION: Final = "chat"

Ended = UsageCharged | RequestReleased | RequestAbandoned
State = Literal["charged", "failed", "abandoned"]


class EventPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The event that ended the request."""

    position: int
    stream_id: UUID
    version: int
    topic: str
    recorded_at_us: int
    leaf_hash: str


class PriceShown(msgspec.Struct, frozen=True, kw_only=True):
    """The price by which the charge was made, as published."""

    version: int
    effective_from_us: int
    markup_ppm: int
    price: Price


class UsageShown(msgspec.Struct, frozen=True, kw_only=True):
    """What was used, and who says so."""

    source: UsageSource
    flags: tuple[str, ...]
    units: Units


class AttemptShown(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a provider; a `status` of null means that no answer was read. Times in milliseconds."""

    provider_name: str
    model: str
    status: int | None
    outcome: str
    started_at_ms: int
    latency: int | None
    duration: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The order of the members is part of the form; what is not known of a request is null."""

    receipt: str = FORM
    request_id: UUID
    account_id: UUID
    key_id: UUID | None = None
    model: str | None = None
    operation: str | None = None
    state: State
    error_code: str | None = None
    event: EventPlace
    price: PriceShown | None = None
    usage: UsageShown | None = None
    formula: Formula | None = None
    hold_nano: int
    charge_nano: int = 0
    shortfall_nano: int = 0
    attempts: tuple[AttemptShown, ...] = ()
    postings: tuple[Posting, ...]

    @property
    def line(self) -> bytes:
        """What is signed."""
        return msgspec.json.encode(self) + b"\n"


def receipt_of(stored: Stored, event: Ended, *, price: PriceInForce | None, rules: PostingRules) -> Receipt:
    """The receipt of a request by the event that ended it; `price` is that of a charge."""
    place = EventPlace(
        position=stored.position,
        stream_id=stored.stream_id,
        version=stored.version,
        topic=stored.topic,
        recorded_at_us=stored.recorded_at_us,
        leaf_hash=hash_text(leaf_hash(leaf(stored))),
    )
    entries = tuple(postings(rules, event, stream_id=stored.stream_id))
    match event:
        case UsageCharged():
            assert price is not None
            return _charged(event, place, price, entries)
        case RequestReleased():
            return Receipt(
                request_id=event.request_id,
                account_id=event.account_id,
                key_id=event.key_id,
                model=event.alias,
                state="failed",
                error_code=event.code,
                event=place,
                hold_nano=event.hold_nano,
                attempts=_shown(event.attempts),
                postings=entries,
            )
        case RequestAbandoned():
            return Receipt(
                request_id=event.request_id,
                account_id=event.account_id,
                state="abandoned",
                event=place,
                hold_nano=event.hold_nano,
                postings=entries,
            )


def _charged(
    event: UsageCharged, place: EventPlace, price: PriceInForce, entries: tuple[Posting, ...]
) -> Receipt:
    return Receipt(
        request_id=event.request_id,
        account_id=event.account_id,
        key_id=event.key_id,
        model=event.alias,
        operation=event.operation or DEFAULT_OPERATION,
        state="charged",
        event=place,
        price=PriceShown(
            version=price.version,
            effective_from_us=price.effective_from_us,
            markup_ppm=price.markup_ppm,
            price=price.price,
        ),
        usage=UsageShown(source=event.usage_source, flags=event.usage_flags, units=event.units),
        formula=formula(
            event.units,
            price.price,
            markup_ppm=price.markup_ppm,
            factor_ppm=event.factor_ppm or NO_MARKUP_PPM,
        ),
        hold_nano=event.hold_nano,
        charge_nano=event.charge_nano,
        shortfall_nano=event.shortfall_nano,
        attempts=_shown(event.attempts),
        postings=entries,
    )


def _shown(attempts: Sequence[Attempt]) -> tuple[AttemptShown, ...]:
    return tuple(
        AttemptShown(
            provider_name=one.provider,
            model=one.model,
            status=one.status or None,
            outcome=one.outcome,
            started_at_ms=one.started_us // 1000,
            latency=one.first_byte_ms,
            duration=one.duration_ms,
        )
        for one in attempts
    )
