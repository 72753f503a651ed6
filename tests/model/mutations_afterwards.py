"""Seeded faults in what is decided later and in what is promised, each with the properties that may catch it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from domain.ids import stream_of
from domain.ledger import correcting, disputing
from domain.ledger.charges import ChargeCase, Ended, Standing
from domain.ledger.correcting import LateUsage
from domain.promotions import batch as codes
from domain.promotions.batch import Batch, Code
from tests.model.mutations import Mutation
from tests.model.switches import Deciders, Switches

Events = Sequence[Any]


def _decider(name: str, caught_by: str, **deciders: Any) -> Mutation:
    switches = Switches(deciders=Deciders(**deciders))
    return Mutation(name=name, switches=switches, caught_by=frozenset(caught_by.split()))


# --- charges


def _review_anything(case: ChargeCase, ended: Ended, now: Standing, **rest: Any) -> Events:
    return correcting.review(case, replace(ended, held_for_review=True), now, **rest)


def _review_again(case: ChargeCase, ended: Ended, now: Standing, **rest: Any) -> Events:
    return correcting.review(replace(case, is_disputed=True), ended, now, **rest)


def _review_upwards(case: ChargeCase, ended: Ended, now: Standing, **rest: Any) -> Events:
    """Though it is disputed."""
    held = replace(ended, held_for_review=True)
    return correcting.review(replace(case, is_disputed=False), held, now, **rest)


def _review_of_what_was_charged(case: ChargeCase, ended: Ended, now: Standing, **rest: Any) -> Events:
    """Whatever was decided since."""
    return correcting.review(case, ended, replace(now, paid_nano=ended.charge_nano), **rest)


def _dispute_again(case: ChargeCase, ended: Ended, now: Standing, **rest: Any) -> Events:
    return disputing.dispute(replace(case, is_disputed=False), ended, now, **rest)


def _dispute_whenever(case: ChargeCase, ended: Ended, now: Standing, **rest: Any) -> Events:
    return disputing.dispute(case, replace(ended, ended_us=2**62), now, **rest)


def _bear_nothing(case: ChargeCase, ended: Ended, now: Standing, told: LateUsage, **rest: Any) -> Events:
    reported = correcting.report_late(case, ended, now, told, **rest)
    return [replace(one, shortfall_nano=0, shortfall_back_nano=0) for one in reported]


def _bear_again(case: ChargeCase, ended: Ended, now: Standing, told: LateUsage, **rest: Any) -> Events:
    """What the operator bore already is not counted."""
    return correcting.report_late(case, ended, replace(now, borne_nano=0), told, **rest)


def _pay_beyond_the_hold(
    case: ChargeCase, ended: Ended, now: Standing, told: LateUsage, **rest: Any
) -> Events:
    wide = replace(ended, hold_nano=4 * ended.hold_nano)
    return [
        replace(one, hold_nano=ended.hold_nano)
        for one in correcting.report_late(case, wide, now, told, **rest)
    ]


def _move_nothing(case: ChargeCase, ended: Ended, now: Standing, told: LateUsage, **rest: Any) -> Events:
    reported = correcting.report_late(case, ended, now, told, **rest)
    return [replace(one, adjustment_id=UNSET) for one in reported]


# --- codes


def _redeem_without_limit(code: Code | None, batch: Batch, *, redeemed_before: int, **rest: Any) -> Any:
    del redeemed_before
    return codes.redeem(code, batch, redeemed_before=0, **rest)


def _redeem_whenever(code: Code | None, batch: Batch, **rest: Any) -> Any:
    endless = replace(batch, withdrawn=False, issued=replace(batch.issued, redeem_until_us=None))
    return codes.redeem(code, endless, **rest)


def _redeem_again(code: Code | None, batch: Batch, **rest: Any) -> Any:
    return codes.redeem(None if code is None else replace(code, redeemed=None), batch, **rest)


def _credit_twofold(batch: Batch, *rest: Any, **more: Any) -> Events:
    double = replace(batch, issued=replace(batch.issued, amount_nano=2 * batch.issued.amount_nano))
    return codes.credit_of(double, *rest, **more)


# --- low balances


def _is_below(threshold_nano: int, *, before_nano: int, after_nano: int) -> bool:
    """Told of each time that it moves down there."""
    return after_nano < min(threshold_nano, before_nano)


def _is_at(threshold_nano: int, *, before_nano: int, after_nano: int) -> bool:
    return after_nano <= threshold_nano < before_nano


def _once_for_all(account_id: UUID, _crossed_position: int) -> UUID:
    """Nothing arms the alert again."""
    return stream_of(account_id, "balance-low-told")


_told = iter(range(2**62))


def _each_time(account_id: UUID, _crossed_position: int) -> UUID:
    """Who looks again tells again."""
    return stream_of(account_id, f"told-{next(_told)}")


MUTATIONS: tuple[Mutation, ...] = (
    _decider("a charge that nobody asked about is reviewed", "C02", review=_review_anything),
    _decider("a review is decided again", "C02", review=_review_again),
    _decider("a disputed charge is raised", "C02", review=_review_upwards),
    _decider("a review begins with what was charged", "C02", review=_review_of_what_was_charged),
    _decider("a charge is disputed twice at a time", "C02", dispute=_dispute_again),
    _decider("a dispute comes whenever it likes", "C02", dispute=_dispute_whenever),
    _decider("the operator bears nothing of a late report", "C02", report_late=_bear_nothing),
    _decider("what was borne already is borne again", "C02", report_late=_bear_again),
    _decider("late usage is paid beyond the hold", "C02", report_late=_pay_beyond_the_hold),
    _decider("late usage moves nothing", "C02", report_late=_move_nothing),
    _decider("an account redeems more codes than one may", "C01", redeem=_redeem_without_limit),
    _decider("a code is good after its end", "C01", redeem=_redeem_whenever),
    _decider("a code becomes more than was promised", "C01", credit_of=_credit_twofold),
    Mutation(
        name="a code is used twice",
        switches=Switches(
            checks_versions=False, checks_endings=False, deciders=Deciders(redeem=_redeem_again)
        ),
        caught_by=frozenset({"C01", "P07", "P02", "P03", "P05", "P06", "P14", "P15", "P32"}),
    ),
    _decider("a low balance is told of again and again", "B01", falls_below=_is_below),
    _decider("a balance at its threshold is told of", "B01", falls_below=_is_at),
    _decider("a low balance is told of once for all", "B01", crossing_stream=_once_for_all),
    _decider("who looks again tells again", "B01", crossing_stream=_each_time),
)
