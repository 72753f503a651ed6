"""What may be decided about charges of the past: once, within the hold, and never below zero."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fact import Stamp
from domain.ledger import correcting
from domain.ledger.charges import (
    ChargeCase,
    ChargeEvent,
    ChargeReviewed,
    Ended,
    UsageReportedLate,
    change_of,
    evolve,
    report_id_of,
    standing,
)
from domain.ledger.correcting import LateUsage, UsageAbsurd, correction_of
from domain.ledger.events import Units
from domain.refusal import AlreadyExists, BadField, NotFound, WrongState
from tests.spec import Decision, Spec

SPEC: Spec[ChargeCase] = Spec(evolve, initial=ChargeCase())
REQUEST, ACCOUNT = UUID(int=1), UUID(int=2)
AT = Stamp(now_us=9, actor="operator:1")
ENDED = Ended(
    request_id=REQUEST,
    account_id=ACCOUNT,
    key_id=UUID(int=3),
    alias="big",
    operation="chat",
    provider="acme",
    model="big-1",
    price_version=4,
    factor_ppm=None,
    admitted_us=5,
    ended_us=6,
    hold_nano=100,
    charge_nano=60,
    shortfall_nano=0,
    units=Units(input=10),
    cost_nano=7,
    position=11,
    held_for_review=True,
)
ABANDONED = msgspec.structs.replace(
    ENDED,
    provider="",
    model="",
    charge_nano=0,
    units=Units(requests=0),
    cost_nano=None,
    held_for_review=False,
)


def reviewing(
    case: ChargeCase, right_nano: int | None, ended: Ended = ENDED, **more: Any
) -> list[ChargeReviewed]:
    so_far = standing(ended, case, denied=frozenset())
    return correcting.review(case, ended, so_far, right_nano=right_nano, reason="why", stamp=AT, **more)


def telling(
    case: ChargeCase,
    rated_nano: int,
    ended: Ended = ENDED,
    *,
    report_ref: str = "r-1",
    available_nano: int = 1_000,
    denied: frozenset[UUID] = frozenset(),
    units: Units = Units(output=3),  # noqa: B008  # frozen
    **changes: Any,
) -> list[UsageReportedLate]:
    told = LateUsage(provider="acme", report_ref=report_ref, units=units, cost_nano=None, reason="why")
    return correcting.report_late(
        case,
        ended,
        standing(ended, case, denied=denied),
        msgspec.structs.replace(told, **changes),
        rated_nano=rated_nano,
        factor_ppm=None,
        available_nano=available_nano,
        stamp=AT,
    )


def when(decide: Callable[[ChargeCase], list[Any]], *given: ChargeEvent) -> Decision:
    return SPEC.given(*given).when(decide)


# --- reviews


def test_a_charge_is_upheld_or_corrected_within_its_hold() -> None:
    """To more or to less; the difference is an adjustment about the request."""
    (upheld,) = reviewing(ChargeCase(), None)
    assert (upheld.outcome, upheld.right_nano, correction_of(upheld, approval_nano=0)) == ("upheld", 60, None)
    (less,) = reviewing(ChargeCase(), 10)
    credit = correction_of(less, approval_nano=50)
    assert credit is not None
    assert (credit.kind, credit.amount_nano, credit.ref, credit.waits) == ("credit", 50, REQUEST, False)
    (more,) = reviewing(ChargeCase(), 100)
    debit = correction_of(more, approval_nano=39)
    assert debit is not None
    assert (debit.kind, debit.amount_nano, debit.waits) == ("debit", 40, True)


@pytest.mark.parametrize("right_nano", [-1, 60, 101])
def test_a_charge_is_not_corrected_to_what_it_is_or_cannot_be(right_nano: int) -> None:
    """Nobody pays more than was set aside, and a correction corrects something."""
    when(lambda case: reviewing(case, right_nano)).then_refused(BadField)


def test_what_was_not_held_is_not_reviewed() -> None:
    """Whoever finds another charge wrong adjusts credit."""
    when(lambda case: reviewing(case, 1, ABANDONED)).then_refused(NotFound)


def test_a_review_is_decided_once() -> None:
    """The same decision again does nothing, another one is refused."""
    (corrected,), (upheld,) = reviewing(ChargeCase(), 10), reviewing(ChargeCase(), None)
    when(lambda case: reviewing(case, 10), corrected).then_nothing()
    when(lambda case: reviewing(case, None), upheld).then_nothing()
    when(lambda case: reviewing(case, None), corrected).then_refused(WrongState)
    when(lambda case: reviewing(case, 10), upheld).then_refused(WrongState)


# --- usage that was told late


@pytest.mark.parametrize(
    ("rated_nano", "charge_nano", "borne_nano"),
    [(60, 60, 0), (0, 0, 0), (80, 80, 0), (100, 100, 0), (130, 100, 30), (400, 100, 300)],
)
def test_the_customer_pays_what_it_costs_up_to_the_hold(
    rated_nano: int, charge_nano: int, borne_nano: int
) -> None:
    """The operator bears the rest; what was charged already is not taken again."""
    (told,) = telling(ChargeCase(), rated_nano)
    assert (told.charge_before_nano, told.charge_nano, told.shortfall_nano) == (60, charge_nano, borne_nano)
    assert (correction_of(told, approval_nano=0) is None) == (charge_nano == 60)


def test_no_more_is_taken_than_is_available() -> None:
    """Never below zero; what is not there the operator bears."""
    (told,) = telling(ChargeCase(), 90, available_nano=12)
    assert (told.charge_nano, told.shortfall_nano) == (72, 18)
    (none,) = telling(ChargeCase(), 90, ABANDONED, available_nano=0)
    assert (none.charge_nano, none.shortfall_nano, none.adjustment_id) == (0, 90, msgspec.UNSET)


def test_a_usage_that_turns_out_smaller_gives_back_on_both_sides() -> None:
    """To the customer what was too much, and to the operator what was borne."""
    dear = msgspec.structs.replace(ENDED, charge_nano=100, shortfall_nano=50)
    (told,) = telling(ChargeCase(), 70, dear)
    assert (told.charge_nano, told.shortfall_nano, told.shortfall_back_nano) == (70, 0, 50)


def test_a_report_counts_once() -> None:
    """The same again does nothing; something else under its id is refused; another report is a difference to it."""
    (first,) = telling(ChargeCase(), 80)
    when(lambda case: telling(case, 80), first).then_nothing()
    when(lambda case: telling(case, 90, units=Units(output=4)), first).then_refused(AlreadyExists)
    (second,) = telling(SPEC.fold(first), 90, report_ref="r-2", units=Units(output=4))
    assert (second.charge_before_nano, second.charge_nano) == (80, 90)
    assert (second.units_before, second.units) == (Units(output=3), Units(output=4))


def test_what_a_second_operator_refused_was_not_paid() -> None:
    """The next report begins from what the customer did pay."""
    (first,) = telling(ChargeCase(), 80)
    denied = frozenset({report_id_of("acme", "r-1")})
    (second,) = telling(SPEC.fold(first), 90, report_ref="r-2", denied=denied)
    assert (second.charge_before_nano, second.charge_nano) == (60, 90)


def test_a_review_and_a_report_know_of_each_other() -> None:
    """Whichever comes first, the other is a difference to it."""
    (corrected,) = reviewing(ChargeCase(), 10)
    (told,) = telling(SPEC.fold(corrected), 30)
    assert (told.charge_before_nano, told.charge_nano) == (10, 30)
    (told,) = telling(ChargeCase(), 10)
    (later,) = reviewing(SPEC.fold(told), 20)
    assert (later.charge_nano, later.right_nano) == (10, 20)


def test_far_more_than_the_worst_case_is_no_usage() -> None:
    """Four times what was set aside is a wrong figure."""
    telling(ChargeCase(), 400)
    when(lambda case: telling(case, 401)).then_refused(UsageAbsurd, rated_nano=401, hold_nano=100)


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": "other"},
        {"provider": "Not a name"},
        {"report_ref": " "},
        {"report_ref": "x" * 201},
        {"reason": "\u202e"},
        {"units": Units(output=-1)},
        {"units": Units(input=2**53 + 1)},
        {"units": Units(output=1, reasoning=2)},
        {"cost_nano": -1},
    ],
)
def test_a_report_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    """With the field that is wrong."""
    when(lambda case: telling(case, 1, **changes)).then_refused(BadField)


def test_whoever_told_it_has_served_what_nobody_is_known_to_have() -> None:
    """Of a request that broke off with its process the log knows no provider."""
    (told,) = telling(ChargeCase(), 30, ABANDONED)
    assert (told.provider, told.charge_nano, told.units_before) == ("acme", 30, Units(requests=0))


@given(
    hold_nano=st.integers(0, 10**6),
    paid=st.floats(0, 1),
    borne_nano=st.integers(0, 10**6),
    reports=st.lists(st.tuples(st.floats(0, 4), st.integers(0, 10**6)), max_size=6),
)
def test_after_every_report_what_was_charged_and_borne_is_what_it_costs(
    hold_nano: int, paid: float, borne_nano: int, reports: list[tuple[float, int]]
) -> None:
    """P26: within the hold, within what is available, nothing below zero, to the nano."""
    charge_nano = int(hold_nano * paid)
    borne_nano = borne_nano if charge_nano == hold_nano else 0
    ended = msgspec.structs.replace(
        ENDED, hold_nano=hold_nano, charge_nano=charge_nano, shortfall_nano=borne_nano
    )
    case = ChargeCase()
    for number, (factor, available_nano) in enumerate(reports):
        rated_nano = int(hold_nano * factor)
        (told,) = telling(case, rated_nano, ended, report_ref=f"r-{number}", available_nano=available_nano)
        assert 0 <= told.charge_nano <= hold_nano
        assert change_of(told) <= available_nano
        assert min(told.shortfall_nano, told.shortfall_back_nano) == 0
        case = evolve(case, told)
        now = standing(ended, case, denied=frozenset())
        assert (now.paid_nano, now.paid_nano + now.borne_nano) == (told.charge_nano, rated_nano)
        assert now.borne_nano >= 0
