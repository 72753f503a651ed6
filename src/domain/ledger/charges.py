"""What becomes of a charge after it was made: its customer disputes it, an operator reviews it, a provider tells its usage late.

The stream of a request's charge says what its customer should have paid in the end. The charge itself stays as it is: a
difference is an adjustment that names the request, asked for in the append that decides it. What may be decided stands
in `correcting`, and what may be disputed in `disputing`.
"""

from typing import ClassVar, Final, Literal, assert_never
from uuid import UUID, uuid5

import msgspec

from domain.fact import Fact
from domain.ids import stream_of
from domain.ledger.events import Units
from domain.privacy import Sealed

Outcome = Literal["upheld", "corrected"]
DisputeCause = Literal[
    "no-answer", "broken-answer", "counted-wrongly", "wrong-price", "charged-twice", "not-ours", "other"
]
_REPORTS: Final = UUID("0c1f6a52-9f5b-5d0e-8a3c-4b7d1e92f6a8")


class ChargeDisputed(Fact, frozen=True, kw_only=True):
    """The customer says that a charge is wrong. It is looked at as one that was held is, and moves nothing itself."""

    TOPIC: ClassVar[str] = "charge.disputed.v1"

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    provider: str  #: empty if none served the request
    cause: DisputeCause
    hold_nano: int
    charge_nano: int  #: what the customer had paid for the request until then
    ended_position: int  #: of the request's last event
    pii: Sealed | msgspec.UnsetType = (
        msgspec.UNSET
    )  #: what the customer writes about it, under the account's key


class ChargeReviewed(Fact, frozen=True, kw_only=True):
    """An operator has looked at a charge that was held or disputed. A difference is asked for as an adjustment, and may wait there."""

    TOPIC: ClassVar[str] = "charge.reviewed.v1"

    request_id: UUID
    account_id: UUID
    outcome: Outcome
    hold_nano: int
    charge_nano: int  #: what the customer had paid for the request until then
    right_nano: int  #: what it should be; of one that is upheld, the same
    reason: str
    ended_position: int  #: of the charge
    adjustment_id: UUID | msgspec.UnsetType = msgspec.UNSET  #: of the difference


class UsageReportedLate(Fact, frozen=True, kw_only=True):
    """A provider told the usage of a request after its end: all of it, in place of what was known before.

    It is rated by the price that the request was admitted at. The customer pays at most the hold, and of what is more than
    before at most what was available; the operator bears the rest.
    """

    TOPIC: ClassVar[str] = "charge.usage-reported-late.v1"

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    operation: str
    provider: str
    model: str  #: at the provider; empty if the log does not know it
    report_ref: str  #: the provider's own id of what it told
    units: Units
    units_before: Units
    price_version: int
    hold_nano: int
    rated_nano: int  #: what the usage costs
    charge_nano: int  #: of that, what the customer pays in all
    charge_before_nano: int
    shortfall_nano: int  #: what the operator bears more than before
    shortfall_back_nano: int  #: or less
    reason: str
    ended_position: int  #: of the request's last event
    factor_ppm: int | msgspec.UnsetType = msgspec.UNSET  #: as in `UsageCharged`
    cost_nano: int | None = None  #: what the provider takes for it; none if that is not known
    cost_before_nano: int | None = None
    adjustment_id: UUID | msgspec.UnsetType = msgspec.UNSET  #: of the difference to the customer


class UsageReportTaken(Fact, frozen=True, kw_only=True):
    """The first fact of the stream of what a provider told: it is taken once, and for one request."""

    TOPIC: ClassVar[str] = "usage-report.taken.v1"

    provider: str
    report_ref: str
    request_id: UUID


ChargeEvent = ChargeReviewed | UsageReportedLate | ChargeDisputed
CHARGE_EVENTS: tuple[type[Fact], ...] = (
    ChargeReviewed,
    UsageReportedLate,
    ChargeDisputed,
    UsageReportTaken,
)


class ChargeCase(msgspec.Struct, frozen=True):
    """The fold of the stream of a request's charge; empty for nearly every request."""

    reviews: tuple[ChargeReviewed, ...] = ()
    reports: tuple[UsageReportedLate, ...] = ()
    changes_nano: dict[UUID, int] = {}  #: what the customer pays more, by adjustment, unless that is denied
    disputes: tuple[ChargeDisputed, ...] = ()
    is_disputed: bool = False  #: the last of them waits for an operator


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a request ended, as the log has it. One that charged nothing has used nothing."""

    request_id: UUID
    account_id: UUID
    key_id: UUID
    alias: str
    operation: str
    provider: str  #: empty if none served it
    model: str
    price_version: int
    factor_ppm: int | None  #: of a charge
    admitted_us: int
    ended_us: int
    hold_nano: int
    charge_nano: int
    shortfall_nano: int
    units: Units
    cost_nano: int | None
    position: int
    held_for_review: bool


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is known to have used by now, what its customer has paid for it and what the operator bore."""

    paid_nano: int
    borne_nano: int
    units: Units
    cost_nano: int | None


def charge_stream(request_id: UUID) -> UUID:
    return stream_of(request_id, "charge")


def report_id_of(provider: str, report: str) -> UUID:
    """What a provider told under this id; its stream and its adjustment are named after it."""
    return uuid5(_REPORTS, f"{provider}\n{report}")


def report_stream(provider: str, report: str) -> UUID:
    return stream_of(report_id_of(provider, report), "usage-report")


def evolve(case: ChargeCase, event: ChargeEvent) -> ChargeCase:
    """The case after one more fact."""
    replace = msgspec.structs.replace
    adjustment_id = adjustment_of(event)
    if adjustment_id is not None:
        case = replace(case, changes_nano=case.changes_nano | {adjustment_id: change_of(event)})
    match event:
        case ChargeReviewed():
            return replace(case, reviews=(*case.reviews, event), is_disputed=False)
        case UsageReportedLate():
            return replace(case, reports=(*case.reports, event))
        case ChargeDisputed():
            return replace(case, disputes=(*case.disputes, event), is_disputed=True)
        case _:
            assert_never(event)


def adjustment_of(event: ChargeEvent) -> UUID | None:
    """The adjustment that moves its difference; none if there is no difference."""
    return None if isinstance(event, ChargeDisputed) else event.adjustment_id or None


def waits(ended: Ended, case: ChargeCase) -> bool:
    """Whether an operator has yet to look at the charge: it was held and never reviewed, or is disputed."""
    return case.is_disputed or (ended.held_for_review and not case.reviews)


def change_of(event: ChargeEvent) -> int:
    """What the customer pays more by it; negative: gets back."""
    match event:
        case ChargeReviewed():
            return event.right_nano - event.charge_nano
        case UsageReportedLate():
            return event.charge_nano - event.charge_before_nano
        case ChargeDisputed():
            return 0
        case _:
            assert_never(event)


def standing(ended: Ended, case: ChargeCase, *, denied: frozenset[UUID]) -> Standing:
    """How it stands; `denied` are those of the case's adjustments that a second operator has refused."""
    changes = (nano for adjustment_id, nano in case.changes_nano.items() if adjustment_id not in denied)
    last = case.reports[-1] if case.reports else None
    return Standing(
        paid_nano=ended.charge_nano + sum(changes),
        borne_nano=ended.shortfall_nano
        + sum(one.shortfall_nano - one.shortfall_back_nano for one in case.reports),
        units=last.units if last else ended.units,
        cost_nano=last.cost_nano if last else ended.cost_nano,
    )
