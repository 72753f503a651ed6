"""A charge is disputed by its customer while there is time, one dispute at a time; a review ends it, and never makes it dearer."""

import msgspec
import pytest

from domain.fact import Stamp
from domain.ledger.charges import ChargeCase, ChargeDisputed, DisputeCause, Ended, standing, waits
from domain.ledger.correcting import correction_of
from domain.ledger.disputing import DISPUTE_US, dispute
from domain.refusal import BadField, WrongState
from tests.domain.ledger.test_correcting import ABANDONED, AT, ENDED, SPEC, reviewing, telling, when

PLAIN = msgspec.structs.replace(ENDED, held_for_review=False)


def disputing(
    case: ChargeCase, ended: Ended = PLAIN, *, cause: DisputeCause = "no-answer", stamp: Stamp = AT
) -> list[ChargeDisputed]:
    so_far = standing(ended, case, denied=frozenset())
    return dispute(case, ended, so_far, cause=cause, pii=None, stamp=stamp)


def test_a_dispute_waits_and_moves_nothing() -> None:
    """It names what was paid, and asks for no adjustment."""
    (disputed,) = disputing(ChargeCase())
    assert (disputed.cause, disputed.charge_nano, disputed.ended_position) == ("no-answer", 60, 11)
    assert correction_of(disputed, approval_nano=0) is None
    case = SPEC.fold(disputed)
    assert waits(PLAIN, case)
    assert standing(PLAIN, case, denied=frozenset()).paid_nano == 60


def test_one_dispute_is_open_at_a_time() -> None:
    """The same again does nothing; for another cause it is refused until somebody has decided."""
    (disputed,) = disputing(ChargeCase())
    when(disputing, disputed).then_nothing()
    when(lambda case: disputing(case, cause="other"), disputed).then_refused(WrongState)
    (upheld,) = reviewing(SPEC.fold(disputed), None, PLAIN)
    (again,) = disputing(SPEC.fold(disputed, upheld), cause="other")
    assert again.cause == "other"


def test_a_review_ends_a_dispute_and_no_charge_grows_by_it() -> None:
    """Though it may be corrected upwards when only the operator finds it wrong."""
    (disputed,) = disputing(ChargeCase())
    when(lambda case: reviewing(case, 61, PLAIN), disputed).then_refused(BadField)
    (less,) = reviewing(SPEC.fold(disputed), 20, PLAIN)
    case = SPEC.fold(disputed, less)
    assert not waits(PLAIN, case)
    assert standing(PLAIN, case, denied=frozenset()).paid_nano == 20
    when(lambda case: reviewing(case, 20, PLAIN), disputed, less).then_nothing()
    when(lambda case: reviewing(case, 10, PLAIN), disputed, less).then_refused(WrongState)


def test_each_review_has_an_adjustment_of_its_own() -> None:
    """A charge that is disputed again is corrected again, from what it has become."""
    (held,) = reviewing(ChargeCase(), 50)
    case = SPEC.fold(held)
    (disputed,) = disputing(case, ENDED)
    (less,) = reviewing(SPEC.fold(held, disputed), 10)
    assert (disputed.charge_nano, less.charge_nano, less.right_nano) == (50, 50, 10)
    assert held.adjustment_id != less.adjustment_id


def test_a_charge_that_is_held_already_is_decided_about_once() -> None:
    """The dispute joins what waits."""
    (disputed,) = disputing(ChargeCase(), ENDED)
    (upheld,) = reviewing(SPEC.fold(disputed), None)
    assert not waits(ENDED, SPEC.fold(disputed, upheld))


@pytest.mark.parametrize(("after_us", "is_late"), [(DISPUTE_US, False), (DISPUTE_US + 1, True)])
def test_there_is_a_time_for_it(after_us: int, is_late: bool) -> None:  # a parameter of a test
    """From the end of the request on."""
    stamp = Stamp(now_us=PLAIN.ended_us + after_us, actor="member:1")
    decision = when(lambda case: disputing(case, stamp=stamp))
    if is_late:
        decision.then_refused(WrongState)
    else:
        assert disputing(ChargeCase(), stamp=stamp)


def test_what_cost_nothing_is_not_disputed() -> None:
    """Until its provider has told that it did."""
    when(lambda case: disputing(case, ABANDONED)).then_refused(WrongState)
    (told,) = telling(ChargeCase(), 30, ABANDONED)
    (disputed,) = disputing(SPEC.fold(told), ABANDONED)
    assert disputed.charge_nano == 30
