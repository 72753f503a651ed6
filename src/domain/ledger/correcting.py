"""Deciding about charges of the past: a review that upholds or corrects, and what follows from usage that was told late."""

from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from domain.fact import Stamp
from domain.ledger.adjustments import AdjustmentRequested
from domain.ledger.charges import (
    ChargeCase,
    ChargeDisputed,
    ChargeEvent,
    ChargeReviewed,
    Ended,
    Standing,
    UsageReportedLate,
    adjustment_of,
    change_of,
    report_id_of,
    waits,
)
from domain.ledger.events import Units
from domain.refusal import AlreadyExists, BadField, NotFound, Refusal, WrongState
from domain.text import REASON_CHARS_MAX, printable, slug

REPORT_CHARS_MAX: Final = 200
UNITS_MAX: Final = 2**53
ABSURD_FACTOR: Final = 4
"""A usage that costs more than so many times the worst case is not late but wrong."""


class UsageAbsurd(Refusal):
    """The usage costs far more than the worst case of the request; nothing was stored."""

    code: ClassVar[str] = "usage_absurd"

    def __init__(self, *, rated_nano: int, hold_nano: int) -> None:
        super().__init__(f"it costs {rated_nano} nano-credits, the worst case was {hold_nano}")
        self.rated_nano = rated_nano
        self.hold_nano = hold_nano


class LateUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider told late: all that the request has used. `cost_nano` is what it takes for that, if it is known."""

    provider: str
    report_ref: str
    units: Units
    cost_nano: int | None
    reason: str


def review(
    case: ChargeCase,
    ended: Ended,
    so_far: Standing,
    *,
    right_nano: int | None,
    reason: str,
    stamp: Stamp,
) -> list[ChargeReviewed]:
    """Uphold a charge that waits for it, or say what it should be. Decided again in the same way, this does nothing.

    Raises:
        NotFound: the charge was neither held for review nor disputed.
        WrongState: it was decided about in another way.
        BadField: the amount is what was paid already, or not within the request's worst case, or more than was paid though it
            is disputed; the reason cannot be shown.
    """
    if not (waits(ended, case) or case.reviews):
        raise NotFound("charge held for review or disputed", ended.request_id)
    shown = printable(reason, field="reason", chars_max=REASON_CHARS_MAX)
    if not waits(ended, case):
        last = case.reviews[-1]
        if right_nano == (last.right_nano if last.outcome == "corrected" else None):
            return []
        raise WrongState("review", "decided")
    _check_right(case, ended, so_far, right_nano)
    return [
        ChargeReviewed(
            request_id=ended.request_id,
            account_id=ended.account_id,
            outcome="upheld" if right_nano is None else "corrected",
            hold_nano=ended.hold_nano,
            charge_nano=so_far.paid_nano,
            right_nano=so_far.paid_nano if right_nano is None else right_nano,
            reason=shown,
            ended_position=ended.position,
            adjustment_id=msgspec.UNSET if right_nano is None else _review_id(ended, case),
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def _check_right(case: ChargeCase, ended: Ended, so_far: Standing, right_nano: int | None) -> None:
    if right_nano is None:
        return
    if not 0 <= right_nano <= ended.hold_nano:
        raise BadField("amount_nano", f"must be from 0 to the hold, {ended.hold_nano}")
    if right_nano == so_far.paid_nano:
        raise BadField("amount_nano", "is what was paid already: leave it out to uphold the charge")
    if case.is_disputed and right_nano > so_far.paid_nano:
        raise BadField("amount_nano", f"must not be above the {so_far.paid_nano} that are disputed")


def _review_id(ended: Ended, case: ChargeCase) -> UUID:
    """Of the difference by the next review; a charge is reviewed again only after it was disputed again."""
    number = len(case.reviews)
    return uuid5(ended.request_id, f"review-{number}" if number else "review")


def report_late(
    case: ChargeCase,
    ended: Ended,
    so_far: Standing,
    told: LateUsage,
    *,
    rated_nano: int,
    factor_ppm: int | None,
    available_nano: int,
    stamp: Stamp,
) -> list[UsageReportedLate]:
    """Take in what a provider told late; `rated_nano` is what that costs. The same again does nothing.

    Raises:
        AlreadyExists: something else was told under the same id.
        BadField: the provider has not served the request, or a text cannot be shown.
        UsageAbsurd: see there.
    """
    told = _checked(ended, told)
    for earlier in case.reports:
        if (earlier.provider, earlier.report_ref) == (told.provider, told.report_ref):
            if earlier.units == told.units and told.cost_nano in {None, earlier.cost_nano}:
                return []
            raise AlreadyExists("usage report", told.report_ref)
    if rated_nano > ABSURD_FACTOR * ended.hold_nano:
        raise UsageAbsurd(rated_nano=rated_nano, hold_nano=ended.hold_nano)
    paid_nano = so_far.paid_nano
    due_nano = min(rated_nano, ended.hold_nano) - paid_nano
    charge_nano = paid_nano + min(due_nano, available_nano)
    bears_nano = rated_nano - charge_nano - so_far.borne_nano
    return [
        UsageReportedLate(
            request_id=ended.request_id,
            account_id=ended.account_id,
            key_id=ended.key_id,
            alias=ended.alias,
            operation=ended.operation,
            provider=told.provider,
            model=ended.model,
            report_ref=told.report_ref,
            units=told.units,
            units_before=so_far.units,
            price_version=ended.price_version,
            hold_nano=ended.hold_nano,
            rated_nano=rated_nano,
            charge_nano=charge_nano,
            charge_before_nano=paid_nano,
            shortfall_nano=max(bears_nano, 0),
            shortfall_back_nano=max(-bears_nano, 0),
            reason=told.reason,
            ended_position=ended.position,
            factor_ppm=msgspec.UNSET if factor_ppm is None else factor_ppm,
            cost_nano=so_far.cost_nano if told.cost_nano is None else told.cost_nano,
            cost_before_nano=so_far.cost_nano,
            adjustment_id=(
                msgspec.UNSET if charge_nano == paid_nano else report_id_of(told.provider, told.report_ref)
            ),
            occurred_us=stamp.now_us,
            actor=stamp.actor,
        )
    ]


def correction_of(event: ChargeEvent, *, approval_nano: int) -> AdjustmentRequested | None:
    """The difference as an adjustment about the request; none if there is none. Above `approval_nano` it waits."""
    adjustment_id = adjustment_of(event)
    if adjustment_id is None or isinstance(event, ChargeDisputed):
        return None
    change_nano = change_of(event)
    return AdjustmentRequested(
        adjustment_id=adjustment_id,
        account_id=event.account_id,
        kind="debit" if change_nano > 0 else "credit",
        amount_nano=abs(change_nano),
        reason=event.reason,
        waits=abs(change_nano) > approval_nano,
        ref=event.request_id,
        occurred_us=event.occurred_us,
        actor=event.actor,
    )


def _checked(ended: Ended, told: LateUsage) -> LateUsage:
    provider = slug(told.provider, field="served_by")
    if ended.provider and provider != ended.provider:
        raise BadField("served_by", "is not the one that served the request")
    for name in Units.__struct_fields__:
        count = getattr(told.units, name)
        if isinstance(count, int) and not 0 <= count <= UNITS_MAX:
            raise BadField(name, f"must be from 0 to {UNITS_MAX}")
    if told.units.reasoning > told.units.output:
        raise BadField("reasoning", "must not be more than output")
    if told.cost_nano is not None and not 0 <= told.cost_nano <= UNITS_MAX:
        raise BadField("cost_nano", f"must be from 0 to {UNITS_MAX}")
    return msgspec.structs.replace(
        told,
        provider=provider,
        report_ref=printable(told.report_ref, field="report_ref", chars_max=REPORT_CHARS_MAX),
        reason=printable(told.reason, field="reason", chars_max=REASON_CHARS_MAX),
    )
